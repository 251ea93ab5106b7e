package flows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// DefaultReconcileSpan is how far back FinOps' history is compared: as long as
// FinOps keeps a file, so as long as something can be done.
const DefaultReconcileSpan = BlobLife

// ReconcileRequest asks for a comparison of FinOps' history with the ledger.
type ReconcileRequest struct {
	Environment string    `json:"environment"`
	From        time.Time `json:"from,omitzero"` // runs begun then or later; zero: DefaultReconcileSpan ago
	// Projects are the data projects to compare, known here or not. None: those
	// of which anything ever came here or that finrelay was asked to run.
	Projects []string `json:"projects,omitempty"`
	Fix      bool     `json:"fix,omitempty"`
	By       string   `json:"by,omitempty"`
	MostRows int      `json:"most_rows,omitempty"` // of the history; 0: as many as dmf.HistoryQuery takes
}

// Reconciliation is what a comparison came to.
type Reconciliation struct {
	Environment string    `json:"environment"`
	From        time.Time `json:"from"`
	At          time.Time `json:"at"`
	Projects    []string  `json:"projects"`           // compared
	LeftOut     []LeftOut `json:"left_out,omitempty"` // in the history and not compared
	Executions  int       `json:"executions"`         // compared
	Entities    int       `json:"entities"`           // of those, each counted once an execution
	Timeless    int       `json:"timeless,omitempty"` // executions of which FinOps tells no time: they may be older than From
	Uncounted   int       `json:"uncounted,omitempty"`
	Open        int       `json:"open"` // findings that need a person, those that Fix set going left out
	Findings    []Finding `json:"findings"`
}

// LeftOut is a data project that the history tells of and that was not
// compared: an import, or an export that goes elsewhere.
type LeftOut struct {
	Project    string `json:"project"`
	Executions int    `json:"executions"`
}

// FinOpsError is a question that FinOps did not answer.
type FinOpsError struct {
	// Reason is ReasonSignIn, ReasonNetwork (not reached, or throttled) or
	// ReasonFinOps (refused for good).
	Reason state.Reason
	Err    error
}

func (e *FinOpsError) Error() string { return e.Err.Error() }

// Unwrap gives the error of package dmf.
func (e *FinOpsError) Unwrap() error { return e.Err }

func asFinOpsError(err error) error {
	reason := state.ReasonNetwork
	signIn, isSignIn := errors.AsType[*dmf.SignInError](err)
	api, isAPI := errors.AsType[*dmf.APIError](err)
	switch {
	case isSignIn && !signIn.Temporary():
		reason = state.ReasonSignIn
	case !isSignIn && isAPI && !api.Temporary() && api.StatusCode != 0:
		reason = state.ReasonFinOps
	case !isSignIn && !isAPI:
		return err // not about FinOps
	}
	return &FinOpsError{Reason: reason, Err: err}
}

// Reconcile compares FinOps' execution history with the ledger. It starts no
// execution, and changes nothing unless Fix is set; then it sets going what is
// certain to be missing and can still be had. The error is a *FinOpsError when
// FinOps could not be asked.
func (r *Relay) Reconcile(ctx context.Context, q ReconcileRequest) (Reconciliation, error) {
	res := Reconciliation{Environment: q.Environment, From: q.From.UTC(), At: r.db.Now().UTC(), Findings: []Finding{}}
	if q.From.IsZero() {
		res.From = res.At.Add(-DefaultReconcileSpan)
	}
	client := r.cfg.Environments[q.Environment].FinOps
	if client == nil {
		return res, fmt.Errorf("environment %q has no url and sign_in: FinOps' history cannot be read", q.Environment)
	}
	rows, truncated, err := readHistory(ctx, client, q, res.From)
	if err != nil {
		return res, asFinOpsError(err)
	}
	runs := pastRuns(rows)
	view, err := r.ledgerView(ctx, q.Environment, res.From, slices.ContainsFunc(runs, pastRun.timeless))
	if err != nil {
		return res, err
	}
	if err := r.choose(ctx, q, &res, &runs, view); err != nil {
		return res, err
	}
	res.count(runs)
	c := newComparison(res.At, runs, view)
	c.compare()
	if truncated {
		c.add(Finding{Kind: FindTruncated, Open: true, Certain: true,
			Cause: fmt.Sprintf("FinOps' history has more rows than the %d that were read: what is not among them was not compared", len(rows))})
	}
	r.advise(q.Environment, c.found)
	if q.Fix {
		r.fix(ctx, client, q, c)
	}
	res.Findings = append(res.Findings, sorted(c.found)...)
	for _, f := range res.Findings {
		if f.Open && (f.Fix == nil || !f.Fix.Done) {
			res.Open++
		}
	}
	return res, nil
}

// readHistory asks once, or once for each project that is named.
func readHistory(ctx context.Context, client *dmf.Client, q ReconcileRequest, from time.Time) (rows []dmf.HistoryRow, truncated bool, err error) {
	projects := q.Projects
	if len(projects) == 0 {
		projects = []string{""}
	}
	for _, p := range projects {
		found, err := client.History(ctx, dmf.HistoryQuery{DefinitionGroup: dmf.DefinitionGroup(p), Since: from, Limit: q.MostRows})
		if err != nil {
			return nil, false, err
		}
		rows, truncated = append(rows, found.Rows...), truncated || found.Truncated
	}
	return rows, truncated, nil
}

// choose leaves out the runs of projects that are not ours to compare. The
// history does not tell an import from an export (Assumed: none of the set's
// published fields does), so an import is one of a project that nothing was
// ever exported from to here.
func (r *Relay) choose(ctx context.Context, q ReconcileRequest, res *Reconciliation, runs *[]pastRun, view ledgerView) error {
	named := q.Projects
	if len(named) == 0 {
		known, err := r.db.Projects(ctx, q.Environment)
		if err != nil {
			return err
		}
		named = known
		for _, p := range r.cfg.Projects {
			if p.Environment == q.Environment {
				named = append(named, string(p.Name))
			}
		}
	}
	compared := map[string]string{}
	for _, p := range named {
		compared[fold(p)] = p
	}
	if len(q.Projects) == 0 {
		for _, run := range *runs { // an event may name its execution and no project
			if len(view.byExecution(run.id)) > 0 && compared[fold(run.project)] == "" {
				compared[fold(run.project)] = run.project
			}
		}
	}
	left := map[string]int{}
	*runs = slices.DeleteFunc(*runs, func(run pastRun) bool {
		_, ours := compared[fold(run.project)]
		if !ours {
			left[run.project]++
		}
		return !ours
	})
	res.Projects = slices.Sorted(maps.Values(compared))
	for _, p := range slices.Sorted(maps.Keys(left)) {
		res.LeftOut = append(res.LeftOut, LeftOut{Project: p, Executions: left[p]})
	}
	return nil
}

func (res *Reconciliation) count(runs []pastRun) {
	res.Executions = len(runs)
	for _, run := range runs {
		res.Entities += len(run.entities)
		if run.timeless() {
			res.Timeless++
		}
		for _, e := range run.entities {
			if e.fate == fateExported && len(e.counts) == 0 {
				res.Uncounted++
			}
		}
	}
}

// fold is the form in which names and ids of FinOps are compared.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// entityKey is the form in which labels are compared: a file in a package has
// its label's name without the characters that Windows forbids.
func entityKey(label string) string { return fold(dmf.FileName(label, "")) }

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/flows"
)

func (a *app) reconcile() *cobra.Command {
	var q flows.ReconcileRequest
	var from string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "reconcile ENVIRONMENT",
		Short: "Compare FinOps' execution history with what has landed",
		Long: `reconcile reads FinOps' execution history, one row an entity and execution, and says
what FinOps exported and has not landed here, what landed twice, with another number
of rows, or from no rows, and which runs failed or still run.

A finding is certain when the execution's id decides, and likely when only entity and
time do. The history tells neither the company nor whether a run was an import:
compared are the data projects of which something ever came here, or those named with
--project; the others are listed as left out.

--fix touches what is certain and nothing else: an expired or parked shipment whose
rows are not here runs again with a fresh link, and the package of an execution of
which nothing came is asked for. It never starts an execution: an incremental one would
export other rows. FinOps keeps a package for 7 days.

It exits with 7 while something is open, with 4 or 5 when FinOps cannot be asked.`,
		Example: `  finrelay reconcile prod
  finrelay reconcile prod --from -36h --project "Nightly customers" --fix
  finrelay reconcile prod --output json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			q.Environment = args[0]
			since, err := parseFrom(from)
			if err != nil {
				return err
			}
			q.From = since
			return a.withLedger(c.Context(), func(s *session) error { return a.runReconcile(c.Context(), s, q, wait) })
		},
	}
	c.Flags().StringVar(&from, "from", "-7d", "compare runs since: an age (-7d, -36h), a date (2026-03-02) or a time (2026-03-02T09:15), in UTC")
	c.Flags().StringArrayVar(&q.Projects, "project", nil, "only this data project, known here or not; may be given more than once")
	c.Flags().BoolVar(&q.Fix, "fix", false, "set going what is certain to be missing; starts no execution")
	c.Flags().DurationVar(&wait, "wait", 0, "with --fix, wait up to this long for the results of a running server")
	a.addOutput(c)
	return c
}

// parseFrom reads "-7d", "-36h" or a time. The sign may be left out.
func parseFrom(s string) (time.Time, error) {
	if t, ok := parseTime(s); ok {
		return t, nil
	}
	d, err := config.ParseDuration(strings.TrimPrefix(s, "-"))
	if err != nil || d <= 0 {
		return time.Time{}, usage(fmt.Errorf("--from %q: give an age such as -7d or -36h, a date such as 2026-03-02, or a time such as 2026-03-02T09:15 (UTC)", s))
	}
	return time.Now().Add(-time.Duration(d)), nil
}

func (a *app) runReconcile(ctx context.Context, s *session, q flows.ReconcileRequest, wait time.Duration) error {
	res, err := s.Reconcile(ctx, q)
	if err != nil {
		return err
	}
	if err := a.print(res, func() error { return a.drawReconciliation(res) }); err != nil {
		return err
	}
	if err := a.finish(ctx, s, setGoing(res), wait); err != nil {
		return err
	}
	if res.Open > 0 {
		return &codedError{code: exitOpen}
	}
	return nil
}

// setGoing lists the shipments that a fix moved, in the form that finish
// waits for.
func setGoing(res flows.Reconciliation) []flows.Rerun {
	var all []flows.Rerun
	for _, f := range res.Findings {
		if f.Fix == nil || !f.Fix.Done || slices.ContainsFunc(all, func(r flows.Rerun) bool { return r.ID == f.Fix.Shipment }) {
			continue
		}
		all = append(all, flows.Rerun{ID: f.Fix.Shipment, Queued: true})
	}
	return all
}

func (a *app) drawReconciliation(res flows.Reconciliation) error {
	fmt.Fprintf(a.stdout, "%s since %s: executions: %d, entities in them: %d, data projects: %s\n", oneLine(res.Environment), showTime(res.From), res.Executions, res.Entities,
		oneLine(dash(joined(res.Projects))))
	for _, p := range res.LeftOut {
		fmt.Fprintf(a.stdout, "not compared: %q (executions: %d), of which nothing ever came here; --project compares it\n", oneLine(p.Project), p.Executions)
	}
	if res.Timeless > 0 {
		fmt.Fprintf(a.stdout, "executions without a time: %d; they are compared, and may be older than that\n", res.Timeless)
	}
	if res.Uncounted > 0 {
		fmt.Fprintf(a.stdout, "entities without a row count from FinOps: %d; their rows are not compared\n", res.Uncounted)
	}
	fmt.Fprintf(a.stdout, "open: %d\n", res.Open)
	quiet := map[string]int{} // runs without rows are many, and each says the same
	var names []string
	for _, f := range res.Findings {
		if f.Kind == flows.FindNoRows {
			name := fmt.Sprintf("%s  %s", oneLine(f.Project), oneLine(f.Entity))
			if quiet[name] == 0 {
				names = append(names, name)
			}
			quiet[name]++
			continue
		}
		a.drawFinding(f)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(a.stdout, "\nno rows  %s  (information; runs: %d)\n", name, quiet[name])
	}
	return nil
}

func (a *app) drawFinding(f flows.Finding) {
	fmt.Fprintf(a.stdout, "\n%s\n", oneLine(headline(f)))
	if f.ExecutionID != "" {
		fmt.Fprintf(a.stdout, "    execution %s, ended %s\n", oneLine(f.ExecutionID), showTime(f.Ended))
	}
	if len(f.Shipments) > 0 {
		fmt.Fprintf(a.stdout, "    shipment %s\n", joined(f.Shipments))
	}
	fmt.Fprintf(a.stdout, "    %s\n", oneLine(f.Cause))
	if f.Where != "" {
		fmt.Fprintf(a.stdout, "    rows are: %s%s\n", oneLine(f.Where), horizon(f.Horizon))
	}
	switch {
	case f.Fix != nil && f.Fix.Done:
		fmt.Fprintf(a.stdout, "    fixed: %s %s %s\n", f.Fix.Action, f.Fix.Shipment, oneLine(f.Fix.Note))
		return
	case f.Fix != nil:
		fmt.Fprintf(a.stdout, "    not fixed: %s\n", oneLine(f.Fix.Note))
	}
	if f.Next != "" {
		fmt.Fprintf(a.stdout, "    next: %s\n", oneLine(f.Next))
	}
}

// headline is what a finding is about and how sure it is.
func headline(f flows.Finding) string {
	sure := "certain"
	if !f.Certain {
		sure = "likely"
	}
	if f.Ambiguous {
		sure += ", ambiguous"
	}
	if f.Timeless {
		sure += ", no time"
	}
	if !f.Open {
		sure += ", information"
	}
	words := []string{strings.ReplaceAll(string(f.Kind), "_", " ")}
	for _, word := range []string{f.Project, f.Entity} {
		if word != "" {
			words = append(words, word)
		}
	}
	if f.Exported != nil && f.Kind != flows.FindFailed && f.Kind != flows.FindRunning {
		words = append(words, fmt.Sprintf("%d rows", *f.Exported))
	}
	return strings.Join(append(words, "("+sure+")"), "  ")
}

func horizon(h *flows.Horizon) string {
	switch {
	case h == nil || h.Gone:
		return ""
	case h.Soon:
		return ", only " + h.Left + " left"
	}
	return ", " + h.Left + " left"
}

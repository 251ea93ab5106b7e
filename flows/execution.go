package flows

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// Bounds of an execution.
//
// Observed: exports take from seconds to half an hour; a project without field
// mapping stays Executing for ever.
const (
	MaxExecutionAge = 6 * time.Hour    // then it is called stuck, unless its project says otherwise
	startGrace      = 2 * time.Minute  // FinOps says that it does not know an execution, until that was not started
	unknownGrace    = 30 * time.Minute // of a status Unknown
	linkGrace       = 10 * time.Minute // of an empty link after the end
	executors       = 2                // executions looked at at once
	leastAsked      = 5                // times that FinOps is asked at the least before its "not found" counts
	mostStarts      = 20               // attempts at a start that FinOps refuses though it may have happened
	mostErrorsKept  = 20               // of an execution's errors, in its story
)

// ExportRequest asks for runs of a data project, one for each company.
type ExportRequest struct {
	Environment   string   `json:"environment"`
	Project       string   `json:"project"`
	LegalEntities []string `json:"legal_entities,omitempty"` // none: FinOps' own choice
	LandPartial   bool     `json:"land_partial,omitempty"`   // a run that only partly succeeded lands; else it is parked
	By            string   `json:"by,omitempty"`
}

// Export stores the runs and gives their ids. They are started by Run, one
// after the other: FinOps cannot run one project twice at a time. Of a project
// that a flow names, environment and companies may be left out.
func (r *Relay) Export(ctx context.Context, q ExportRequest) ([]string, error) {
	if p, ok := r.projectNamed(q.Environment, q.Project); ok {
		q.Environment, q.Project = p.Environment, string(p.Name) // its spelling is the lock's
		q.LandPartial = q.LandPartial || p.LandPartial
		if len(q.LegalEntities) == 0 {
			q.LegalEntities = p.LegalEntities
		}
	}
	if q.Environment == "" {
		return nil, fmt.Errorf("no flow names project %q, or several do: say which environment to ask", q.Project)
	}
	if r.cfg.Environments[q.Environment].FinOps == nil {
		return nil, fmt.Errorf("environment %q has no url and sign_in: an export cannot be asked for", q.Environment)
	}
	wanted, err := r.wantedRuns(q)
	if err != nil {
		return nil, err
	}
	return r.db.RequestExecutions(ctx, wanted)
}

// projectNamed finds the project that flows name, in an environment or, with
// "", in the only one that has it.
func (r *Relay) projectNamed(environment, name string) (found Project, ok bool) {
	for _, p := range r.cfg.Projects {
		if !strings.EqualFold(string(p.Name), name) || environment != "" && p.Environment != environment {
			continue
		}
		if ok && p.Environment != found.Environment {
			return Project{}, false
		}
		found, ok = p, true
	}
	return found, ok
}

// executePool starts executions and asks how they stand.
func (r *Relay) executePool() pool {
	return pool{
		name:  "execute",
		slots: executors,
		next: func(ctx context.Context, _ int) (time.Time, error) {
			return r.db.NextExecution(ctx)
		},
		claim: jobs(r.db.ClaimExecutions, r.execute),
	}
}

// execute takes an execution one step on.
func (r *Relay) execute(ctx context.Context, x state.Execution) {
	log := r.log.With("execution", x.ID, keyEnvironment, x.Environment, "project", x.Project, keyLegalEntity, x.LegalEntity)
	var record func(context.Context) error
	client := r.cfg.Environments[x.Environment].FinOps
	switch {
	case client == nil:
		record = r.waitExecution(x, time.Minute, x.Status, state.ReasonSignIn, errNoSignIn.Error())
	case x.State == state.Starting:
		record = r.startExecution(ctx, client, x)
	default:
		record = r.followExecution(ctx, client, x)
	}
	r.record(ctx, log, record)
}

// startExecution asks FinOps to start, unless it may have been asked before:
// then its status is asked first, and never is a run started blindly twice.
func (r *Relay) startExecution(ctx context.Context, client *dmf.Client, x state.Execution) func(context.Context) error {
	if !x.CalledAt.IsZero() {
		_, err := client.ExecutionStatus(ctx, dmf.ExecutionID(x.ExecutionID))
		switch {
		case err == nil:
			return r.started(x, x.ExecutionID)
		case !errors.Is(err, dmf.ErrExecutionNotFound):
			return r.retryExecution(x, err)
		case !r.stays(x, "", startGrace):
			return r.doubtExecution(x, 10*time.Second, "", notKnownYet)
		}
	}
	if err := r.db.Calling(durably(ctx), x.ID); err != nil {
		return func(context.Context) error { return err }
	}
	r.cfg.Trace("call")
	id, err := client.ExportToPackage(ctx, dmf.ExportRequest{
		DefinitionGroup: dmf.DefinitionGroup(x.Project), ExecutionID: dmf.ExecutionID(x.ExecutionID), LegalEntity: dmf.LegalEntity(x.LegalEntity),
	})
	r.cfg.Trace("called")
	switch {
	case err == nil:
		return r.started(x, string(id))
	// After a call whose answer was lost, "not started" may be said of the second only.
	case errors.Is(err, dmf.ErrNotStarted) && (x.CalledAt.IsZero() || x.Attempts > mostStarts):
		return r.endExecution(x, state.Failed, "", state.ReasonNotStarted, err.Error())
	}
	return r.retryExecution(x, err)
}

const notKnownYet = "FinOps does not know the execution yet"

// stays says whether FinOps has given one answer, and no other, for a time.
// The count of attempts keeps a clock that jumps from being taken for time.
func (r *Relay) stays(x state.Execution, status string, grace time.Duration) bool {
	return !x.LinklessSince.IsZero() && x.Status == status && x.Attempts >= leastAsked && r.db.Now().Sub(x.LinklessSince) > grace
}

func (r *Relay) doubtExecution(x state.Execution, after time.Duration, status, detail string) func(context.Context) error {
	return func(ctx context.Context) error {
		return r.db.Linkless(ctx, x.ID, status, r.db.Now().Add(after), detail)
	}
}

func (r *Relay) started(x state.Execution, id string) func(context.Context) error {
	return func(ctx context.Context) error {
		return r.db.Started(ctx, x.ID, id, r.db.Now().Add(askAgain(0)))
	}
}

// followExecution asks how a running execution stands.
func (r *Relay) followExecution(ctx context.Context, client *dmf.Client, x state.Execution) func(context.Context) error {
	age := r.db.Now().Sub(x.CalledAt)
	id := dmf.ExecutionID(x.ExecutionID)
	status, err := client.ExecutionStatus(ctx, id)
	switch {
	case errors.Is(err, dmf.ErrExecutionNotFound) && !r.stays(x, "", startGrace):
		return r.doubtExecution(x, askAgain(age), "", notKnownYet)
	case errors.Is(err, dmf.ErrExecutionNotFound):
		return r.endExecution(x, state.Failed, "", state.ReasonNotStarted, err.Error())
	case err != nil:
		return r.retryExecution(x, err)
	case status.HasPackage():
		return r.takePackage(ctx, client, x, status)
	case status.Final():
		return r.endExecution(x, state.Failed, string(status), state.ReasonExecution, "FinOps says "+string(status)+r.executionErrors(ctx, client, id))
	case status == dmf.StatusUnknown && !r.stays(x, string(status), unknownGrace):
		return r.doubtExecution(x, askAgain(age), string(status), "")
	case status == dmf.StatusUnknown:
		return r.endExecution(x, state.Failed, string(status), state.ReasonExecution, "FinOps has said Unknown for "+unknownGrace.String())
	case age > r.maxAge(x.Environment, x.Project):
		return r.endExecution(x, state.Stuck, string(status), state.ReasonStuck, fmt.Sprintf("FinOps has said %s for %s", status, age.Round(time.Minute)))
	}
	return r.waitExecution(x, askAgain(age), string(status), "", "")
}

// maxAge is after what time a run of a data project is called stuck.
func (r *Relay) maxAge(environment, project string) time.Duration {
	if p, ok := r.projectNamed(environment, project); ok && p.MaxAge > 0 {
		return p.MaxAge
	}
	return MaxExecutionAge
}

// takePackage fetches the link to the package, which can be empty for a while
// after the end, and hands the package to the fetch pool.
func (r *Relay) takePackage(ctx context.Context, client *dmf.Client, x state.Execution, status dmf.Status) func(context.Context) error {
	link, err := client.ExportedPackageURL(ctx, dmf.ExecutionID(x.ExecutionID))
	if err != nil {
		return r.retryExecution(x, err)
	}
	if link == "" {
		now := r.db.Now()
		if r.stays(x, string(status), linkGrace) {
			return r.endExecution(x, state.Failed, string(status), state.ReasonExecution,
				"FinOps has ended the execution and has given no link to its package for "+linkGrace.String())
		}
		again := askAgain(0)
		if !x.LinklessSince.IsZero() {
			again = askAgain(now.Sub(x.LinklessSince))
		}
		return r.doubtExecution(x, again, string(status), "no link to the package yet")
	}
	p := state.NewPackage{Status: string(status), Link: link, LinkPath: linkPath(link)}
	if info, err := fetch.ParseLink(link); err == nil {
		p.Deadline = info.Expiry
	}
	if status == dmf.StatusPartiallySucceeded {
		p.Notes, p.Park = "FinOps says PartiallySucceeded"+r.executionErrors(ctx, client, dmf.ExecutionID(x.ExecutionID)), x.ParkPartial
	}
	return func(ctx context.Context) error {
		_, err := r.db.Executed(ctx, x.ID, p)
		return err
	}
}

// executionErrors gives what FinOps tells of an execution's errors, as text
// that follows a sentence.
func (r *Relay) executionErrors(ctx context.Context, client *dmf.Client, id dmf.ExecutionID) string {
	errs, err := client.ExecutionErrors(ctx, id)
	if err != nil {
		return fmt.Sprintf("; its errors could not be read (%v)", err)
	}
	var b strings.Builder
	for i, e := range errs.Items {
		if i == mostErrorsKept {
			fmt.Fprintf(&b, "\n… and %d more", len(errs.Items)-i)
			break
		}
		fmt.Fprintf(&b, "\n%s", strings.TrimSpace(strings.Join([]string{e.RecordID, e.Field, e.Message}, " ")))
	}
	return clip(b.String())
}

func (r *Relay) waitExecution(x state.Execution, after time.Duration, status string, reason state.Reason, detail string) func(context.Context) error {
	return func(ctx context.Context) error {
		return r.db.WaitExecution(ctx, x.ID, status, r.db.Now().Add(after), reason, clip(detail))
	}
}

func (r *Relay) endExecution(x state.Execution, to state.State, status string, reason state.Reason, detail string) func(context.Context) error {
	return func(ctx context.Context) error {
		return r.db.EndExecution(ctx, x.ID, to, status, reason, clip(detail))
	}
}

// retryExecution decides about an error: what FinOps refuses for good ends the
// execution, everything else is tried again.
func (r *Relay) retryExecution(x state.Execution, err error) func(context.Context) error {
	after := backoff(x.Attempts, rand.Float64())
	refusal, signIn := errors.AsType[*dmf.SignInError](err)
	if api, ok := errors.AsType[*dmf.APIError](err); ok {
		// Of an execution that FinOps was asked to start before, a refusal may
		// only mean that it is there: its status tells, sooner or later.
		first := x.CalledAt.IsZero() || x.Attempts > mostStarts
		if first && !signIn && !api.Temporary() && !errors.Is(err, dmf.ErrMaybeDone) && x.State == state.Starting {
			return r.endExecution(x, state.Failed, "", state.ReasonNotStarted, err.Error())
		}
		after = max(after, min(api.RetryAfter, longestHint))
	}
	var reason state.Reason
	if signIn && !refusal.Temporary() {
		reason = state.ReasonSignIn // tried on, since a person mends it, but nobody need wait for that
	}
	return r.waitExecution(x, after, x.Status, reason, err.Error())
}

// askAgain grows with the age of an execution: FinOps' users share the server.
//
// Source: Microsoft's sample asks every 5 seconds; large exports are asked
// about every minute.
func askAgain(age time.Duration) time.Duration {
	switch {
	case age < time.Minute:
		return 5 * time.Second
	case age < 10*time.Minute:
		return 15 * time.Second
	}
	return time.Minute
}

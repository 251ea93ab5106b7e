package flows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// renewers is how many fresh links are asked for at once.
const renewers = 2

// emptyLinkTries is how often an empty answer is taken for "not ready yet".
//
// Observed: microsoft/Recurring-Integrations-Scheduler polls the URL until it
// is not empty, which took seconds.
const emptyLinkTries = 4

// renewPool looks for the rows of what expired, one rung after the other: a
// fresh link to the execution's package (renew.go), the flow's queue
// (renew_queue.go), a full run of its data project if the flow allows that
// (renew_run.go). Each rung's outcome stands in the shipment's story; what none
// of them finds is a person's.
func (r *Relay) renewPool() pool {
	return pool{
		name:  "renew",
		slots: renewers,
		next: func(ctx context.Context, _ int) (time.Time, error) {
			return r.db.NextRenewal(ctx)
		},
		claim: jobs(r.claimRenewals, r.renew),
	}
}

func (r *Relay) renew(ctx context.Context, s state.Shipment) {
	log := r.log.With(keyShipment, s.ID, keyEnvironment, s.Environment, keyEntity, s.Entity, "rung", s.Rung)
	end := r.keepClaim(ctx, s.ID, keepEvery)
	var step func(context.Context) error
	switch s.Rung {
	case state.RungQueue:
		step = r.lookInQueue(ctx, log, s)
	case state.RungRun:
		step = r.awaitRun(ctx, log, s)
	default:
		step = r.askForLink(ctx, log, s)
	}
	end()
	r.record(ctx, log, step)
}

// askForLink is the first rung.
func (r *Relay) askForLink(ctx context.Context, log *slog.Logger, s state.Shipment) func(context.Context) error {
	link, err := r.freshLink(ctx, s)
	if err == nil {
		log.Info("fresh link", "link", link.LinkPath)
		return func(ctx context.Context) error {
			r.cfg.Trace("renewed")
			return r.db.Renewed(ctx, s.ID, link, "FinOps gave a fresh link to the package of execution "+cmp.Or(s.ExecutionID, link.ExecutionID))
		}
	}
	log.Warn("no fresh link", keyError, err)
	due, detail := r.renewAgain(ctx, s, err)
	if due.IsZero() {
		return r.nextRung(s, state.RungQueue, detail)
	}
	return func(ctx context.Context) error { return r.db.WaitRenewal(ctx, s, due, detail) }
}

// nextRung goes on with the rung, or with the first after it that there is.
func (r *Relay) nextRung(s state.Shipment, rung state.Rung, detail string) func(context.Context) error {
	if rung == state.RungQueue {
		if len(r.queuesFor(s)) > 0 {
			return func(ctx context.Context) error { return r.db.NextRung(ctx, s, rung, detail) }
		}
		detail = join(detail, "no queue is polled for this entity")
	}
	p, why := r.projectFor(s)
	if why == "" {
		return func(ctx context.Context) error { return r.supersede(ctx, s, p, detail) }
	}
	return func(ctx context.Context) error { return r.db.WaitRenewal(ctx, s, time.Time{}, join(detail, why)) }
}

// Why a fresh link is not to be had, and asking again would not help.
var (
	errNoSignIn    = errors.New("the environment has no url and sign_in, so FinOps cannot be asked for a fresh link")
	errNoPackage   = errors.New("FinOps gives no link to the package of this execution; it keeps one for 7 days, and only of exports through the package API")
	errNoExecution = errors.New("the event names no execution, and none of the execution history has this blob as its package")
	errNoEntity    = errors.New("the event names no entity, so what to take from the execution's package is not known")
)

// errNotYet: the link is empty so far.
var errNotYet = errors.New("FinOps has no link to the package yet")

func (r *Relay) freshLink(ctx context.Context, s state.Shipment) (state.FreshLink, error) {
	client := r.cfg.Environments[s.Environment].FinOps
	switch {
	case client == nil:
		return state.FreshLink{}, errNoSignIn
	case s.Source == "event" && s.Entity == "":
		return state.FreshLink{}, errNoEntity
	}
	r.cfg.Trace("renew")
	if s.ExecutionID == "" {
		return r.linkOfBlob(ctx, client, s)
	}
	raw, err := client.ExportedPackageURL(ctx, dmf.ExecutionID(s.ExecutionID))
	switch {
	case err != nil:
		return state.FreshLink{}, err
	case raw == "" && s.Renewals >= emptyLinkTries:
		return state.FreshLink{}, errNoPackage
	case raw == "":
		return state.FreshLink{}, errNotYet
	}
	return freshLink(raw, ""), nil
}

// freshLink is FinOps' answer as the ledger takes it.
func freshLink(raw, executionID string) state.FreshLink {
	fresh := state.FreshLink{Link: raw, LinkPath: linkPath(raw), Package: true, ExecutionID: executionID}
	if info, err := fetch.ParseLink(raw); err == nil {
		fresh.Deadline = info.Expiry
	}
	return fresh
}

// Bounds of the search for an execution by its blob.
const (
	historyBefore  = 24 * time.Hour   // how long before the event its execution may have begun
	historyAfter   = 10 * time.Minute // clocks differ
	mostCandidates = 10               // executions whose link is asked for
)

// linkOfBlob finds the execution in FinOps' history whose package is the very
// blob that the dead link leads to. Only that makes the match certain: two runs
// of a project within a day differ in nothing else that both tell.
func (r *Relay) linkOfBlob(ctx context.Context, client *dmf.Client, s state.Shipment) (state.FreshLink, error) {
	found, err := client.History(ctx, dmf.HistoryQuery{DefinitionGroup: dmf.DefinitionGroup(s.DefinitionGroup), Since: s.Order.At.Add(-historyBefore)})
	if err != nil {
		return state.FreshLink{}, err
	}
	var asked []string
	for _, row := range slices.Backward(found.Rows) {
		if row.JobID == "" || slices.Contains(asked, row.JobID) || !strings.EqualFold(row.Entity, s.Entity) || row.Started.After(s.Order.At.Add(historyAfter)) {
			continue
		}
		if len(asked) == mostCandidates {
			break
		}
		asked = append(asked, row.JobID)
		raw, err := client.ExportedPackageURL(ctx, dmf.ExecutionID(row.JobID))
		api, isAPI := errors.AsType[*dmf.APIError](err)
		if err != nil && !(isAPI && !api.Temporary()) {
			return state.FreshLink{}, err
		}
		if raw != "" && linkPath(raw) == s.LinkPath {
			return freshLink(raw, row.JobID), nil
		}
	}
	return state.FreshLink{}, errNoExecution
}

// renewAgain says when to ask again, or with the zero time that it is no use,
// and what the story shall say.
func (r *Relay) renewAgain(ctx context.Context, s state.Shipment, err error) (due time.Time, detail string) {
	now := r.db.Now()
	detail = clip(err.Error())
	if context.Cause(ctx) != nil {
		return now, "finrelay was stopped while it asked"
	}
	switch {
	case errors.Is(err, errNoSignIn), errors.Is(err, errNoPackage), errors.Is(err, errNoExecution), errors.Is(err, errNoEntity),
		errors.Is(err, dmf.ErrExecutionNotFound):
		return time.Time{}, detail
	case s.Renewals >= state.MaxRenewals && errors.Is(err, errNotYet), now.After(s.Order.At.Add(BlobLife)):
		return time.Time{}, fmt.Sprintf("%s; given up after %d tries", detail, s.Renewals)
	}
	after := backoff(s.Renewals, rand.Float64())
	api, ok := errors.AsType[*dmf.APIError](err)
	if ok && !api.Temporary() {
		return time.Time{}, detail
	}
	if ok {
		after = max(after, min(api.RetryAfter, longestHint))
	}
	return now.Add(after), detail
}

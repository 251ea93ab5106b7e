package flows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// How often things are looked at while a flow is silent.
const (
	silentPoll  = 5 * time.Minute  // its queue, instead of at its schedule
	silenceLook = 15 * time.Minute // FinOps' history
)

// CadenceStands is how a flow in one environment stands with its cadence.
type CadenceStands struct {
	state.Cadence
	Every string    `json:"every"`  // as configured
	DueAt time.Time `json:"due_at"` // of the next export, grace not counted
	// Missing are entities of the flow that came at its rhythm and did not when
	// the others last did.
	Missing []state.Missing `json:"missing,omitempty"`
}

// Cadences gives how each flow with a cadence stands in each environment that
// it takes exports from.
func (r *Relay) Cadences(ctx context.Context) ([]CadenceStands, error) {
	var all []CadenceStands
	for _, w := range r.watched() {
		c, err := r.db.Cadence(ctx, w.flow.Name, w.environment)
		if errors.Is(err, state.ErrNotFound) {
			continue // no server has run with it yet
		}
		if err != nil {
			return nil, err
		}
		missing, err := r.db.Missing(ctx, w.flow.Name, w.environment)
		if err != nil {
			return nil, err
		}
		missing = slices.DeleteFunc(missing, func(m state.Missing) bool { return m.State != state.Late })
		all = append(all, CadenceStands{Cadence: c, Every: w.flow.Cadence.String(), DueAt: w.flow.Cadence.Due(c.Since()), Missing: missing})
	}
	return all, nil
}

// watch is a flow in an environment, of which exports are expected.
type watch struct {
	flow        *Flow
	environment string
}

func (r *Relay) watched() []watch {
	var all []watch
	for i := range r.cfg.Flows {
		f := &r.cfg.Flows[i]
		if f.Cadence == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(r.cfg.Environments)) {
			if fits(r.expectedFrom(f), name) {
				all = append(all, watch{flow: f, environment: name})
			}
		}
	}
	return all
}

// expectedFrom names the environments that a flow's exports are expected from:
// those it is for, else those of its queues and data projects, else all.
func (r *Relay) expectedFrom(f *Flow) []string {
	if len(f.Environments) > 0 {
		return f.Environments
	}
	var names []string
	for _, q := range r.cfg.Queues {
		asked := len(f.Queues) > 0 && f.fitsQueue(Subject{Queue: string(q.Activity), Polled: q.Flow})
		if q.Flow == f.Name || asked {
			names = append(names, q.Environment)
		}
	}
	for _, p := range r.cfg.Projects {
		if p.Flow == f.Name {
			names = append(names, p.Environment)
		}
	}
	return names
}

// askers is how many questions about silent flows are put to FinOps' history at
// once: after a night without network all flows are silent together.
const askers = 4

// keepWatch looks for flows that are silent until ctx ends. Each has a goroutine
// of its own: the drain of one flow's queue can take hours, and another flow is
// late meanwhile. What they do at once is bounded elsewhere: a queue is drained
// once at a time, and FinOps' history is asked by no more than askers.
func (r *Relay) keepWatch(ctx, work context.Context) {
	var all sync.WaitGroup
	for _, w := range r.watched() {
		all.Go(func() { r.keepWatching(ctx, work, w) })
	}
	all.Wait()
}

// keepWatching looks at one flow.
func (r *Relay) keepWatching(ctx, work context.Context, w watch) {
	log := r.log.With(keyFlow, w.flow.Name, keyEnvironment, w.environment)
	for {
		next, err := r.watchOnce(ctx, work, w)
		now := r.db.Now()
		if err != nil {
			if ctx.Err() == nil {
				log.Error("ledger", keyError, err)
			}
			next = now
		}
		if soon, late := now.Add(firstWait), now.Add(time.Hour); next.Before(soon) {
			next = soon
		} else if next.After(late) {
			next = late
		}
		if !r.sleepUntil(ctx, next) {
			return
		}
	}
}

// watchOnce looks into a flow's silence if it is time to, and says when to look
// again.
func (r *Relay) watchOnce(ctx, work context.Context, w watch) (next time.Time, err error) {
	if err := r.db.Watch(ctx, w.flow.Name, w.environment); err != nil {
		return next, err
	}
	due, err := r.lookDue(ctx, w)
	if err != nil {
		return due, err
	}
	soon := r.db.Now().Add(time.Minute) // when it could not be looked into
	if due.After(r.db.Now()) {
		// Others of the flow came, so that each entity can be looked at by itself.
		next := soon
		r.lookStopping(ctx, work, w, func(ctx context.Context) (err error) {
			next, err = r.lookEntities(ctx, w)
			return err
		})
		return earlier(due, next), nil
	}
	r.lookStopping(ctx, work, w, func(ctx context.Context) error { return r.look(ctx, w) })
	if due, err = r.lookDue(ctx, w); due.Before(soon) {
		due = soon
	}
	return due, err
}

// lookDue is when a flow is overdue, or has to be looked at again because it is.
func (r *Relay) lookDue(ctx context.Context, w watch) (time.Time, error) {
	c, err := r.db.Cadence(ctx, w.flow.Name, w.environment)
	if err != nil {
		return time.Time{}, err
	}
	if now := r.db.Now(); c.HeardAt.After(now.Add(clockSetBack)) || c.LookedAt.After(now.Add(clockSetBack)) {
		c = state.Cadence{HeardAt: now} // the clock was set back: it begins anew
		if err := r.db.Heard(ctx, w.flow.Name, w.environment); err != nil {
			return now, err
		}
	}
	due := w.flow.Cadence.Due(c.Since()).Add(w.flow.Cadence.Grace)
	if again := c.LookedAt.Add(silenceLook); again.After(due) && !c.LookedAt.IsZero() {
		return again, nil
	}
	return due, nil
}

// lookStopping looks until ctx ends, and lets what it has begun end with work.
func (r *Relay) lookStopping(ctx, work context.Context, w watch, look func(context.Context) error) {
	looking, cancel := context.WithCancelCause(work)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(ErrStopping) })()
	if err := look(looking); err != nil && context.Cause(looking) == nil {
		r.log.Error("silence not looked into", keyFlow, w.flow.Name, keyEnvironment, w.environment, keyError, err)
	}
}

// look asks FinOps about a flow that is overdue, before anybody is alarmed: its
// queue is drained, and if nothing comes of it the execution history is read.
func (r *Relay) look(ctx context.Context, w watch) error {
	before, err := r.db.Cadence(ctx, w.flow.Name, w.environment)
	if err != nil {
		return err
	}
	drained, err := r.drainQueues(ctx, w)
	if err != nil {
		return err
	}
	now, err := r.db.Cadence(ctx, w.flow.Name, w.environment)
	if err != nil || !now.HeardAt.Equal(before.HeardAt) {
		return err // the queue had it
	}
	s, err := r.explain(ctx, w, before)
	if err != nil {
		return err
	}
	s.Flow, s.Environment, s.HeardAt = w.flow.Name, w.environment, before.HeardAt
	s.Detail = join(s.Detail, drained)
	if context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	if s.To == state.Late && (before.State != state.Late || before.Detail != s.Detail) {
		r.log.Warn("flow is late", keyFlow, s.Flow, keyEnvironment, s.Environment, keyReason, s.Detail)
	}
	return r.db.Silent(durably(ctx), s)
}

// explain asks FinOps' history why nothing came.
func (r *Relay) explain(ctx context.Context, w watch, c state.Cadence) (state.Silence, error) {
	since := c.Since()
	client := r.cfg.Environments[w.environment].FinOps
	if client == nil {
		return state.Silence{To: state.Late, Detail: "nothing since " + stamp(since) + "; the environment has no sign_in, so FinOps' history cannot say why"}, nil
	}
	found, err := r.askHistory(ctx, client, dmf.HistoryQuery{DefinitionGroup: r.projectName(w), Since: since.Add(-historyBefore)})
	if err != nil {
		return state.Silence{To: state.Late, Detail: "nothing since " + stamp(since) + "; FinOps' history could not be read: " + clip(err.Error())}, nil
	}
	runs := pastRuns(found.Rows)
	whose, err := r.claimsOf(ctx, w, runs, since, func(e pastEntity) bool {
		return r.projectName(w) != "" || w.flow.fitsEntity(Subject{Entity: e.label})
	})
	if err != nil {
		return state.Silence{}, err
	}
	maxAge := func(run pastRun) time.Duration { return r.maxAge(w.environment, run.project) }
	s, sure := explainSilence(runs, whose.of, maxAge, since, r.db.Now())
	if !sure { // nothing came of the flow at all, whichever company that run was of
		s.ExplainedAt = time.Time{}
	}
	if due := w.flow.Cadence.Due(s.ExplainedAt).Add(w.flow.Cadence.Grace); !s.ExplainedAt.IsZero() && !due.After(r.db.Now()) {
		s = state.Silence{To: state.Late, Detail: s.Detail + ", and FinOps has run nothing of it since: " + whyNoRun}
	}
	return s, nil
}

// askHistory waits for its turn.
func (r *Relay) askHistory(ctx context.Context, client *dmf.Client, q dmf.HistoryQuery) (dmf.HistoryResult, error) {
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
		return client.History(ctx, q)
	case <-ctx.Done():
		return dmf.HistoryResult{}, context.Cause(ctx)
	}
}

const whyNoRun = "is its batch job on hold, or its recurring job switched off?"

// projectName is the data project that a flow's rows are known to come from; ""
// when it is not known.
func (r *Relay) projectName(w watch) dmf.DefinitionGroup {
	for _, p := range r.cfg.Projects {
		if p.Flow == w.flow.Name && p.Environment == w.environment {
			return p.Name
		}
	}
	return ""
}

func rowsText(e pastEntity) string {
	if n := e.rows(); n != nil {
		return fmt.Sprintf("%d rows ", *n)
	}
	return ""
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "a time not told"
	}
	return t.UTC().Format("2006-01-02 15:04 MST")
}

// silent says whether the exports of a queue's flow are overdue, grace not
// counted.
func (r *Relay) silent(ctx context.Context, q Queue) bool {
	f := r.flows[q.Flow]
	if f == nil || f.Cadence == nil {
		return false
	}
	c, err := r.db.Cadence(ctx, q.Flow, q.Environment)
	return err == nil && (c.State == state.Late || f.Cadence.Due(c.Since()).Before(r.db.Now()))
}

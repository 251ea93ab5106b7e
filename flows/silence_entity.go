package flows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// missingLife is how long an entity that does not come is named. Longer than
// any holiday; what has not come since is not exported any more.
const missingLife = 30 * 24 * time.Hour

// lookEntities looks for entities of a flow that do not come while others do,
// and says when to look again. Expected is what has kept the flow's cadence by
// itself (see cadence.Regular), named in the flow or not: an entity that has
// changes now and then only is not missed.
//
// Nothing is said without FinOps' history, which alone tells an entity of no
// changes from one that was lost.
func (r *Relay) lookEntities(ctx context.Context, w watch) (next time.Time, err error) {
	now := r.db.Now()
	next = now.Add(time.Hour)
	client := r.cfg.Environments[w.environment].FinOps
	if client == nil {
		return next, nil
	}
	known, err := r.missingNow(ctx, w)
	if err != nil {
		return next, err
	}
	overdue, due, err := r.overdueEntities(ctx, w, known)
	if err != nil || len(overdue) == 0 {
		return earlier(next, due), err
	}
	if _, err := r.drainQueues(ctx, w); err != nil {
		return next, err
	}
	if overdue, due, err = r.overdueEntities(ctx, w, known); err != nil || len(overdue) == 0 {
		return earlier(next, due), err // the queue had them
	}
	first := slices.MinFunc(overdue, func(a, b state.Missing) int { return a.HeardAt.Compare(b.HeardAt) })
	found, err := r.askHistory(ctx, client, dmf.HistoryQuery{DefinitionGroup: r.projectName(w), Since: first.HeardAt.Add(-historyBefore)})
	if err != nil {
		r.log.Warn("entities not looked into", keyFlow, w.flow.Name, keyEnvironment, w.environment, keyError, err)
		return now.Add(silenceLook), context.Cause(ctx)
	}
	runs := pastRuns(found.Rows)
	for _, m := range overdue {
		if err := r.judgeEntity(ctx, w, runs, m, known[fold(m.Entity)]); err != nil {
			return next, err
		}
	}
	return earlier(now.Add(silenceLook), due), nil
}

// missingNow gives what is known of a flow's entities, without those that are
// not expected any more.
func (r *Relay) missingNow(ctx context.Context, w watch) (map[string]state.Missing, error) {
	all, err := r.db.Missing(ctx, w.flow.Name, w.environment)
	known := map[string]state.Missing{}
	for _, m := range all {
		why := ""
		switch {
		case !w.flow.fitsEntity(Subject{Entity: m.Entity}) && len(w.flow.TargetEntities) == 0:
			why = "the flow does not take it any more"
		case r.db.Now().Sub(m.HeardAt) > missingLife:
			why = "it has not come for 30 days"
		}
		if why != "" {
			if err := r.db.NotExpected(ctx, m, why); err != nil {
				return nil, err
			}
			continue
		}
		known[fold(m.Entity)] = m
	}
	return known, err
}

// overdueEntities gives the expected entities that FinOps is to be asked about
// now, and when the next of the others is due.
func (r *Relay) overdueEntities(ctx context.Context, w watch, known map[string]state.Missing) (overdue []state.Missing, due time.Time, err error) {
	now, c := r.db.Now(), w.flow.Cadence
	due = now.Add(time.Hour)
	arrivals, err := r.db.Arrivals(ctx, w.flow.Name, w.environment, now.Add(-c.Memory(now)))
	if err != nil {
		return nil, due, err
	}
	times, names := map[string][]time.Time{}, map[string]string{}
	for _, a := range arrivals {
		key := fold(a.Entity)
		times[key], names[key] = append(times[key], a.At), a.Entity
	}
	for key := range known {
		names[key] = known[key].Entity // named on, when what it was learned from is long past
	}
	for key, name := range names {
		last, regular := c.Regular(times[key])
		before, asked := known[key]
		if !regular && !asked {
			continue
		}
		if last.Before(before.HeardAt) {
			last = before.HeardAt
		}
		if now.Sub(last) > missingLife {
			continue // forgotten, though what it was learned from is still in memory
		}
		since := last
		if since.Before(before.ExplainedAt) {
			since = before.ExplainedAt
		}
		at := c.Due(since).Add(c.Grace)
		if again := before.LookedAt.Add(silenceLook); asked && again.After(at) {
			at = again
		}
		if at.After(now) {
			due = earlier(due, at)
			continue
		}
		overdue = append(overdue, state.Missing{
			Flow: w.flow.Name, Environment: w.environment, Entity: name, HeardAt: last, ExplainedAt: before.ExplainedAt,
		})
	}
	return overdue, due, nil
}

// judgeEntity asks what FinOps did of one entity since it was last heard of.
func (r *Relay) judgeEntity(ctx context.Context, w watch, runs []pastRun, m, before state.Missing) error {
	if coming, err := r.onItsWay(ctx, m); err != nil || coming {
		return err
	}
	since := m.HeardAt
	if since.Before(m.ExplainedAt) {
		since = m.ExplainedAt
	}
	whose, err := r.claimsOf(ctx, w, runs, since, func(e pastEntity) bool { return strings.EqualFold(e.label, m.Entity) })
	if err != nil {
		return err
	}
	maxAge := func(run pastRun) time.Duration { return r.maxAge(w.environment, run.project) }
	s, sure := explainSilence(runs, whose.of, maxAge, since, r.db.Now())
	if !sure { // others of the flow come: nothing says that this one should have
		s.To = state.Quiet
	}
	m.State, m.ExplainedAt = s.To, s.ExplainedAt
	m.Detail = strings.Replace(s.Detail, whyNoRun, "was it taken out of the data project, or disabled there?", 1)
	if m.State == state.Late && (before.State != state.Late || before.Detail != m.Detail) {
		r.log.Warn("entity of a flow is missing", keyFlow, m.Flow, keyEnvironment, m.Environment, keyEntity, m.Entity, keyReason, m.Detail)
	}
	return r.db.EntityMissing(durably(ctx), m)
}

// onItsWay says whether something of the entity has come that is not opened yet:
// it is downloaded, or on the list with a reason of its own.
func (r *Relay) onItsWay(ctx context.Context, m state.Missing) (bool, error) {
	all, err := r.db.Shipments(ctx, state.Filter{Environment: m.Environment, Entity: m.Entity, Since: m.HeardAt, Limit: -1})
	return slices.ContainsFunc(all, func(s state.Shipment) bool { return s.OpenedAt.IsZero() && s.State != state.Settled }), err
}

// drainQueues drains the queues of a watched flow, and says what was in the way.
func (r *Relay) drainQueues(ctx context.Context, w watch) (problem string, err error) {
	for _, q := range r.cfg.Queues {
		if q.Flow != w.flow.Name || q.Environment != w.environment {
			continue
		}
		if _, err := r.Poll(ctx, q); err != nil && !errors.Is(err, ErrPolling) {
			if context.Cause(ctx) != nil {
				return "", context.Cause(ctx)
			}
			problem = "its queue cannot be drained: " + clip(err.Error())
		}
	}
	return problem, nil
}

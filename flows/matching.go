package flows

import (
	"context"
	"slices"

	"finrelay/state"
)

// matching gives the ids of all that a filter finds, newest first of each kind:
// what a person's verbs take instead of ids. Without states the filter finds
// what stands so.
func (r *Relay) matching(ctx context.Context, f state.Filter, unlessSaid ...state.State) (ids []string, err error) {
	if len(f.States) == 0 {
		f.States = unlessSaid
	}
	f.Limit = -1
	if slices.Contains(f.States, state.Unreadable) {
		events, err := r.db.Events(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if e.State == state.Unreadable {
				ids = append(ids, e.ID)
			}
		}
	}
	shipments, err := r.db.Shipments(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, s := range shipments {
		// Exports of a settled one are asked for by their own state; of an expired
		// one for which a fresh link is on its way nothing stands still.
		if s.State != state.Settled && s.RenewAt.IsZero() {
			ids = append(ids, s.ID)
		}
	}
	exports, err := r.db.Exports(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, e := range exports {
		ids = append(ids, e.ID)
	}
	if f.Entity != "" || !slices.Contains(f.States, state.Failed) && !slices.Contains(f.States, state.Stuck) {
		return ids, nil // a run is of a project, and has no entity
	}
	runs, err := r.db.Executions(ctx, f)
	for _, x := range runs {
		ids = append(ids, x.ID)
	}
	return ids, err
}

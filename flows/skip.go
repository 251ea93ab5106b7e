package flows

import (
	"context"
	"errors"
	"fmt"

	"finrelay/state"
)

// Skipping is what a person's wish to take something off the list came to.
type Skipping struct {
	ID      string       `json:"id"`
	Entity  string       `json:"entity,omitempty"` // of a run its project
	Was     state.State  `json:"was"`
	Reason  state.Reason `json:"reason,omitempty"`
	Skipped bool         `json:"skipped"` // or, in a dry run, would be
	Refusal string       `json:"refusal,omitempty"`
}

// Skip takes what stands still off the list, because a person says that its
// rows are not needed or came another way. It returns the whole id.
func (r *Relay) Skip(ctx context.Context, start, by, why string) (string, error) {
	id, err := r.db.Find(ctx, start)
	if err != nil {
		return "", err
	}
	return id, r.db.Skip(ctx, id, by, why)
}

// SkipIDs is Skip for many. A dry run says what would be skipped and changes
// nothing. The error is about the ledger; what cannot be skipped is a Skipping
// with a Refusal.
func (r *Relay) SkipIDs(ctx context.Context, ids []string, dry bool, by, why string) ([]Skipping, error) {
	var all []Skipping
	for _, start := range ids {
		one, err := r.skipOne(ctx, start, dry, by, why)
		if err != nil {
			return all, fmt.Errorf("skip %s: %w", start, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// SkipMatching skips all that a filter finds. Without states it takes what
// stands still, failed and stuck runs too.
func (r *Relay) SkipMatching(ctx context.Context, f state.Filter, dry bool, by, why string) ([]Skipping, error) {
	ids, err := r.matching(ctx, f, state.Parked, state.Expired, state.Unreadable, state.Failed, state.Stuck)
	if err != nil {
		return nil, err
	}
	return r.SkipIDs(ctx, ids, dry, by, why)
}

func (r *Relay) skipOne(ctx context.Context, start string, dry bool, by, why string) (Skipping, error) {
	id, err := r.db.Find(ctx, start)
	if errors.Is(err, state.ErrNotFound) {
		return Skipping{ID: start, Refusal: err.Error()}, nil
	}
	if err != nil {
		return Skipping{}, err
	}
	res, err := r.skippable(ctx, id)
	if err != nil {
		return res, err
	}
	if err = state.MaySkip(id, res.Was); err == nil && !dry {
		err = r.db.Skip(ctx, id, by, why)
	}
	if refused, ok := errors.AsType[*state.TransitionError](err); ok {
		res.Refusal = refused.Error()
		return res, nil
	}
	res.Skipped = err == nil
	return res, err
}

// skippable tells how a thing stands before it is skipped.
func (r *Relay) skippable(ctx context.Context, id string) (Skipping, error) {
	switch state.KindOf(id) {
	case state.KindExport:
		e, err := r.db.Export(ctx, id)
		return Skipping{ID: id, Entity: e.Entity, Was: e.State, Reason: e.Reason}, err
	case state.KindShipment:
		s, err := r.db.Shipment(ctx, id)
		return Skipping{ID: id, Entity: s.Entity, Was: s.State, Reason: s.Reason}, err
	case state.KindExecution:
		x, err := r.db.Execution(ctx, id)
		return Skipping{ID: id, Entity: x.Project, Was: x.State, Reason: x.Reason}, err
	}
	e, err := r.db.Event(ctx, id)
	return Skipping{ID: id, Entity: e.Entity, Was: e.State, Reason: e.Reason}, err
}

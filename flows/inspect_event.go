package flows

import (
	"context"
	"errors"
	"fmt"

	"finrelay/state"
)

// InspectEvent is Inspect of what the ledger keeps of an event; the start of its
// id is enough. Of one that could not be read that is the body as it came, else
// the event's own part of it without signatures. It returns state.ErrNotFound
// for an event that is not there, or whose body is not kept any more.
func (r *Relay) InspectEvent(ctx context.Context, start string) (state.Event, []Inspection, error) {
	id, err := r.db.Find(ctx, start)
	if err != nil {
		return state.Event{}, nil, err
	}
	e, err := r.db.Event(ctx, id)
	if err != nil {
		return e, nil, err
	}
	body, err := r.db.UnreadBody(ctx, id)
	if errors.Is(err, state.ErrNotFound) {
		body, err = r.db.Body(ctx, id)
	}
	if err != nil {
		return e, nil, fmt.Errorf("body of %s: %w", id, err)
	}
	return e, r.Inspect(ctx, e.Environment, body), nil
}

package flows

import (
	"context"
	"errors"
	"strings"

	"finrelay/state"
)

// placed is an output that can say where on this machine it writes.
type placed interface{ Place() string }

// OutputPlace is where an output writes, a folder say; "" when that is not
// known or the output is not configured.
func (r *Relay) OutputPlace(name string) string {
	if p, ok := r.cfg.Outputs[name].(placed); ok {
		return p.Place()
	}
	return ""
}

// WaitWhereabouts says where the rows are of all that waits for one thing, and
// what to do about it.
func (r *Relay) WaitWhereabouts(ctx context.Context, w state.Wait) (Whereabouts, error) {
	if w.Kind == state.KindDelivery {
		return Whereabouts{Place: SafeHere, Next: retryAdvice(w.Reason, w.Output)}, nil
	}
	s, err := r.db.Shipment(ctx, w.ID)
	if errors.Is(err, state.ErrNotFound) {
		err = nil
	}
	where := r.whereShipment(s)
	where.Next = retryAdvice(w.Reason, w.Environment)
	return where, err
}

// retryAdvice is a reason's advice with the command that has it tried at once.
func retryAdvice(reason state.Reason, target string) string {
	what, _, _ := strings.Cut(Advice(reason), "; finrelay rerun ") // for one that was parked
	what, _, _ = strings.Cut(what, ", then finrelay rerun ")
	return what + "; it goes on by itself, and at once with: finrelay retry " + target
}

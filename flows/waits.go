package flows

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"finrelay/state"
)

// OutputPlace is where an output writes, a folder say; "" when it is not
// configured.
func (r *Relay) OutputPlace(name string) string {
	if out := r.cfg.Outputs[name]; out != nil {
		return out.Place()
	}
	return ""
}

// WaitWhereabouts says where the rows are of all that waits for one thing, and
// what to do about it.
func (r *Relay) WaitWhereabouts(ctx context.Context, w state.Wait) (Whereabouts, error) {
	if w.Kind == state.KindDelivery {
		return Whereabouts{Place: SafeHere, Next: RetryAdvice(w.Reason, "", w.Output)}, nil
	}
	s, err := r.db.Shipment(ctx, w.ID)
	if errors.Is(err, state.ErrNotFound) {
		err = nil
	}
	where := r.whereShipment(s)
	if where.Place == Lost { // waiting does not help, nor does what the wait is about
		return where, err
	}
	where.Next = RetryAdvice(w.Reason, w.Environment, w.Environment)
	return where, err
}

// RetryAdvice is what to do about a reason while things wait for it, with the
// command that has them tried at once: target is an output or an environment.
// Environment is where they come from, "" when that is many. Nothing in it is
// left to fill in.
func RetryAdvice(reason state.Reason, environment, target string) string {
	settings := "the environment's "
	if environment != "" {
		settings = "environments." + environment + "."
	}
	what := untilParked(strings.NewReplacer("environments.NAME.", settings, "OUTPUT-NAME", target).Replace(Advice(reason)))
	if what != "" {
		what += "; "
	}
	return what + "it goes on by itself, and at once with: finrelay retry " + target
}

var (
	// forParked is what advice says to do with one thing that stands still.
	forParked = regexp.MustCompile(`finrelay (rerun|skip|ack)\b|\b[A-Z]+-ID\b|\bPROJECT\b|\bENVIRONMENT\b`)
	clauseEnd = regexp.MustCompile(`[;:.,] | and `)
)

// untilParked is the part of an advice before the clause that is for what is
// parked: what waits needs no command but the one that ends the waiting.
func untilParked(advice string) string {
	at := forParked.FindStringIndex(advice)
	if at == nil {
		return advice
	}
	ends := clauseEnd.FindAllStringIndex(advice[:at[0]], -1)
	if len(ends) == 0 {
		return ""
	}
	return advice[:ends[len(ends)-1][0]]
}

package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"finrelay/state"
)

// Retry is what a person's wish to have things tried at once came to.
type Retry struct {
	// Queued is what was put off and is due now.
	Queued []state.Retried `json:"queued"`
	// Trying counts what was due already, or in a worker's hands: nothing
	// needed to be done about it.
	Trying int `json:"trying"`
	// Refused are targets for which there is nothing to try, with what to do.
	Refused []RetryRefusal `json:"refused,omitempty"`
}

// RetryRefusal says why a target was not taken.
type RetryRefusal struct {
	Target  string `json:"target"`
	Refusal string `json:"refusal"`
}

// RetryNow has what waits for its next try tried at once. A target is the name
// of an output or an environment, or the id, or its start, of an export, a
// shipment or an event; no target means everything that waits. To say it twice
// does no more than to say it once. With idle nobody is at work: what is due
// already is queued as well, for who begins to work then. The error is about
// the ledger.
func (r *Relay) RetryNow(ctx context.Context, targets []string, by string, idle bool) (Retry, error) {
	all := Retry{Queued: []state.Retried{}}
	scopes := []state.RetryScope{{}}
	if len(targets) > 0 {
		scopes = nil
	}
	for _, target := range targets {
		found, refusal, err := r.retryScopes(ctx, target)
		if err != nil {
			return all, err
		}
		if refusal != "" {
			all.Refused = append(all.Refused, RetryRefusal{Target: target, Refusal: refusal})
		}
		scopes = append(scopes, found...)
	}
	for _, s := range scopes {
		if err := r.retryScope(ctx, &all, s, by, idle); err != nil {
			return all, err
		}
	}
	if n := len(all.Queued); n > 0 {
		r.log.Info("tried at once, because a person asked", "by", by, "things", n)
	}
	return all, nil
}

func (r *Relay) retryScope(ctx context.Context, all *Retry, s state.RetryScope, by string, idle bool) error {
	trying, err := r.db.Trying(ctx, s)
	if err != nil {
		return err
	}
	if s.Due = idle; idle {
		trying = 0
	}
	some, err := r.db.Retry(ctx, s, "by "+by)
	all.Queued, all.Trying = append(all.Queued, some...), all.Trying+trying
	if err != nil {
		return fmt.Errorf("retry: %w", err)
	}
	return nil
}

// retryScopes says what a target means, or why there is nothing to try: also
// when the place of an output is not there, since each try would fail.
func (r *Relay) retryScopes(ctx context.Context, target string) (scopes []state.RetryScope, refusal string, err error) {
	if out := r.cfg.Outputs[target]; out != nil {
		stand, err := r.outputStand(ctx, out)
		if err != nil {
			return nil, "", err
		}
		if stand.Stands == PlaceMissing {
			refusal = stand.Detail + ": " + stand.Next
		} else {
			scopes = append(scopes, state.RetryScope{Output: target})
		}
	}
	if _, ok := r.cfg.Environments[target]; ok {
		scopes = append(scopes, state.RetryScope{Environment: target})
	}
	if len(scopes) > 0 || refusal != "" {
		return scopes, refusal, nil
	}
	if state.KindOf(target) == "" {
		return nil, "no output or environment is called so, and an id begins with ev_, sh_ or ex_; there are: " + r.retryNames(), nil
	}
	id, err := r.db.Find(ctx, target)
	if errors.Is(err, state.ErrNotFound) {
		return nil, err.Error(), nil
	}
	if err != nil {
		return nil, "", err
	}
	return r.retryOne(ctx, id)
}

func (r *Relay) retryNames() string {
	var names []string
	for name := range r.cfg.Outputs {
		names = append(names, "output "+name)
	}
	for name := range r.cfg.Environments {
		names = append(names, "environment "+name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (r *Relay) retryOne(ctx context.Context, id string) ([]state.RetryScope, string, error) {
	switch state.KindOf(id) {
	case state.KindExport:
		e, err := r.db.Export(ctx, id)
		if err == nil && e.State != state.Open {
			return nil, fmt.Sprintf("it is %s and waits for no try; finrelay rerun %s runs it again", e.State, id), nil
		}
		return []state.RetryScope{{ExportID: id}}, "", err
	case state.KindEvent:
		e, err := r.db.Event(ctx, id)
		if err != nil {
			return nil, "", err
		}
		if e.ShipmentID == "" {
			return nil, fmt.Sprintf("it is %s and brought nothing that could be tried", e.State), nil
		}
		id = e.ShipmentID
	case state.KindExecution:
		return nil, "a run is asked about by itself: finrelay executions show " + id + " says how it stands", nil
	}
	s, err := r.db.Shipment(ctx, id)
	if err == nil && (s.State == state.Parked || s.State == state.Expired || s.State == state.Settled) {
		return nil, fmt.Sprintf("it is %s and waits for no try; finrelay rerun %s runs it again", s.State, id), nil
	}
	return []state.RetryScope{{ShipmentID: id}}, "", err
}

package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// Bounds of the question which run wrote a message's file.
const (
	// identityTime bounds one try: a message is hidden for half an hour only.
	identityTime = 10 * time.Second
	// identityWait bounds all of them, from when the file is here: rows must not
	// wait for ever for a proof that may never come.
	identityWait = time.Hour
)

// asksRuns says whether FinOps is to be asked which run a queue's messages are
// of: where its exports are announced by events too, or events have named their
// runs of late. Only then can a message's run be one that came by event.
func (r *Relay) asksRuns(ctx context.Context, environment string, withEvents bool) bool {
	if withEvents {
		return true
	}
	known, err := r.db.EventsNameRuns(ctx, environment, r.db.Now().Add(-BlobLife))
	return err == nil && known
}

// executionOf asks which run wrote a message's file; "" when FinOps does not
// say. The error is that of a question that was not answered, which proves
// nothing: the same one may be answered later.
func (r *Relay) executionOf(ctx context.Context, client *dmf.Client, correlationID string) (string, error) {
	asking, cancel := context.WithTimeout(ctx, identityTime)
	defer cancel()
	id, err := client.ExecutionOfMessage(asking, correlationID)
	switch {
	case context.Cause(ctx) != nil:
		return "", context.Cause(ctx)
	case err == nil:
		return string(id), nil
	case refusedForGood(err):
		r.log.Info("FinOps does not say which run a message is of: were it announced by an event too, both land", "message", correlationID, keyError, err)
		return "", nil
	}
	return "", fmt.Errorf("ask which run message %s is of: %w", correlationID, err)
}

// refusedForGood tells FinOps' word that it knows of no run from a question
// that it did not hear: a sign-in that fails says nothing about the message.
func refusedForGood(err error) bool {
	api, ok := errors.AsType[*dmf.APIError](err)
	_, signIn := errors.AsType[*dmf.SignInError](err)
	return ok && !signIn && !api.Temporary()
}

// nameRun makes sure, before a message's file is opened, that its run is known
// if FinOps can tell it. The dequeue asks too, but a stop or a busy FinOps may
// have left that without an answer, and opened without it both copies land.
//
// The error is a question without an answer, to be asked again. After
// identityWait there is none, and unproven says that what may be a copy is to
// be held for a person.
func (r *Relay) nameRun(ctx context.Context, s *state.Shipment) (unproven bool, err error) {
	client := r.cfg.Environments[s.Environment].FinOps
	if s.Source != "queue" || s.ExecutionID != "" || client == nil {
		return false, nil
	}
	m, err := r.db.Message(ctx, s.ID)
	if err != nil {
		return false, err
	}
	withEvents := slices.ContainsFunc(r.cfg.Queues, func(q Queue) bool {
		return q.Environment == m.Environment && string(q.Activity) == m.Activity && q.WithEvents
	})
	if !r.asksRuns(ctx, s.Environment, withEvents) {
		return false, nil
	}
	id, err := r.executionOf(ctx, client, m.CorrelationID)
	switch {
	case context.Cause(ctx) != nil:
		return false, context.Cause(ctx)
	case err != nil && r.db.Now().Sub(s.FetchedAt) < identityWait:
		return false, err
	case err != nil:
		r.log.Warn("opened without knowing its run: what may have come by event too is held", keyShipment, s.ID, keyError, err)
		return true, nil
	case id == "":
		return false, nil
	}
	s.ExecutionID = id
	return false, r.db.RunNamed(ctx, s.ID, id)
}

package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"finrelay/flows"
	"finrelay/state"
)

// PollRequest names the queue to drain, by its flow.
type PollRequest struct {
	Flow    string        `json:"flow"`
	Backlog flows.Backlog `json:"backlog,omitempty"` // instead of the configuration's
}

// QueueView is a queue that a flow polls.
type QueueView struct {
	state.Queue
	Flow string `json:"flow"`
	// Progress is of a poll that is at work now.
	Progress *flows.PollProgress `json:"progress,omitempty"`
}

func (a *API) poll(r *http.Request) (any, error) {
	var q PollRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	queue, ok := a.Relay.QueueOf(q.Flow)
	if !ok {
		return nil, badRequest{fmt.Errorf("flow %q has no queue", q.Flow)}
	}
	if q.Backlog != "" {
		queue.Backlog = q.Backlog
	}
	res, err := a.Relay.Poll(r.Context(), queue)
	if errors.Is(err, flows.ErrPolling) {
		return nil, conflict{err}
	}
	if err != nil && res.Problem == "" {
		return nil, err // of the ledger, or a stop
	}
	return res, nil // with its problem, beside what was taken until then
}

// conflict is a request that cannot be met as things stand now.
type conflict struct{ error }

func (a *API) queues(r *http.Request) (any, error) { return a.queueViews(r.Context(), "") }

func (a *API) queueViews(ctx context.Context, environment string) ([]QueueView, error) {
	views := []QueueView{}
	for _, q := range a.Relay.Queues() {
		if environment != "" && q.Environment != environment {
			continue
		}
		known, err := a.DB.Queue(ctx, q.Environment, string(q.Activity))
		if notFoundIsNil(err) != nil {
			return nil, err
		}
		known.Environment, known.Activity = q.Environment, string(q.Activity)
		v := QueueView{Queue: known, Flow: q.Flow}
		if p, ok := a.Relay.PollProgress(q); ok {
			v.Progress = &p
		}
		views = append(views, v)
	}
	return views, nil
}

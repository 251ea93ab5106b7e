package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"finrelay/flows"
	"finrelay/state"
)

// WaitView is all that waits for one output or environment, for one reason.
type WaitView struct {
	state.Wait
	Place       string `json:"place,omitempty"` // of an output: the folder it writes to
	Whereabouts string `json:"whereabouts"`
	Next        string `json:"next"`
}

func (a *API) waitViews(ctx context.Context, environment string) ([]WaitView, error) {
	waits, err := a.DB.Waits(ctx, environment)
	if err != nil {
		return nil, err
	}
	views := make([]WaitView, 0, len(waits))
	for _, w := range waits {
		where, err := a.Relay.WaitWhereabouts(ctx, w)
		if err != nil {
			return nil, err
		}
		v := WaitView{Wait: w, Whereabouts: where.String(), Next: where.Next}
		if w.Output != "" {
			v.Place = a.Relay.OutputPlace(w.Output)
		}
		views = append(views, v)
	}
	return views, nil
}

// RetryRequest names what is to be tried at once: outputs, environments, or ids
// of exports, shipments and events.
type RetryRequest struct {
	Targets []string `json:"targets,omitempty"`
	All     bool     `json:"all,omitempty"` // everything that waits, instead of targets
	By      string   `json:"by,omitempty"`
}

func (a *API) retry(r *http.Request) (any, error) {
	var q RetryRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil && !errors.Is(err, io.EOF) {
		return nil, badRequest{err}
	}
	if q.All == (len(q.Targets) > 0) {
		return nil, badRequest{errors.New("name targets (outputs, environments, ids), or say all: one of the two")}
	}
	return a.Relay.RetryNow(r.Context(), q.Targets, by(q.By), !a.Serving)
}

// Retry has what waits tried at once. It does not wait for what comes of it.
func (c *Client) Retry(ctx context.Context, q RetryRequest) (flows.Retry, error) {
	return call[flows.Retry](ctx, c, "POST", "retry", nil, q)
}

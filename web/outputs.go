package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"finrelay/flows"
)

// AdoptRequest names the output whose place is what is at its address now.
type AdoptRequest struct {
	Output string `json:"output"`
	By     string `json:"by,omitempty"`
}

func (a *API) outputs(r *http.Request) (any, error) { return a.Relay.OutputStands(r.Context()) }

func (a *API) adopt(r *http.Request) (any, error) {
	var q AdoptRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	adopted, refusal, err := a.Relay.AdoptOutput(r.Context(), q.Output, by(q.By), !a.Serving)
	if refusal != "" {
		return nil, conflict{errors.New(refusal)}
	}
	return adopted, err
}

// Outputs tells how the place of each output stands now.
func (c *Client) Outputs(ctx context.Context) ([]flows.OutputStand, error) {
	return call[[]flows.OutputStand](ctx, c, "GET", "outputs", nil, nil)
}

// AdoptOutput takes what is at an output's address for its place, and has what
// waits for it tried at once. It does not wait for what comes of that.
func (c *Client) AdoptOutput(ctx context.Context, q AdoptRequest) (flows.Adoption, error) {
	return call[flows.Adoption](ctx, c, "POST", "outputs/adopt", nil, q)
}

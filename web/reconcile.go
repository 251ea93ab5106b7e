package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"finrelay/flows"
)

func (a *API) reconcile(r *http.Request) (any, error) {
	var q flows.ReconcileRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	if !a.Relay.KnowsEnvironment(q.Environment) {
		return nil, badRequest{errors.New("environment " + q.Environment + " is not configured")}
	}
	q.By = by(q.By)
	return a.Relay.Reconcile(r.Context(), q)
}

// Reconcile compares FinOps' execution history with the ledger. When FinOps
// could not be asked, the error is a *RequestError with a Reason.
func (c *Client) Reconcile(ctx context.Context, q flows.ReconcileRequest) (flows.Reconciliation, error) {
	return call[flows.Reconciliation](ctx, c, "POST", "reconcile", nil, q)
}

package web

import (
	"context"
	"net/http"
)

// CheckResult says whether the ledger is sound.
type CheckResult struct {
	Problem string `json:"problem,omitempty"` // what is not; "" when all is
}

// check reads the whole ledger, beside the work: minutes for a large one.
func (a *API) check(r *http.Request) (any, error) {
	err := a.DB.Check(r.Context())
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	if err != nil {
		return CheckResult{Problem: err.Error()}, nil
	}
	return CheckResult{}, nil
}

// Check asks SQLite whether the ledger is sound.
func (c *Client) Check(ctx context.Context) (CheckResult, error) {
	return call[CheckResult](ctx, c, "GET", "check", nil, nil)
}

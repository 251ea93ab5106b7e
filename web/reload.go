package web

import (
	"context"
	"errors"
	"net/http"
)

// Reloaded is what a reload came to.
type Reloaded struct {
	Changed     []string `json:"changed"`      // settings that differ and are in force now, by their place in the file
	NeedRestart []string `json:"need_restart"` // settings that differ and stay as they were
	TriedNow    int      `json:"tried_now"`    // things that waited for outputs that are back
}

// NotReloadedError is a configuration that was not put in force. Nothing has
// changed.
type NotReloadedError struct{ Err error }

func (e *NotReloadedError) Error() string { return e.Err.Error() }
func (e *NotReloadedError) Unwrap() error { return e.Err }

func (a *API) reload(r *http.Request) (any, error) {
	if a.Reload == nil {
		return nil, badRequest{errors.New("no server runs here that could reload")}
	}
	res, err := a.Reload(r.Context())
	if res.Changed == nil {
		res.Changed = []string{}
	}
	if res.NeedRestart == nil {
		res.NeedRestart = []string{}
	}
	return res, err
}

// Reload has the server read its configuration again.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	return call[Reloaded](ctx, c, "POST", "reload", nil, nil)
}

package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"finrelay/flows"
	"finrelay/state"
)

// Selection names what a verb is about: ids, or what a filter finds.
type Selection struct {
	IDs         []string      `json:"ids,omitempty"`
	Environment string        `json:"environment,omitempty"`
	Entity      string        `json:"entity,omitempty"` // a glob
	States      []state.State `json:"states,omitempty"`
	Reason      state.Reason  `json:"reason,omitempty"`
	Since       time.Time     `json:"since,omitzero"`
}

// Narrowed says whether a filter finds less than everything. An age alone does
// not count: much of what stands still is young.
func (s Selection) Narrowed() bool {
	return s.Environment != "" || s.Entity != "" || s.Reason != "" || len(s.States) > 0
}

func (s Selection) filter() state.Filter {
	return state.Filter{Environment: s.Environment, Entity: s.Entity, States: s.States, Reason: s.Reason, Since: s.Since}
}

// RerunRequest names what to run again.
type RerunRequest struct {
	Selection
	DryRun bool   `json:"dry_run,omitempty"`
	Again  bool   `json:"again,omitempty"` // of ids only: also what has landed with another export
	By     string `json:"by,omitempty"`
}

func (a *API) rerun(r *http.Request) (any, error) {
	var q RerunRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	var all []flows.Rerun
	var err error
	switch {
	case q.Again && len(q.IDs) == 0:
		return nil, badRequest{errors.New("landing again is for exports named by their ids")}
	case q.Again:
		all, err = a.Relay.RerunAgain(r.Context(), q.IDs, q.DryRun, by(q.By))
	case len(q.IDs) > 0:
		all, err = a.Relay.RerunIDs(r.Context(), q.IDs, q.DryRun, by(q.By))
	default:
		all, err = a.Relay.RerunMatching(r.Context(), q.filter(), q.DryRun, by(q.By))
	}
	if all == nil {
		all = []flows.Rerun{}
	}
	return all, err
}

// SkipRequest names what to take off the list. Nothing that is named, and no
// filter that narrows, is refused.
type SkipRequest struct {
	Selection
	Why    string `json:"why"`
	DryRun bool   `json:"dry_run,omitempty"`
	By     string `json:"by,omitempty"`
}

func (a *API) skip(r *http.Request) (any, error) {
	var q SkipRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	var all []flows.Skipping
	var err error
	switch {
	case len(q.IDs) > 0:
		all, err = a.Relay.SkipIDs(r.Context(), q.IDs, q.DryRun, by(q.By), q.Why)
	case q.Narrowed():
		all, err = a.Relay.SkipMatching(r.Context(), q.filter(), q.DryRun, by(q.By), q.Why)
	default:
		return nil, badRequest{errors.New("name ids, or narrow what is skipped: everything is never skipped at once")}
	}
	if all == nil {
		all = []flows.Skipping{}
	}
	return all, err
}

// AckRequest has a person take what is here of a queue's message for all of it.
type AckRequest struct {
	Message string `json:"message"` // its shipment's id, or its correlation id
	Why     string `json:"why"`
	By      string `json:"by,omitempty"`
}

func (a *API) ack(r *http.Request) (any, error) {
	var q AckRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	return a.Relay.TakeAsIs(r.Context(), q.Message, by(q.By), q.Why)
}

// Entities are the labels in the ledger, and which of them fit a glob.
type Entities struct {
	All  []string `json:"all"`
	Fits []string `json:"fits"`
}

func (a *API) entities(r *http.Request) (any, error) {
	all, err := a.DB.Entities(r.Context())
	e := Entities{All: append([]string{}, all...), Fits: []string{}}
	for _, name := range all {
		if state.MatchGlob(r.URL.Query().Get("entity"), name) {
			e.Fits = append(e.Fits, name)
		}
	}
	return e, err
}

// Rerun sets things going again.
func (c *Client) Rerun(ctx context.Context, q RerunRequest) ([]flows.Rerun, error) {
	return call[[]flows.Rerun](ctx, c, "POST", "rerun", nil, q)
}

// Skip takes things off the list.
func (c *Client) Skip(ctx context.Context, q SkipRequest) ([]flows.Skipping, error) {
	return call[[]flows.Skipping](ctx, c, "POST", "skip", nil, q)
}

// Ack has a person take what is here of a queue's message for all of it.
func (c *Client) Ack(ctx context.Context, q AckRequest) (flows.Taken, error) {
	return call[flows.Taken](ctx, c, "POST", "ack", nil, q)
}

// Entities gives the labels in the ledger, and which of them fit a glob.
func (c *Client) Entities(ctx context.Context, glob string) (Entities, error) {
	return call[Entities](ctx, c, "GET", "entities", FilterQuery(state.Filter{Entity: glob}), nil)
}

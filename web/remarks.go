package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"finrelay/flows"
	"finrelay/state"
)

// RemarkView is one remark that landed exports have and nobody has looked at.
type RemarkView struct {
	state.RemarkCount
	Alerts bool   `json:"alerts"` // alert_on of the configuration names it
	Next   string `json:"next"`
}

func (a *API) remarkViews(ctx context.Context, environment string) ([]RemarkView, error) {
	counts, err := a.DB.UnseenRemarks(ctx, environment)
	views := make([]RemarkView, 0, len(counts))
	for _, c := range counts {
		views = append(views, RemarkView{RemarkCount: c, Alerts: slices.Contains(a.AlertOn, c.Remark), Next: flows.RemarkAdvice(c.Remark)})
	}
	return views, err
}

// SeenRequest names exports whose remarks a person has looked at: by ids, or by
// a remark, of which Environment and Entity may leave out some.
type SeenRequest struct {
	IDs         []string     `json:"ids,omitempty"`
	Remark      state.Remark `json:"remark,omitempty"`
	Environment string       `json:"environment,omitempty"`
	Entity      string       `json:"entity,omitempty"`
	By          string       `json:"by,omitempty"`
}

func (a *API) seen(r *http.Request) (any, error) {
	var q SeenRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, badRequest{err}
	}
	if (q.Remark == "") == (len(q.IDs) == 0) {
		return nil, badRequest{errors.New("name ids of exports, or a remark: one of the two")}
	}
	if len(q.IDs) > 0 {
		return a.Relay.SeenIDs(r.Context(), q.IDs, by(q.By))
	}
	if err := knownRemark(string(q.Remark)); err != nil {
		return nil, err
	}
	return a.Relay.SeenMatching(r.Context(), state.Filter{Remark: q.Remark, Environment: q.Environment, Entity: q.Entity}, by(q.By))
}

// Seen says that a person has looked at the remarks of exports.
func (c *Client) Seen(ctx context.Context, q SeenRequest) ([]flows.Seen, error) {
	return call[[]flows.Seen](ctx, c, "POST", "seen", nil, q)
}

// knownRemark refuses a word that is no remark: a list of nothing would look
// like good news.
func knownRemark(word string) error {
	if word == "" || slices.Contains(state.AllRemarks(), state.Remark(word)) {
		return nil
	}
	return badRequest{errors.New("remark=" + word + ": it is one of " + state.AllRemarks().String())}
}

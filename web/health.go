package web

import (
	"context"
	"slices"
	"strings"

	"finrelay/flows"
	"finrelay/state"
)

// RefusalView is what a door turned away, with what to do about it.
type RefusalView struct {
	state.Refusal
	Next string `json:"next"`
}

func (a *API) refusalViews(ctx context.Context, environment string) ([]RefusalView, error) {
	refusals, err := a.Relay.Refusals(ctx, environment)
	views := make([]RefusalView, 0, len(refusals))
	for _, r := range refusals {
		next := flows.RefusalAdvice(r.Status)
		if r.Environment != "" {
			next = strings.ReplaceAll(next, "ENVIRONMENT", r.Environment)
		}
		views = append(views, RefusalView{Refusal: r, Next: next})
	}
	return views, err
}

// troubles says why events cannot be accepted. Without a server none are, and
// who only looks does not write: then it is the room on the disk alone.
func (a *API) troubles() []flows.Trouble {
	found := a.Relay.NoRoom
	if a.Serving {
		found = a.Relay.Troubles
	}
	return append([]flows.Trouble{}, found()...)
}

// Unwell says whether something is to be looked at that is on no list of what
// needs a person: a ledger that cannot be written, events that were refused, a
// landed export with a remark that alert_on names, or an output that is not there.
func (v StatusView) Unwell() bool {
	return len(v.Troubles)+len(v.Refused) > 0 ||
		slices.ContainsFunc(v.Remarks, func(r RemarkView) bool { return r.Alerts }) ||
		slices.ContainsFunc(v.Waiting, func(w WaitView) bool { return w.Reason == state.ReasonOutputMissing })
}

package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"finrelay/flows"
	"finrelay/state"
)

func TestReconcileRefusals(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		body   string
		status int
		text   string
	}{
		{"{", 400, ""},
		{`{"environment":"mars"}`, 400, "mars is not configured"},
		{`{"environment":"prod"}`, 500, "no url and sign_in"},
	} {
		if status, text, _ := r.local.raw(t, "POST", "reconcile", c.body); status != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %s; want %d with %q", c.body, status, text, c.status, c.text)
		}
	}
}

// What FinOps did not answer reaches the client with its reason, over the
// socket as in the process: the command's exit code hangs on it.
func TestFinOpsErrorsKeepTheirReason(t *testing.T) {
	for _, reason := range []state.Reason{state.ReasonSignIn, state.ReasonNetwork, state.ReasonFinOps} {
		c := Local(handle(func(*http.Request) (any, error) {
			return nil, &flows.FinOpsError{Reason: reason, Err: errors.New("history: no")}
		}))
		_, err := c.Reconcile(t.Context(), flows.ReconcileRequest{Environment: "prod"})
		bad, ok := errors.AsType[*RequestError](err)
		if !ok || bad.Status != http.StatusBadGateway || bad.Reason != reason || bad.Error() != "history: no" {
			t.Errorf("%s came as %+v", reason, err)
		}
	}
}

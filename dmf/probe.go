package dmf

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// probePath is a small entity set that every application which may work with
// data projects can read. One row is asked for and none is looked at.
//
// Observed: scripts of a 10.0.48 sandbox list the data projects by this set.
const probePath = "/data/DataManagementDefinitionGroups?$top=1"

// Probe asks FinOps for next to nothing, to see whether sign-in, address and
// the application's registration are right. It changes nothing.
//
// A *SignInError outside an *APIError says that no token could be had; one
// inside says that FinOps does not take it.
func (c *Client) Probe(ctx context.Context) error {
	_, err := c.call(ctx, request{
		op: "probe", method: http.MethodGet, url: c.endpoint(probePath), idempotent: true, data: true, timeout: askTimeout,
	})
	return err
}

// ProbeActivity asks the recurring job's queue about an import that does not
// exist, to see whether the application is let in. No message is taken: a
// dequeue would hide one for 30 minutes, and there is no call that looks
// without taking.
//
// It returns nil when FinOps answered at all and did not refuse the
// application. That says nothing about whether there is such a job: an
// unknown job and an unknown import are refused alike. A *SignInError says
// that the application is not let in; any other error is an *APIError that
// says why there was no answer, or ctx's.
//
// Source: Microsoft Learn, "Recurring integrations", jobstatus: a GET that
// reads. Assumed: the job's list of applications counts for it as it does for
// a dequeue, and an unknown import is answered with some status other than
// 401, 403 and a redirect; a recorded answer would show it.
func (c *Client) ProbeActivity(ctx context.Context, activity ActivityID) error {
	const op = "jobstatus"
	if c.onPremises {
		return &APIError{Op: op, Err: ErrOnPremises}
	}
	_, err := c.call(ctx, request{
		op: op, method: http.MethodGet, url: c.endpoint(connectorPath(op, activity)) + "?jobId=" + randomGUID(), idempotent: true, timeout: askTimeout,
	})
	if answered(err) {
		return nil
	}
	return err
}

// HasProject says whether FinOps lists a data project by this name.
//
// Source: published metadata of DataManagementDefinitionGroups: its key is Name.
// Assumed: letter case does not count in the filter, as in all of FinOps'
// queries.
func (c *Client) HasProject(ctx context.Context, name DefinitionGroup) (bool, error) {
	const op = "projects"
	filter := "Name eq " + odataString(string(name))
	a, err := c.call(ctx, request{
		op: op, method: http.MethodGet, idempotent: true, data: true, timeout: askTimeout,
		url: c.endpoint(probePath) + "&$select=Name&$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20"),
	})
	if err != nil {
		return false, err
	}
	var page struct {
		Value []json.RawMessage `json:"value"`
	}
	if json.Unmarshal(a.body, &page) != nil || page.Value == nil {
		return false, c.unreadable(op, a, "no list of rows in it")
	}
	return len(page.Value) > 0, nil
}

// answered reports whether the error of a question that must fail is FinOps'
// own refusal of the question, and not of the one who asks. A gateway answers
// 502 to 504, or a page.
func answered(err error) bool {
	refused, ok := errors.AsType[*APIError](err)
	if !ok || refused.Err != nil {
		return false
	}
	switch refused.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnprocessableEntity:
		return true
	case http.StatusInternalServerError:
		return refused.Message != "" && !strings.HasPrefix(refused.Message, htmlPage)
	}
	return false
}

// htmlPage is what the Message of a page's APIError begins with.
const htmlPage = "an HTML page"

// randomGUID names an import that does not exist.
func randomGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the process instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

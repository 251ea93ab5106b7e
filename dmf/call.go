package dmf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// Limits of calls other than downloads, answer included.
const (
	// Observed: microsoft/Recurring-Integrations-Scheduler issue 155: dequeue
	// took up to a minute on 10.0.29.
	queueTimeout = 3 * time.Minute
	// Observed: scripts of a 10.0.48 sandbox: actions that run in the request
	// outlive a timeout of 180 s.
	startTimeout = 10 * time.Minute
	askTimeout   = 2 * time.Minute

	maxAnswer = 64 << 20 // bytes; the longest seen, a list of 3,506 errors, is about 1 MB
)

// request is one call, before it has a token.
type request struct {
	op         string
	method     string
	url        string
	body       []byte        // JSON, sent byte for byte
	idempotent bool          // may be sent twice without harm
	changes    bool          // does something in FinOps that a lost answer leaves in doubt
	raw        bool          // a file is wanted: no JSON, no compression
	data       bool          // below /data, not /api/connector
	timeout    time.Duration // header and body; 0 means the transport's limits only
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

var errSlow = errors.New("no answer in time")

// call sends r and reads the whole 2xx answer; anything else is an error.
func (c *Client) call(ctx context.Context, r request) (answer, error) {
	callCtx, cancel := context.WithTimeoutCause(ctx, r.timeout, errSlow)
	defer cancel()
	resp, err := c.open(ctx, callCtx, r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	a := answer{status: resp.StatusCode, header: resp.Header, body: body}
	switch {
	case err != nil:
		// Begun to be answered and cut: done, in all likelihood.
		return a, c.unanswered(ctx, callCtx, r, err, true, "")
	case len(body) > maxAnswer:
		return a, c.unreadable(r.op, a, fmt.Sprintf("longer than %d bytes", maxAnswer))
	}
	return a, nil
}

func (c *Client) unreadable(op string, a answer, why string) *APIError {
	return &APIError{Op: op, StatusCode: a.status, RequestID: requestID(a.header), Err: fmt.Errorf("%w: %s", ErrUnreadable, why)}
}

// open sends r and returns a 2xx response with its body unread. caller's end
// is the caller's doing; ctx, derived from it, may end earlier.
func (c *Client) open(caller, ctx context.Context, r request) (*http.Response, error) {
	if wait := c.gate.closed(c.now()); wait > 0 {
		return nil, &APIError{Op: r.op, StatusCode: http.StatusTooManyRequests, RetryAfter: wait, Err: ErrThrottled}
	}
	ok, probe, wait := c.circuit.enter(c.now())
	if !ok {
		_, _, why := c.circuit.state()
		return nil, &APIError{Op: r.op, RetryAfter: wait, Err: fmt.Errorf("%w (%s)", ErrCircuitOpen, why)}
	}
	out, why := noWord, ""
	defer func() { c.circuit.leave(c.now(), probe, out, why) }()

	resp, token, sent, err := c.authorized(ctx, r)
	if unsigned, ok := errors.AsType[*SignInError](err); ok {
		return nil, fmt.Errorf("%s: %w", r.op, unsigned)
	}
	if err != nil {
		if caller.Err() == nil {
			out, why = failed, cleanText(withoutURL(err).Error(), 200, token)
		}
		return nil, c.unanswered(caller, ctx, r, err, sent, token)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		out = healthy
		c.gate.passed(c.now())
		c.noteAccess(resp.StatusCode, r.data)
		return resp, nil
	}
	var refused *APIError
	refused, out = c.refusal(r, resp, token)
	why = fmt.Sprintf("%s answered %d", r.op, resp.StatusCode)
	return nil, refused
}

// authorized sends r with a token, and once more with a fresh one when FinOps
// does not take the first. sent tells whether the last request got out.
func (c *Client) authorized(ctx context.Context, r request) (resp *http.Response, token string, sent bool, err error) {
	token, err = c.tokens.Token(ctx)
	if err != nil {
		return nil, "", false, asSignIn(ctx, err)
	}
	resp, sent, err = c.send(ctx, r, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !c.trustFresh() {
		return resp, token, sent, err
	}
	drop(resp)
	c.tokens.Forget(token)
	fresh, err := c.tokens.Token(ctx)
	if err != nil {
		return nil, "", false, asSignIn(ctx, err)
	}
	resp, sent, err = c.send(ctx, r, fresh)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		c.noteRefused()
	}
	return resp, fresh, sent, err
}

// asSignIn makes a token source's error one that callers can tell.
func asSignIn(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*SignInError](err); ok || ctx.Err() != nil {
		return err
	}
	return &SignInError{Hint: "no token", Err: err}
}

// send makes one request. sent tells whether its header left this machine.
func (c *Client) send(ctx context.Context, r request, token string) (*http.Response, bool, error) {
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	if r.idempotent {
		ctx = withIdempotent(ctx)
	}
	req := c.rest.R().SetContext(ctx).SetDoNotParseResponse(true).SetHeader("Authorization", "Bearer "+token)
	if r.raw {
		// The file as it is stored, with its length, so that a cut is seen.
		req.SetHeader("Accept", "*/*").SetHeader("Accept-Encoding", "identity")
	} else {
		req.SetHeader("Accept", "application/json")
	}
	if r.body != nil {
		req.SetHeader("Content-Type", "application/json").SetBody(r.body)
	}
	begin := c.now()
	resp, err := req.Execute(r.method, r.url)
	if err != nil {
		c.logger.DebugContext(ctx, "finops request", "op", r.op, "error", cleanText(withoutURL(err).Error(), 200, token))
		return nil, sent.Load(), err
	}
	c.logger.DebugContext(ctx, "finops request", "op", r.op, "path", pathOf(r.url),
		"status", resp.StatusCode(), "duration", c.now().Sub(begin), "request_id", requestID(resp.Header()))
	return resp.RawResponse, true, nil
}

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// drop ends a response that is not wanted, keeping its connection when little
// is left of it.
func drop(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody)) // whatever is left
	_ = resp.Body.Close()                                               // nothing was written
}

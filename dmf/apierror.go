package dmf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Conditions that callers branch on; test with errors.Is.
var (
	// ErrMaybeDone: no answer, or only a gateway's, came to a request that was
	// sent. What it asked for may have been done.
	ErrMaybeDone = errors.New("no answer came, it may have been done all the same")
	// ErrHostile: FinOps' answer names a URL that the token must not go to.
	// Nothing was sent.
	ErrHostile = errors.New("not a URL of this environment, nothing was sent to it")
	// ErrUnreadable: a 2xx answer that is not what the call promises, such as
	// a page of a proxy.
	ErrUnreadable = errors.New("the answer cannot be read")
	// ErrThrottled: the environment asked all callers to wait and has not been
	// asked again since. Nothing was sent.
	ErrThrottled = errors.New("not sent: the environment is throttling")
	// ErrCircuitOpen: the environment failed several times in a row and rests.
	// Nothing was sent.
	ErrCircuitOpen = errors.New("not sent: the environment failed repeatedly and is left alone for a while")
	// ErrOnPremises: on-premises has no recurring integrations API. Nothing
	// was sent.
	ErrOnPremises = errors.New("the queue does not exist on-premises; use package exports")
)

// APIError is a call of FinOps that did not succeed.
type APIError struct {
	Op         string        // "dequeue", "download", "ack", or the action: "ExportToPackage"
	StatusCode int           // HTTP status; 0 when no answer came
	RetryAfter time.Duration // how long FinOps, or our budget, asks to wait; 0 when nobody says; at most MaxRetryAfter
	RequestID  string        // FinOps' id of the request, for Microsoft's support; may be empty
	Message    string        // FinOps' own words, at most 2 KB, without secrets; may be empty
	Err        error         // why, beyond the status: a sentinel, a *SignInError or what the network said; may be nil
}

func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.StatusCode != 0 && !e.unsent() {
		fmt.Fprintf(&b, ": FinOps answered %d", e.StatusCode)
		if text := http.StatusText(e.StatusCode); text != "" {
			b.WriteString(" " + text)
		}
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; again in %s", e.RetryAfter.Round(time.Second))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.RequestID)
	}
	return b.String()
}

func (e *APIError) Unwrap() error { return e.Err }

// Temporary reports whether the same call can succeed later without anybody
// doing anything.
func (e *APIError) Temporary() bool {
	if s, ok := errors.AsType[*SignInError](e.Err); ok {
		return s.Temporary()
	}
	if errors.Is(e.Err, ErrHostile) || errors.Is(e.Err, ErrOnPremises) || errors.Is(e.Err, context.Canceled) {
		return false
	}
	switch {
	case e.StatusCode == 0, e.StatusCode == http.StatusTooManyRequests, e.StatusCode == http.StatusRequestTimeout:
		return true
	case e.StatusCode >= 500:
		return true
	}
	return errors.Is(e.Err, ErrUnreadable) || errors.Is(e.Err, ErrExecutionNotFound)
}

// unsent reports whether the error was made here, without a request.
func (e *APIError) unsent() bool {
	return errors.Is(e.Err, ErrThrottled) || errors.Is(e.Err, ErrCircuitOpen) ||
		errors.Is(e.Err, ErrHostile) || errors.Is(e.Err, ErrOnPremises)
}

// withoutURL takes off the *url.Error of net/http, which prints whole URLs.
func withoutURL(err error) error {
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			return err
		}
		err = u.Err
	}
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// once takes a host out of what the network said, for a sentence that names it.
func once(said, host string) string {
	name := strings.Trim(host, "[]")
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return strings.NewReplacer("dial tcp "+host+": ", "", "lookup "+name+" on ", "lookup on ", "lookup "+name+": ", "lookup: ").Replace(said)
}

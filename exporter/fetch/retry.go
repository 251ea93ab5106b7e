package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// MaxPatience is how long one Download sleeps in place, all its waits
// together. A worker that sleeps longer keeps other links from their bytes:
// the wait belongs to the caller's schedule.
const MaxPatience = 2 * time.Second

// quickRetryWait stands before the one retry that a request gets by itself,
// for a connection that was just reset or a front end that just restarted.
const quickRetryWait = 100 * time.Millisecond

// patience is what is left to sleep. It belongs to one goroutine.
type patience struct{ left time.Duration }

// wait sleeps d and reports true, or reports false at once when d is more
// than is left. It returns early when ctx ends.
func (p *patience) wait(ctx context.Context, d time.Duration) bool {
	if d > p.left {
		return false
	}
	p.left -= d
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return true
}

type patienceKey struct{}

func withPatience(ctx context.Context, p *patience) context.Context {
	return context.WithValue(ctx, patienceKey{}, p)
}

// newRetrier gives each request at most one quick retry. The library's own
// backoff would follow Retry-After without a bound, and its logger and its
// last error would print whole links.
func newRetrier(transport http.RoundTripper) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryMax:     1,
		RetryWaitMin: quickRetryWait,
		RetryWaitMax: quickRetryWait,
		Backoff:      func(_, wait time.Duration, _ int, _ *http.Response) time.Duration { return wait },
		CheckRetry:   quickRetry,
		// PrepareRetry runs once for each retry that is really made.
		PrepareRetry: func(req *http.Request) error {
			if p, ok := req.Context().Value(patienceKey{}).(*patience); ok {
				p.left -= quickRetryWait
			}
			return nil
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		Logger:       nil,
	}
}

func quickRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if p, ok := ctx.Value(patienceKey{}).(*patience); ok && p.left < quickRetryWait {
		return false, nil
	}
	if err != nil {
		// A refused address stays refused, and a timeout was not quick.
		_, known := errors.AsType[*LinkError](err)
		timeout, ok := errors.AsType[net.Error](err)
		return !known && !(ok && timeout.Timeout()), nil
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(resp.Header) == 0, nil
	}
	return false, nil
}

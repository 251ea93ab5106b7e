package dmf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Limits on the ways a server can keep a caller waiting.
const (
	// HeaderTimeout is from a request sent to its response header.
	//
	// Source: microsoft/Recurring-Integrations-Scheduler sets 60 minutes for a
	// whole call; its issue 155 saw downloads begin after more than 10 minutes
	// only on a platform version that had a fault.
	HeaderTimeout = 10 * time.Minute
	// IdleTimeout is without a byte of a download's body.
	IdleTimeout = 60 * time.Second

	dialTimeout = 10 * time.Second // DNS included
	tlsTimeout  = 10 * time.Second
	// Shorter than the four minutes of Azure's load balancers, so that it is
	// we who close an idle connection and a request never meets a dead one.
	idleConnTimeout = 60 * time.Second
)

// quickRetryWait stands before the one retry that an idempotent GET gets by
// itself, for a front end that just restarted.
const quickRetryWait = 100 * time.Millisecond

// maxHeaderBytes bounds a response header; FinOps sends one or two kilobytes.
const maxHeaderBytes = 256 << 10

// TransportOptions say how a server is reached.
type TransportOptions struct {
	// Proxy for all connections; nil means none. Environment variables are
	// never read.
	Proxy *url.URL
	// RootCAs to trust instead of the system's; nil means the system's.
	RootCAs *x509.CertPool
	// UserAgent header; defaults to "finrelay".
	UserAgent string
	// Now is the clock by which tokens age and waits end; defaults to time.Now.
	Now func() time.Time
}

const defaultUserAgent = "finrelay"

func newTransport(proxy *url.URL, roots *x509.CertPool) *http.Transport {
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  HeaderTimeout,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return t
}

// noRedirect hands a 3xx to the caller as it is.
//
// Source: microsoft/Recurring-Integrations-Scheduler, issues 49 and 56: a
// wrong host answers 302 to a sign-in page, and a client that follows it takes
// a 200 HTML page for data.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type idempotentKey struct{}

// withIdempotent marks the calls under ctx as safe to send twice.
func withIdempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey{}, true)
}

func isIdempotent(ctx context.Context) bool {
	yes, _ := ctx.Value(idempotentKey{}).(bool)
	return yes
}

// newRetrier gives an idempotent call one quick retry and any other none. It
// is the only retry below the caller. The library's own backoff would follow
// Retry-After without a bound, and its logger would print whole URLs.
func newRetrier(transport http.RoundTripper, wait time.Duration) *http.Client {
	retrier := &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: transport, CheckRedirect: noRedirect},
		RetryMax:     1,
		RetryWaitMin: wait,
		RetryWaitMax: wait,
		Backoff:      func(_, wait time.Duration, _ int, _ *http.Response) time.Duration { return wait },
		CheckRetry:   quickRetry,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		Logger:       nil,
	}
	client := retrier.StandardClient()
	client.CheckRedirect = noRedirect
	return client
}

func quickRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if !isIdempotent(ctx) {
		return false, nil
	}
	if err != nil {
		return !isTimeout(err), nil // a timeout was not quick
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return resp.Header.Get("Retry-After") == "", nil
	}
	return false, nil
}

// sendOnce keeps net/http from repeating a GET by itself. It does so when a
// kept connection breaks before an answer, which is right for pages and wrong
// for a dequeue: the first message would hide for 30 minutes and the second,
// newer one be taken before it.
type sendOnce struct{ http.RoundTripper }

func (s sendOnce) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet && !isIdempotent(req.Context()) {
		// A body without GetBody cannot be sent again; net/http finds it empty
		// and sends the request without one.
		req = req.Clone(req.Context())
		req.Body, req.GetBody = unrepeatable{}, nil
	}
	return s.RoundTripper.RoundTrip(req)
}

type unrepeatable struct{}

func (unrepeatable) Read([]byte) (int, error) { return 0, io.EOF }
func (unrepeatable) Close() error             { return nil }

package dmf

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"
)

// ClientOptions say which environment a Client speaks to, and how.
type ClientOptions struct {
	// URL of the environment, e.g. "https://contoso.operations.dynamics.com".
	// http is allowed on loopback only.
	URL string
	// OnPremises puts /namespaces/AXSF before every path and refuses the queue.
	OnPremises bool
	// Tokens for the Authorization header. Required.
	Tokens TokenSource
	// Proxy for all connections; nil means none. Environment variables are
	// never read.
	Proxy *url.URL
	// RootCAs to trust instead of the system's; nil means the system's.
	RootCAs *x509.CertPool
	// UserAgent header; defaults to "finrelay".
	UserAgent string
	// Logger gets a debug line a request, never with a query; nil means none.
	Logger *slog.Logger
	// Now is the clock of the throttle budget and the circuit; defaults to
	// time.Now.
	Now func() time.Time
}

// Client speaks to one environment. It never waits for FinOps to recover: a
// call that may not go out yet returns at once and says how long to wait. All
// its calls share one throttle budget and one circuit, so make one Client an
// environment. It is safe for concurrent use.
type Client struct {
	base       *url.URL // scheme and host
	root       string   // "" or onPremisesPath
	onPremises bool
	tokens     TokenSource
	logger     *slog.Logger
	now        func() time.Time
	transport  *http.Transport
	rest       *resty.Client
	gate       gate
	circuit    circuit
	idle       time.Duration // tests shorten it

	mu          sync.Mutex
	refusedAt   time.Time // when FinOps last refused a token fresh from sign-in
	dataAllowed bool      // /data let this application in
}

// NewClient returns a Client without touching the network; the caller ends it
// with Close. It refuses a URL that a token must not be sent to.
func NewClient(opt ClientOptions) (*Client, error) {
	base, err := parseEnvironment(opt.URL)
	if err != nil {
		return nil, err
	}
	if opt.Tokens == nil {
		return nil, errors.New("environment client: no token source; make one with NewTokenSource")
	}
	c := &Client{
		base:       base,
		onPremises: opt.OnPremises,
		tokens:     opt.Tokens,
		logger:     opt.Logger,
		now:        opt.Now,
		transport:  newTransport(opt.Proxy, opt.RootCAs),
		circuit:    circuit{jitter: rand.Float64},
		idle:       IdleTimeout,
	}
	if opt.OnPremises {
		c.root = onPremisesPath
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.rest = newREST(c.transport, opt.UserAgent, quickRetryWait)
	return c, nil
}

// newREST puts resty over the retrier. Resty's own retries, cookies, redirects
// and logs are off: the retrier below it is the only retry layer, and a cookie
// of the front end would tie us to one web server.
func newREST(transport *http.Transport, userAgent string, wait time.Duration) *resty.Client {
	if userAgent == "" {
		userAgent = defaultUserAgent
	}
	return resty.NewWithClient(newRetrier(sendOnce{transport}, wait)).
		SetRetryCount(0).
		SetDisableWarn(true).
		SetLogger(silent{}).
		SetHeader("User-Agent", userAgent)
}

// silent is resty's logger; its lines would hold whole URLs.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// Close closes idle connections. Downloads that are open are not cut.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

// Circuit tells whether the environment is being left alone after repeated
// failures, until when, and why. It closes by itself: after that time one call
// goes out to see, and any answer of FinOps' own closes it.
func (c *Client) Circuit() (open bool, until time.Time, why string) {
	return c.circuit.state()
}

// Throttled tells whether the environment has asked all callers to wait, and
// until when.
func (c *Client) Throttled() (throttled bool, until time.Time) {
	now := c.now()
	wait := c.gate.closed(now)
	if wait == 0 {
		return false, time.Time{}
	}
	return true, now.Add(wait)
}

// endpoint is a URL below the environment's root. path is escaped already.
func (c *Client) endpoint(path string) string {
	return c.base.String() + c.root + path
}

// trustFresh reports whether a refused token is worth a fresh one: not when
// FinOps has just refused a fresh one, because each try is two sign-ins and
// Entra throttles those.
func (c *Client) trustFresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refusedAt.IsZero() || c.now().Sub(c.refusedAt) >= refusedFor
}

// noteAccess remembers what FinOps thinks of our application.
func (c *Client) noteAccess(status int, data bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case status == http.StatusUnauthorized:
		if data {
			c.dataAllowed = false
		}
		return
	case status < 300:
		c.refusedAt = time.Time{}
		c.dataAllowed = c.dataAllowed || data
	}
}

func (c *Client) noteRefused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusedAt = c.now()
}

func (c *Client) knownToData() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dataAllowed
}

// refusedFor is how long a freshly signed-in token that FinOps refused keeps
// further fresh ones from being fetched.
const refusedFor = 30 * time.Second

// ctxCause is why a context ended, in the caller's words when it gave some.
func ctxCause(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return errors.Join(ctx.Err(), differing(context.Cause(ctx), ctx.Err()))
}

func differing(cause, err error) error {
	if cause == err {
		return nil
	}
	return cause
}

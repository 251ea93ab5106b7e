package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Limits on the ways a server can keep a worker waiting. None covers a whole
// body: a large blob on a slow line may take as long as it moves.
const (
	DialTimeout   = 10 * time.Second // TCP connect, DNS included
	TLSTimeout    = 10 * time.Second // TLS handshake
	HeaderTimeout = 30 * time.Second // request sent until response header
	OpenTimeout   = 90 * time.Second // one Open: dial to header, its quick retry and an error's body
	IdleTimeout   = 60 * time.Second // no byte of a body for this long = cut
)

// idleConnections bounds the kept connections per host. They are rarely used
// twice, as links come minutes apart.
const idleConnections = 4

// DefaultUserAgent is sent when ClientOptions.UserAgent is empty.
const DefaultUserAgent = "finrelay"

// ClientOptions says which links a Client opens and how.
type ClientOptions struct {
	// Hosts a link may name: exact ("acct.blob.core.windows.net",
	// "host:8443") or ".suffix". Defaults to DefaultHosts.
	Hosts []string
	// Loopback lets links to 127.0.0.1, [::1] and localhost through, over
	// http too: for the simulator and tests. With a list of Hosts they must
	// be on it as well.
	Loopback bool
	// PlainHosts are those of the hosts above whose answers need not carry
	// Azure's headers, written in the same way: an on-premises file server, say.
	// Everywhere else an answer without them is a proxy's.
	PlainHosts []string
	// Proxy for all connections; nil means none. Environment variables are
	// never read. Through a proxy only the host name of a link can be
	// checked, as the proxy resolves it.
	Proxy *url.URL
	// RootCAs to trust instead of the system's, nil for the system's.
	RootCAs *x509.CertPool
	// UserAgent header; defaults to DefaultUserAgent.
	UserAgent string
	// Logger for requests at debug level, never with a query; nil means none.
	Logger *slog.Logger
}

// Client makes Sources out of SAS links. It is safe for concurrent use.
type Client struct {
	hosts            []string
	plain            []string
	loopback         bool
	loopbackUnlisted bool // Loopback without a list: loopback is allowed unlisted
	proxied          bool
	userAgent        string
	logger           *slog.Logger
	transport        *http.Transport
	http             *retryablehttp.Client

	openTimeout, idleTimeout time.Duration // tests shorten them
}

// NewClient returns a Client; the caller ends it with Close.
func NewClient(opt ClientOptions) *Client {
	c := &Client{
		loopback:         opt.Loopback,
		loopbackUnlisted: opt.Loopback && len(opt.Hosts) == 0,
		proxied:          opt.Proxy != nil,
		userAgent:        opt.UserAgent,
		logger:           opt.Logger,
		openTimeout:      OpenTimeout,
		idleTimeout:      IdleTimeout,
	}
	hosts := opt.Hosts
	if len(hosts) == 0 {
		hosts = DefaultHosts
	}
	c.hosts, c.plain = foldHosts(hosts), foldHosts(opt.PlainHosts)
	if c.userAgent == "" {
		c.userAgent = DefaultUserAgent
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	c.transport = c.newTransport(opt)
	c.http = newRetrier(c.transport)
	return c
}

func foldHosts(hosts []string) []string {
	folded := make([]string, len(hosts))
	for i, host := range hosts {
		folded[i] = strings.TrimSuffix(strings.ToLower(host), ".")
	}
	return folded
}

func (c *Client) newTransport(opt ClientOptions) *http.Transport {
	t := &http.Transport{
		DialContext:           c.dialContext,
		TLSClientConfig:       &tls.Config{RootCAs: opt.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   TLSTimeout,
		ResponseHeaderTimeout: HeaderTimeout,
		MaxIdleConnsPerHost:   idleConnections,
		IdleConnTimeout:       IdleTimeout,
		// The raw file is the blob as it is stored, whatever its
		// Content-Encoding says; lengths and MD5 are about those bytes.
		DisableCompression: true,
	}
	if opt.Proxy != nil {
		t.Proxy = http.ProxyURL(opt.Proxy)
		// The guard would look at the proxy's address, which the operator
		// chose and which usually is a private one.
		t.DialContext = (&net.Dialer{Timeout: DialTimeout}).DialContext
		t.OnProxyConnectResponse = tunnelRefused
	}
	return t
}

// tunnelRefused keeps a proxy's "no" apart from Azure's.
func tunnelRefused(_ context.Context, _ *url.URL, req *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &LinkError{Kind: KindNotAzure, Host: req.Host, StatusCode: resp.StatusCode, Detail: "the proxy gives no tunnel"}
}

// Close closes idle connections. Sources that are still open are not cut.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Link checks a SAS link and returns the Source behind it, without touching
// the network. It returns a *LinkError of KindHostile when the link is not
// allowed; the address behind the host name is checked by Open.
func (c *Client) Link(rawURL string) (Source, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if err := c.checkURL(u); err != nil {
		return nil, err
	}
	info, err := ParseLink(rawURL)
	if err != nil {
		return nil, err
	}
	return newLink(c, rawURL, u, info), nil
}

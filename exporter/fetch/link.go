package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// link is the Source behind a SAS link.
type link struct {
	client *Client
	info   LinkInfo
	url    *url.URL
	plain  bool     // its server need not answer as Azure does
	secret []string // spellings of the signature that must not come back in a text
}

// newLink keeps the link's path and query byte for byte. A url.URL made by
// url.Parse would write the path in an encoding of its own; the signature
// covers the decoded path, but proxies and caches compare the bytes.
func newLink(c *Client, raw string, u *url.URL, info LinkInfo) *link {
	path, query := splitTarget(raw)
	wire := &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: path, RawQuery: query}
	// The absolute form: for a proxy that is asked in clear text, and for a
	// path that begins with two slashes, which Opaque would take for a host.
	if c.proxied && u.Scheme == "http" || strings.HasPrefix(path, "//") {
		wire.Opaque = "//" + u.Host + path
	}
	l := &link{client: c, info: info, url: wire, plain: listed(c.plain, u, c.loopback && isLoopbackHost(u.Hostname()))}
	if sig := u.Query().Get("sig"); sig != "" {
		l.secret = []string{sig, url.QueryEscape(sig), strings.ReplaceAll(sig, "+", " ")}
	}
	return l
}

// splitTarget cuts path and query out of a URL that url.Parse accepted, in
// the same order as url.Parse does: fragment, query, authority.
func splitTarget(raw string) (path, query string) {
	raw, _, _ = strings.Cut(raw, "#")
	raw, query, _ = strings.Cut(raw, "?")
	_, raw, _ = strings.Cut(raw, "://")
	if i := strings.IndexByte(raw, '/'); i >= 0 {
		path = raw[i:]
	} else {
		path = "/"
	}
	return wireSafe(path), wireSafe(query)
}

// wireSafe escapes what no request line can carry, and nothing else. Such
// bytes come from senders that print a link for people: .NET's Uri.ToString
// turns %20 back into a space.
func wireSafe(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// String gives the link without its query, so that printing a Source is safe.
func (l *link) String() string { return l.info.Redacted }

// GoString is String: %#v would print the query.
func (l *link) GoString() string { return l.info.Redacted }

func (l *link) Open(ctx context.Context, offset int64, etag string) (*Body, error) {
	if etag == "" {
		offset = 0
	}
	ctx, cancel := context.WithCancelCause(ctx)
	alarm := time.AfterFunc(l.client.openTimeout, func() { cancel(errSilent) })
	body, err := l.open(ctx, offset, etag)
	if err != nil {
		// Order: the cause is read before our own cancel would hide it.
		err = l.explain(ctx, err)
		alarm.Stop()
		cancel(nil)
		return nil, err
	}
	alarm.Stop()
	body.ReadCloser = &idleReader{
		body: body.ReadCloser, ctx: ctx, cancel: cancel, alarm: alarm,
		limit: l.client.idleTimeout, explain: l.explain,
	}
	return body, nil
}

func (l *link) open(ctx context.Context, offset int64, etag string) (*Body, error) {
	req, err := l.request(ctx, offset, etag)
	if err != nil {
		return nil, err
	}
	resp, err := l.client.http.Do(req)
	if err != nil {
		if resp != nil {
			resp.Body.Close()
		}
		return nil, err
	}
	l.client.logger.LogAttrs(ctx, slog.LevelDebug, "blob answered", slog.String("url", l.info.Redacted),
		slog.Int("status", resp.StatusCode), slog.Int64("offset", offset), slog.Int64("length", resp.ContentLength))
	body, err := l.read(resp, offset, etag)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return body, nil
}

// request carries nothing but the question. Above all no Authorization
// header: beside a SAS, Azure refuses it, and the token is not the blob
// host's to see.
func (l *link) request(ctx context.Context, offset int64, etag string) (*retryablehttp.Request, error) {
	u := *l.url
	req := (&http.Request{Method: http.MethodGet, URL: &u, Host: u.Host, Header: http.Header{}}).WithContext(ctx)
	req.Header.Set("User-Agent", l.client.userAgent)
	req.Header.Set("Accept-Encoding", "identity")
	if etag != "" {
		req.Header.Set("If-Match", etag)
	}
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	return retryablehttp.FromRequest(req)
}

// explain turns an error of the transport into a *LinkError without the URL
// that net/http puts into it. The caller's own stop stays what it is.
func (l *link) explain(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if ctx.Err() != nil && cause != errSilent {
		return cause
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	if known, ok := errors.AsType[*LinkError](err); ok {
		if known.Host == "" {
			known.Host = l.info.Host
		}
		return known
	}
	if cause == errSilent {
		err = errSilent
	}
	return &LinkError{Kind: KindNetwork, Host: l.info.Host, Err: err}
}

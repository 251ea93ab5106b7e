package dmf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Download is a file on its way. The caller reads it to io.EOF and closes it.
// Any other error is an *APIError of Op "download", or the context's; the
// bytes up to then are worth nothing, as there is no resuming.
//
// That FinOps answered 200 does not make the body the export: a proxy on the
// way answers with pages of its own, and a connection that breaks can look like
// one that ends (see Framed).
//
// Assumed: no ranges, as no source knows one; a 206 would show it wrong.
type Download struct {
	io.ReadCloser
	Size            int64  // bytes to come, as they are sent; -1 when FinOps does not say
	ContentType     string // as sent; tells nothing certain about the content
	ContentEncoding string // as sent; a proxy may pack what was asked for unpacked
	Framed          bool   // see Framed
}

// Framed reports whether the end of a response's body is told apart from the
// end of its connection. Where it is not, a body that was cut looks whole.
//
// Source: RFC 9112, section 6.3: a body without Content-Length and without
// chunks ends when the connection is closed. RFC 9113, section 8.1: HTTP/2 ends
// each stream with a flag.
func Framed(resp *http.Response) bool {
	return resp.ContentLength >= 0 || slices.Contains(resp.TransferEncoding, "chunked") || resp.ProtoMajor >= 2
}

// ErrNoFile: a 2xx answer to a download that brings no file, as 204 does.
var ErrNoFile = errors.New("the answer brings no file")

// RedirectError is a download that FinOps sends on to another address, which is
// not a page to sign in at. Nothing was sent there, above all no token.
type RedirectError struct {
	Status   int
	Location string // absolute, "" when the answer names none; may carry a signature: never log it
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("FinOps sends this download on to %s", e.Host())
}

// Host is where the redirect points to.
func (e *RedirectError) Host() string {
	if e.Location == "" {
		return "nowhere: the answer names no address"
	}
	u, err := url.Parse(e.Location)
	if err != nil || u.Host == "" {
		return "an address that cannot be read"
	}
	return clipText(u.Host, 100)
}

// Signed reports whether the address carries a signature of its own, as links
// to Azure's storage do: then it asks for no sign-in.
func (e *RedirectError) Signed() bool {
	u, err := url.Parse(e.Location)
	return err == nil && signedLink(u)
}

func signedLink(u *url.URL) bool { return u.Query().Get("sig") != "" }

// OpenDownload opens the file of m. The header may take HeaderTimeout, and each
// further byte IdleTimeout, but there is no limit on the whole: ctx, which
// governs the body too, is the way to set one.
//
// The token goes to the environment's own scheme, host and port only. A
// location elsewhere is an *APIError of ErrHostile, and nothing is sent. A
// redirect is not followed: it is an *APIError that wraps a *RedirectError, or a
// *SignInError when it leads to a page to sign in at. Any 2xx but 200 is an
// *APIError of ErrNoFile.
func (c *Client) OpenDownload(ctx context.Context, activity ActivityID, m Message) (*Download, error) {
	const op = "download"
	if m.DownloadLocation == "" {
		return nil, fmt.Errorf("download message %s of activity %s: it has no file", m.CorrelationID, activity)
	}
	location, err := ownURL(c.base, m.DownloadLocation)
	if err != nil {
		return nil, &APIError{Op: op, Err: err}
	}
	bodyCtx, cancel := context.WithCancelCause(ctx)
	resp, err := c.open(ctx, bodyCtx, request{op: op, method: http.MethodGet, url: location.String(), idempotent: true, raw: true})
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		drop(resp)
		cancel(nil)
		return nil, &APIError{Op: op, StatusCode: resp.StatusCode, RequestID: requestID(resp.Header), Err: ErrNoFile}
	}
	body := &idleReader{body: resp.Body, caller: ctx, ctx: bodyCtx, cancel: cancel, limit: c.idle, requestID: requestID(resp.Header)}
	body.alarm = time.AfterFunc(c.idle, func() { cancel(errSilent) })
	body.alarm.Stop()
	return &Download{
		ReadCloser: body, Size: resp.ContentLength, Framed: Framed(resp),
		ContentType: resp.Header.Get("Content-Type"), ContentEncoding: resp.Header.Get("Content-Encoding"),
	}, nil
}

var errSilent = errors.New("the server sent nothing for too long")

// idleReader cuts a body that stays silent. The alarm runs only during a Read,
// so that a slow disk is not blamed on FinOps.
type idleReader struct {
	body        io.ReadCloser
	caller, ctx context.Context // ctx, derived from caller's, is the request's
	cancel      context.CancelCauseFunc
	alarm       *time.Timer
	limit       time.Duration
	requestID   string
}

func (r *idleReader) Read(p []byte) (int, error) {
	r.alarm.Reset(r.limit)
	n, err := r.body.Read(p)
	r.alarm.Stop()
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case r.caller.Err() != nil:
		return n, fmt.Errorf("download: %w", ctxCause(r.caller))
	case errors.Is(context.Cause(r.ctx), errSilent):
		err = fmt.Errorf("%w (%s)", errSilent, r.limit)
	default:
		err = fmt.Errorf("the body was cut: %w", withoutURL(err))
	}
	return n, &APIError{Op: "download", RequestID: r.requestID, Err: err}
}

func (r *idleReader) Close() error {
	r.alarm.Stop()
	err := r.body.Close()
	r.cancel(nil)
	return err
}

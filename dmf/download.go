package dmf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Download is a file on its way. The caller reads it to io.EOF and closes it.
// Any other error is an *APIError of Op "download", or the context's; the
// bytes up to then are worth nothing, as there is no resuming.
//
// Assumed: no ranges, as no source knows one; a 206 would show it wrong.
type Download struct {
	io.ReadCloser
	Size        int64  // bytes to come; -1 when FinOps does not say
	ContentType string // as sent; tells nothing certain about the content
}

// OpenDownload opens the file of m. The header may take HeaderTimeout, and each
// further byte IdleTimeout, but there is no limit on the whole: ctx, which
// governs the body too, is the way to set one.
//
// The token goes to the environment's own scheme, host and port only. A
// location elsewhere is an *APIError of ErrHostile, and nothing is sent.
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
	body := &idleReader{body: resp.Body, caller: ctx, ctx: bodyCtx, cancel: cancel, limit: c.idle, requestID: requestID(resp.Header)}
	body.alarm = time.AfterFunc(c.idle, func() { cancel(errSilent) })
	body.alarm.Stop()
	return &Download{ReadCloser: body, Size: resp.ContentLength, ContentType: resp.Header.Get("Content-Type")}, nil
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

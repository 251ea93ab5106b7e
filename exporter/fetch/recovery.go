package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// cutError is a body that ended before the blob did.
type cutError struct {
	got int64 // bytes that this answer gave
	err error // what the reader said; io.ErrUnexpectedEOF for one that is just short
}

func (e *cutError) Error() string { return fmt.Sprintf("body cut: %v", e.err) }
func (e *cutError) Unwrap() error { return e.err }

// decide returns nil when it is worth asking again from where the part file
// stands now, else the error to give to the caller.
func (d *loop) decide(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if cut, ok := errors.AsType[*cutError](err); ok {
		return d.afterCut(ctx, cut)
	}
	link, ok := errors.AsType[*LinkError](err)
	if !ok {
		return err
	}
	switch link.Kind {
	case KindChanged, KindMismatch:
		return d.again(err)
	case KindBusy:
		return d.stalled(ctx, err, link.RetryAfter)
	case KindNetwork:
		// Without a single answer there is nothing to hold on to: the server
		// is not there, and the caller's schedule knows how long to wait.
		if d.answers == 0 {
			return err
		}
		return d.stalled(ctx, err, 0)
	}
	return err
}

// afterCut goes on where the body ended, or from the start when the blob has
// no name to ask for.
func (d *loop) afterCut(ctx context.Context, cut *cutError) error {
	err := d.fault(KindNetwork, "")
	if link, ok := errors.AsType[*LinkError](cut.err); ok {
		err = link
	} else {
		err.Err = cut.err
	}
	err.Detail = fmt.Sprintf("body cut at byte %d", d.part.offset)
	if d.size >= 0 {
		err.Detail += fmt.Sprintf(" of %d", d.size)
	}
	if cut.got >= minProgress {
		d.stalls = 0
	}
	if d.etag == "" {
		return d.again(err)
	}
	if cut.got >= minProgress {
		return nil
	}
	return d.stalled(ctx, err, 0)
}

// stalled waits a little, if there is anything to wait for and patience left.
// stated is what the server asks to wait.
func (d *loop) stalled(ctx context.Context, err error, stated time.Duration) error {
	d.stalls++
	pause := max(stated, firstPause<<(d.stalls-1))
	if d.stalls >= maxStalls || !d.patience.wait(ctx, pause) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// again throws the part file away and starts over, a bounded number of times.
func (d *loop) again(err error) error {
	if d.restarts >= maxRestarts {
		return err
	}
	d.restarts++
	d.etag, d.size, d.md5 = "", -1, nil
	return d.part.reset()
}

// leave puts the part file into the state that the caller will find it in:
// marked as far as it came, or gone when its bytes are of no use.
func (d *loop) leave(err error) error {
	if link, ok := errors.AsType[*LinkError](err); ok && (link.Kind == KindTooLarge || link.Kind == KindMismatch) {
		return d.part.discard()
	}
	// A disk that just failed gets no more work.
	if _, ok := errors.AsType[*diskError](err); ok {
		return d.part.close()
	}
	var marked error
	if d.part.unsynced() > 0 && d.part.offset != d.size {
		marked = d.part.mark(d.etag)
	}
	return errors.Join(marked, d.part.close())
}

func (d *loop) fault(kind Kind, detail string) *LinkError {
	return &LinkError{Kind: kind, Host: d.host, Detail: detail}
}

func (d *loop) tooLarge(size int64) error {
	if size < 0 {
		return d.fault(KindTooLarge, fmt.Sprintf("more than %d bytes", d.opt.MaxBytes))
	}
	return d.fault(KindTooLarge, fmt.Sprintf("%d bytes, the limit is %d", size, d.opt.MaxBytes))
}

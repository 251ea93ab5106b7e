package convert

import (
	"context"
	"time"
)

// rowLimit ends a program that takes too long over a row. A context with a
// deadline for each row would cost as much as a small program, so one serves
// for as long as its rows are in time.
type rowLimit struct {
	ctx    context.Context // nil: none at work
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

// begin gives the context of the next row.
func (l *rowLimit) begin(ctx context.Context) context.Context {
	if l.ctx == nil {
		limited, cancel := context.WithCancelCause(ctx)
		l.ctx, l.cancel = limited, cancel
		l.timer = time.AfterFunc(transformTime, func() { cancel(errSlow) })
	} else {
		l.timer.Reset(transformTime)
	}
	return l.ctx
}

// passed says that the row at hand took too long.
func (l *rowLimit) passed() bool { return context.Cause(l.ctx) == errSlow }

// end is called when the row is through.
func (l *rowLimit) end() {
	if !l.timer.Stop() {
		l.release() // too late for this row, and not for the next
	}
}

// release lets go of the context until the next begin.
func (l *rowLimit) release() {
	if l.ctx != nil {
		l.timer.Stop()
		l.cancel(nil)
		l.ctx = nil
	}
}

package convert

import (
	"context"
	"errors"

	"finrelay/exporter"
)

// emitter gathers finished lines and hands them to the sink in blocks. Readers
// append a line to out and call row.
type emitter struct {
	ctx    context.Context
	sink   Sink
	window *window
	res    *Result
	out    []byte
	rows   int
	trail  *trail // of the rows in out; nil unless the sink asks
	failed bool   // the sink refused something: give it nothing more
	held   bool   // rows are kept back, since they may be read again; see lookBack
	repeat Repeat
	muted  bool // the caller converts again: the sink is given nothing more
}

// newEmitter makes an emitter of rows that come from w, or from a sheet.
func newEmitter(ctx context.Context, sink Sink, w *window, res *Result) *emitter {
	e := &emitter{ctx: ctx, sink: sink, window: w, res: res}
	if _, asks := sink.(asker); asks {
		e.trail = &trail{window: w}
	}
	return e
}

// row counts the line that was just appended to out, of the record that the
// window moved over last.
func (e *emitter) row() error {
	e.rows++
	if e.trail != nil {
		e.trail.add(e.rows == 1)
	}
	if len(e.out) < blockSize && !e.trail.full() || e.held {
		return nil
	}
	return e.flush()
}

// letGo ends the time in which rows may be read again.
func (e *emitter) letGo() {
	if e.held {
		e.held, e.window.mark = false, -1
	}
}

func (e *emitter) flush() error {
	e.letGo()
	e.mute()
	if err := e.hand(e.out, e.rows, e.trail); err != nil || e.rows == 0 {
		return err
	}
	e.rows = 0
	if cap(e.out) > 8*blockSize {
		e.out = nil // one very long row must not hold its memory to the end
	}
	e.out = e.out[:0]
	return nil
}

// hand gives the sink lines, unless the conversion is to end.
func (e *emitter) hand(lines []byte, rows int, from origin) error {
	if e.ctx.Err() != nil {
		e.failed = true
		return context.Cause(e.ctx)
	}
	if rows == 0 {
		return nil
	}
	if e.muted {
		e.res.Rows += int64(rows)
		return nil
	}
	var err error
	if to, asks := e.sink.(asker); asks {
		err = to.blockFrom(lines, rows, from)
	} else {
		err = e.sink.Block(lines, rows)
	}
	if err != nil {
		e.failed = true
		return err
	}
	e.res.Rows += int64(rows)
	return nil
}

// flushAfter gives the sink the whole rows that stood before a malformed
// record, so that what it received does not depend on the size of blocks.
func (e *emitter) flushAfter(err error) error {
	if _, ok := errors.AsType[*exporter.RecordError](err); !ok || e.failed {
		return nil
	}
	return e.flush()
}

// badRow gives the sink the first n bytes of the window as no row. Rows before
// it go first: the sink sees source order.
func (e *emitter) badRow(n int, f *fault) error {
	if err := e.flush(); err != nil {
		return err
	}
	return e.refuse(e.window.bytes()[:n], f)
}

// refuse gives the sink a record, which stands at the window's place, as no row.
func (e *emitter) refuse(rec []byte, f *fault) error {
	e.res.BadRows++
	if e.muted {
		return nil
	}
	line, column := e.window.after(rec[:min(f.at, len(rec))])
	bad := BadRow{
		Line:   line,
		Column: column,
		Record: e.res.Rows + e.res.BadRows,
		Raw:    e.window.place.source(rec),
		Err:    f.err,
	}
	if err := e.sink.BadRow(bad); err != nil {
		e.failed = true
		return err
	}
	return nil
}

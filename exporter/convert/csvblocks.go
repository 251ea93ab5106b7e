package convert

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
)

// maxFlying is how many blocks may be with the workers or behind them.
const maxFlying = 4

// csvBlocks converts CSV block by block, on all cores.
//
//	ahead ─▶ cut ─▶ workers ─▶ emit, in order
//	          │                  │ a block did not end where it was cut
//	          ▼                  ▼
//	        carry ◀────────── window: the sequential reader
//
// Where a record ends depends on every quote before it, so no block can be cut
// with certainty before the one in front of it was read. The cut is a guess:
// the last line end with an even number of quotes before it. Nothing rests on
// it. Workers read their block with the code that the sequential reader uses,
// and say how far whole records went. A block whose predecessor ended exactly
// where it begins does begin with a record, so its rows are right, whatever the
// guess was made of; and so on by induction from the header.
//
// When a block did not end at its cut, the sequential reader takes over at the
// record that goes on, with the blocks that were cut too early behind it, until
// a record ends at the end of a block or none is left. Then it goes on in blocks
// from there.
//
// All of this runs in the goroutine that called Convert, but for ahead and the
// workers.
type csvBlocks struct {
	*csvReader
	ahead   *ahead
	ended   error    // why ahead gives nothing more; nil before
	flying  []*block // oldest first; c.window comes before, carry after them
	cores   int      // that may convert
	allowed int      // flying at a time: few after a wrong guess, then more again
	carry   []byte   // text behind the last cut
	inside  bool     // carry ends inside quotes, if the guess is right
	mem     *memory
	walk    csvWalk // the rows that are being handed over

	spare   []*csvRows // with no block
	jobs    chan *block
	workers sync.WaitGroup
}

// newCSVBlocks feeds c's window from a, from the header on. stop ends it.
func newCSVBlocks(c *csvReader, a *ahead, cores int, mem *memory) *csvBlocks {
	b := &csvBlocks{csvReader: c, ahead: a, cores: cores, allowed: 1, carry: mem.carry[:0], mem: mem}
	c.window.feed = b.feed
	return b
}

// run converts the rows.
func (c *csvBlocks) run() error {
	for {
		// First what is left of the bytes in which the header was found.
		if err := c.inOrder(); err != nil || c.window.eof {
			return err
		}
		if err := c.atOnce(); err != nil {
			return err
		}
	}
}

// inOrder reads records out of the window until the next block begins with a
// record, or the rest can begin one, or the file ends.
func (c *csvBlocks) inOrder() error {
	for {
		switch {
		case len(c.flying) > 0 && len(c.window.bytes()) == 0:
			return nil
		case len(c.flying) == 0 && c.ended == nil && c.rebase():
			return nil
		}
		row, err := c.next()
		if err != nil || row.size == 0 {
			return err
		}
		if err := c.finish(row); err != nil {
			return err
		}
	}
}

// rebase makes what the window holds the beginning of the next block, if there
// is room for it. A block is longer than that room, so a record that is longer
// than a block does not come back here again and again.
func (c *csvBlocks) rebase() bool {
	w := c.window
	held := w.bytes()
	if len(held)+len(c.carry) > front() {
		return false
	}
	c.carry = slices.Insert(c.carry, 0, held...)
	c.inside = c.shape.oddQuotes(c.carry)
	w.drop()
	return true
}

// feed appends to the window what comes behind it, one block whole.
func (c *csvBlocks) feed() error {
	w := c.window
	switch {
	case len(c.flying) > 0:
		b := c.pop()
		<-b.rows.done
		w.append(b.text())
		c.recycle(b)
	case len(c.carry) > 0:
		w.append(c.carry)
		c.carry = c.carry[:0]
	case c.ended == nil:
		select {
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case b := <-c.ahead.filled:
			c.took(b)
			w.append(b.text())
			c.ahead.recycle(b)
		}
	case errors.Is(c.ended, io.EOF):
		w.eof = true
	default:
		return c.ended
	}
	return nil
}

// atOnce converts blocks until one did not end where it was cut, or there are
// no more. The window is empty, and what is left goes into it.
func (c *csvBlocks) atOnce() error {
	most := maxFlying
	if c.cores == 1 {
		most = 1 // converted here, one after the other
	}
	for len(c.flying) > 0 || c.ended == nil {
		var more, done = c.ahead.filled, chan struct{}(nil)
		if len(c.flying) >= c.allowed || c.ended != nil {
			more = nil
		}
		if len(c.flying) > 0 {
			done = c.flying[0].rows.done
		}
		select {
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case b := <-more:
			c.took(b)
			c.cut(b)
			c.launch(b, most > 1)
		case <-done:
			whole, err := c.land()
			if err != nil {
				return err
			}
			if !whole {
				c.allowed = 1
				return nil
			}
			c.allowed = min(c.allowed+1, most)
		}
	}
	return nil
}

func (c *csvBlocks) took(b *block) {
	c.ahead.took(b)
	c.window.codec = b.decoded.codec
	c.ended = b.err
}

// cut puts the carry in front of the block and takes a new one from its end.
// Where no line end will do the block ends anywhere, which its worker notices.
func (c *csvBlocks) cut(b *block) {
	b.start -= copy(b.mem[b.start-len(c.carry):], c.carry)
	text := b.text()
	// What ends in the block: a quote outside ASCII may have begun in the carry.
	since := max(0, len(c.carry)+1-len(c.shape.quote))
	c.inside = c.inside != c.shape.oddQuotes(text[since:])
	end := c.shape.lastRecordEnd(text, c.inside)
	if len(text)-end > front() {
		end = len(text)
	}
	c.carry = append(c.carry[:0], text[end:]...)
	b.end = b.start + end
}

// launch gives the block to a worker, of which there is one a core, or converts
// it here.
func (c *csvBlocks) launch(b *block, others bool) {
	c.flying = append(c.flying, b)
	if n := len(c.spare); n > 0 {
		b.rows, c.spare = c.spare[n-1], c.spare[:n-1]
	} else {
		b.rows = csvRowsPool.Get().(*csvRows)
	}
	if !others {
		c.convert(b)
		return
	}
	if c.jobs == nil {
		c.jobs = make(chan *block, maxFlying)
		for range min(c.cores, maxFlying) {
			c.workers.Go(c.work)
		}
	}
	c.jobs <- b
}

func (c *csvBlocks) work() {
	for b := range c.jobs {
		c.convert(b)
	}
}

func (c *csvBlocks) convert(b *block) {
	b.rows.convert(b, c.shape, c.window.max)
	b.rows.done <- struct{}{}
}

func (c *csvBlocks) recycle(b *block) {
	if b.rows != nil {
		c.spare = append(c.spare, b.rows)
		b.rows = nil
	}
	c.ahead.recycle(b)
}

// land gives the sink what became of the oldest block, which begins with a
// record, and the window what is left of it. whole says that nothing is.
func (c *csvBlocks) land() (whole bool, err error) {
	b := c.pop()
	defer c.recycle(b)
	for {
		if b.rows.died != nil {
			panic(b.rows.died.String())
		}
		if err := c.emit(b.text(), b.rows); err != nil {
			return false, err
		}
		full := len(b.rows.out) >= maxOut()
		b.start += b.rows.read
		if b.start == b.end {
			return true, nil
		}
		if !full {
			c.window.append(b.text())
			return false, nil
		}
		b.rows.convert(b, c.shape, c.window.max) // its lines were too many for one time
	}
}

// emit gives the sink rows and records that are none, in order.
func (c *csvBlocks) emit(text []byte, r *csvRows) error {
	if err := c.flush(); err != nil {
		return err // rows that were read in order stand before it
	}
	at, out, rows := 0, 0, 0
	since := func(end int) origin { // of the rows behind the last fault
		c.walk = csvWalk{csv: c.shape, place: c.window.place, text: text[at:end], line: c.walk.line}
		return &c.walk
	}
	c.res.Oddities.note(&c.window.place, text, r.odds, r.odd)
	for _, f := range r.faults {
		if err := c.hand(r.out[out:f.out], f.rows-rows, since(f.at)); err != nil {
			return err
		}
		out, rows = f.out, f.rows
		c.window.place.advance(text[at:f.at])
		at = f.at + f.size
		if err := c.refuse(text[f.at:at], f.fault); err != nil {
			return err
		}
		c.window.place.advance(text[f.at:at])
	}
	from := since(r.read)
	c.window.place.advance(text[at:r.read])
	return c.hand(r.out[out:], r.rows-rows, from)
}

func (c *csvBlocks) pop() *block {
	b := c.flying[0]
	c.flying = slices.Delete(c.flying, 0, 1)
	return b
}

// stop ends the workers and gives all blocks back.
func (c *csvBlocks) stop() {
	if c.jobs != nil {
		close(c.jobs)
		c.workers.Wait()
	}
	for _, b := range c.flying {
		<-b.rows.done
		c.recycle(b)
	}
	for _, r := range c.spare {
		r.release()
	}
	c.mem.carry = c.carry
}

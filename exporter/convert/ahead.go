package convert

import "fmt"

// aheadBlocks is how many blocks may be with the reader, or between it and who
// takes them: some milliseconds of inflating, so that it goes on when those who
// convert have to wait for a core or for the disk.
const aheadBlocks = 8

// blocksOf is how many blocks a conversion works with.
func blocksOf(format Format, opt Options) int {
	switch {
	case format != FormatCSV:
		return aheadBlocks
	case opt.Cores == 1:
		return aheadBlocks + 1
	}
	return aheadBlocks + maxFlying
}

// ahead reads text in a goroutine of its own, a few blocks before they are
// wanted: inflating a package costs as much as all the rest together, so it
// has a core for itself where there is one.
type ahead struct {
	filled chan *block   // in order; the last one has err set
	empty  chan *block   // back from who took them
	quit   chan struct{} // closed to end the goroutine
	ended  chan struct{} // closed by it

	// Only for who takes:
	held    *block // being handed out by Read
	last    error
	decoded decoding
}

// readAhead starts to read t, which belongs to it until stop has returned. It
// uses that many blocks; who takes one gives it back with recycle.
func readAhead(t *text, blocks int) *ahead {
	a := &ahead{
		filled: make(chan *block, blocks),
		empty:  make(chan *block, blocks),
		quit:   make(chan struct{}),
		ended:  make(chan struct{}),
	}
	a.decoded = t.decoding()
	go a.run(t)
	return a
}

func (a *ahead) run(t *text) {
	defer close(a.ended)
	for made := 0; ; {
		var b *block
		select {
		case b = <-a.empty:
		default:
			if made < cap(a.empty) { // made as they are needed: small files need one
				b = newBlock()
				made++
			}
		}
		if b == nil {
			select {
			case b = <-a.empty:
			case <-a.quit:
				return
			}
		}
		b.fill(t)
		last := b.err != nil
		a.filled <- b // there is room for every block
		if last {
			return
		}
		select {
		case <-a.quit:
			return
		default:
		}
	}
}

// took notes what the block says of the text. A panic of the source goes on
// here, where those who called Convert can catch it.
func (a *ahead) took(b *block) {
	a.decoded = b.decoded
	if p, ok := b.err.(*panicked); ok {
		panic(p.String())
	}
}

func (a *ahead) recycle(b *block) { a.empty <- b }

func (a *ahead) decoding() decoding { return a.decoded }

// Read copies what was read ahead.
func (a *ahead) Read(p []byte) (int, error) {
	for a.last == nil {
		if a.held == nil {
			a.held = <-a.filled
			a.took(a.held)
		}
		b := a.held
		if n := copy(p, b.text()); n > 0 {
			b.start += n
			return n, nil
		}
		a.last = b.err
		a.held = nil
		a.recycle(b)
	}
	return 0, a.last
}

// stop ends the goroutine, waiting for a Read of the source in progress. Every
// block that was taken must be back.
func (a *ahead) stop() {
	close(a.quit)
	<-a.ended
	if a.held != nil {
		a.held.release()
	}
	for len(a.filled) > 0 {
		(<-a.filled).release()
	}
	for len(a.empty) > 0 {
		(<-a.empty).release()
	}
}

// panicked carries a panic from the goroutine in which it happened to the one
// that called Convert.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprint(p.value) }

func (p *panicked) String() string {
	return fmt.Sprintf("%v\n\nin another goroutine of the conversion:\n%s", p.value, p.stack)
}

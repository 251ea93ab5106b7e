package convert

import (
	"runtime/debug"
	"sync"
)

// block is a piece of text on its way from the goroutine that reads to those
// that convert. It changes hands through channels: whoever holds it owns it.
type block struct {
	mem        []byte
	start, end int // the text within mem

	// Set by the reader.
	decoded decoding
	err     error // why this is the last block, io.EOF too

	rows *csvRows // what a worker makes of it; nil when it is with none
}

func (b *block) text() []byte { return b.mem[b.start:b.end] }

// front is the room before the text that a block is read with. The beginning
// of a row whose end comes with the next block is put there: so the reader need
// not wait until it is known where the block before it ends.
func front() int { return blockSize / 2 }

// blocks keeps the memory of ended conversions for the next: a package of a
// thousand small files must not cost a thousand set-ups.
var blocks sync.Pool

func newBlock() *block {
	size := front() + blockSize + minRead + readBeyond
	if b, ok := blocks.Get().(*block); ok && len(b.mem) == size {
		return b
	}
	return &block{mem: make([]byte, size)}
}

// release gives the block to whoever wants one next.
func (b *block) release() {
	b.err, b.decoded, b.rows = nil, decoding{}, nil
	blocks.Put(b)
}

// fill reads a block of text; it is shorter than blockSize only at the end.
func (b *block) fill(t *text) {
	defer func() {
		if value := recover(); value != nil {
			b.err = &panicked{value, debug.Stack()}
		}
	}()
	b.start, b.end, b.err = front(), front(), nil
	for b.end < b.start+blockSize && b.err == nil {
		var n int
		n, b.err = t.Read(b.mem[b.end:t.limit(b.start+blockSize)])
		b.end += n
	}
	b.decoded = t.decoding()
}

package convert

import (
	"bufio"
	"sync"
)

// memory is what every conversion needs some of. It serves the next one when
// this one has ended: setting up must not cost more than reading a small file.
type memory struct {
	head   *bufio.Reader // of sniffSize
	window []byte
	carry  []byte
	out    []byte
}

var memories = sync.Pool{New: func() any { return &memory{head: bufio.NewReaderSize(nil, sniffSize)} }}

// keepAtMost is what a conversion may leave behind of each kind, in bytes: a
// very long record must not hold its memory for ever.
const keepAtMost = 1 << 20

func (m *memory) release() {
	m.head.Reset(nil)
	for _, b := range []*[]byte{&m.window, &m.carry, &m.out} {
		if cap(*b) > keepAtMost {
			*b = nil
		}
	}
	memories.Put(m)
}

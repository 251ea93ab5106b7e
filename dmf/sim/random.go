package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
)

// stream returns the random numbers of one purpose. Purposes are independent:
// making one more event does not change the next blob's name.
func stream(seed uint64, purpose string) *rand.Rand {
	h := derive(seed, purpose)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:16])))
}

// derive gives 32 bytes that depend on the seed and a purpose only.
func derive(seed uint64, purpose string) [32]byte {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	return sha256.Sum256(append(b, purpose...))
}

// ids draws identifiers, one stream a purpose. Safe for concurrent use.
type ids struct {
	seed uint64

	mu      sync.Mutex
	streams map[string]*rand.Rand
	last    map[string]int64
}

func newIDs(seed uint64) *ids {
	return &ids{seed: seed, streams: make(map[string]*rand.Rand), last: make(map[string]int64)}
}

// draw runs f on the purpose's stream under the lock.
func (d *ids) draw(purpose string, f func(*rand.Rand)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.streams[purpose]
	if r == nil {
		r = stream(d.seed, purpose)
		d.streams[purpose] = r
	}
	f(r)
}

// hex32 returns a GUID as 32 upper-case hex digits, without dashes, as FinOps
// puts it into blob names.
func (d *ids) hex32(purpose string) string {
	var hi, lo uint64
	d.draw(purpose, func(r *rand.Rand) { hi, lo = r.Uint64(), r.Uint64() })
	// The bits of a version 4 GUID, so that strict readers accept it.
	hi = hi&^uint64(0xf000) | 0x4000
	lo = lo&^(uint64(0xc)<<60) | uint64(0x8)<<60
	return fmt.Sprintf("%016X%016X", hi, lo)
}

// guid returns a GUID in upper case with dashes and without braces.
func (d *ids) guid(purpose string) string {
	h := d.hex32(purpose)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// rising returns a number above the last one of the purpose, with gaps, as
// FinOps allots control numbers and record ids. The first is above start.
func (d *ids) rising(purpose string, start int64) int64 {
	var next int64
	d.draw(purpose, func(r *rand.Rand) {
		// Even steps keep the parity of start.
		next = max(d.last[purpose], start) + 2*(1+r.Int64N(20))
		d.last[purpose] = next
	})
	return next
}

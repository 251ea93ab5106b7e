package convert

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// fewFields is up to where comparing each with each beats a table.
const fewFields = 16

// nameSeed keeps documents from being written so that their names collide.
var nameSeed = maphash.MakeSeed()

// link chains the fields from base on that have the same key, and says whether
// any do.
func (s *xmlScan) link(base int) (repeats bool) {
	fields := s.fields[base:]
	if len(fields) > fewFields {
		return s.linkMany(base)
	}
	for i := range fields {
		for j := i - 1; j >= 0; j-- {
			if fields[j].sameKey(&fields[i]) {
				fields[j].next, fields[i].repeat, repeats = base+i, true, true
				break
			}
		}
	}
	return repeats
}

// linkMany is link with a table of open addresses, which unlike a map of
// strings copies no name.
func (s *xmlScan) linkMany(base int) (repeats bool) {
	fields := s.fields[base:]
	size := 1 << bits.Len(uint(2*len(fields)))
	if len(s.slots) < size {
		s.slots = make([]int32, size)
	}
	slots := s.slots[:size] // 1 + index of the last field of a key
	clear(slots)
	for i := range fields {
		f := &fields[i]
		at := int(maphash.Bytes(nameSeed, f.name)) & (size - 1)
		for ; slots[at] != 0; at = (at + 1) & (size - 1) {
			if last := &fields[slots[at]-1]; last.sameKey(f) {
				last.next, f.repeat, repeats = base+i, true, true
				break
			}
		}
		slots[at] = int32(i + 1)
	}
	return repeats
}

func (f *xmlField) sameKey(other *xmlField) bool {
	return f.attr == other.attr && bytes.Equal(f.name, other.name)
}

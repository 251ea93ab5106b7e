package convert

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"
)

// special marks the bytes of x that text cannot just take over, in XML or in
// JSON: control characters, < & " \ and ]. Only the lowest mark is to be
// trusted: a borrow may mark the byte above it.
func special(x uint64) uint64 {
	lt := x ^ '<'*ones
	amp := (x | 4*ones) ^ '&'*ones   // and ", which differs in one bit
	bracket := (x | ones) ^ ']'*ones // and the backslash
	below := (x - 0x20*ones) | (lt - ones) | (amp - ones) | (bracket - ones)
	return below &^ x & highBits // what has the highest bit itself is none of them
}

// value copies the text at the start of in, up to the byte end, to the start of
// out, with a quote behind it, and gives the lengths of both.
func (f *xmlFast) value(out, in []byte, o, p int, end byte) (int, int, xmlFound) {
	from, to := p, o
	var seen uint64
	for {
		if len(in)-p < 8 {
			return o, p, shortRow
		}
		x := binary.LittleEndian.Uint64(in[p:])
		binary.LittleEndian.PutUint64(out[o:], x)
		seen |= x
		if at := special(x); at != 0 {
			n := bits.TrailingZeros64(at) / 8
			p += n
			o += n
			break
		}
		p += 8
		o += 8
	}
	if in[p] != end {
		return f.careful(out, in, to, from, end)
	}
	if seen&highBits != 0 && !validText(in[from:p]) {
		return o, p, otherRow
	}
	out[o] = '"'
	return o + 1, p, likeRow
}

// careful is value for text that is not the same in XML and JSON.
func (f *xmlFast) careful(out, in []byte, o, p int, end byte) (int, int, xmlFound) {
	s := &f.scan
	s.reset(in, false)
	s.pos, s.text = p, s.text[:0]
	if err := s.chars(end); errors.Is(err, errShort) {
		return o, p, shortRow
	} else if err != nil || !validText(in[p:s.pos]) {
		return o, p, otherRow
	}
	// The opening quote is there already.
	return len(appendString(out[:o-1], s.text)), s.pos, likeRow
}

// validText says whether b is UTF-8 that XML allows, control characters apart.
func validText(b []byte) bool {
	return utf8.Valid(b) && (bytes.IndexByte(b, 0xEF) < 0 || checkChars(b) == nil)
}

package convert

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	keyStep    = 32 // keys are copied in steps of so many bytes, the last with padding
	wordRoom   = 32 // more than a step through a value writes, with what ends a line
	readBeyond = 8  // bytes that a step may read behind the end of the text
)

// csvKey is what stands before a value: the end of the value before it, and its
// key.
type csvKey struct {
	text []byte // padded to a multiple of keyStep
	size int
}

// prepareFast makes s ready for fastRow, which knows no quote but " and no
// delimiter outside ASCII.
func (s *csvShape) prepareFast() {
	if s.quoting && s.quote != `"` || len(s.delimiter) > 1 {
		return
	}
	for _, p := range s.prefix {
		padded := (len(p) + keyStep - 1) / keyStep * keyStep
		text := make([]byte, padded)
		copy(text, p)
		s.keys = append(s.keys, csvKey{text, len(p)})
		s.keyRoom = max(s.keyRoom, padded)
	}
	s.keyRoom += wordRoom
}

// fastRow does what appendRow does, for records without anything unusual about
// them: it writes the line of the record at src[i] to out[o:] and gives the
// offsets behind both. next is -1 when appendRow is to have a look, and after a
// record that does not end before end. src is readable readBeyond bytes beyond
// end, and known to be UTF-8. out is used up to its length and may be replaced.
//
// Each step copies eight bytes of a value before it is known how many of them
// belong to it: what was too much is overwritten by what follows.
func (s *csvShape) fastRow(out, src []byte, o, i, end int) (_ []byte, written, next int) {
	delimiters := uint64(s.comma) * ones
	for column := 0; column < len(s.keys); column++ {
		if len(out)-o < s.keyRoom {
			out = moreRoom(out, s.keyRoom)
		}
		key := &s.keys[column]
		for k := 0; k < len(key.text); k += keyStep {
			*(*[keyStep]byte)(out[o+k:]) = *(*[keyStep]byte)(key.text[k:])
		}
		o += key.size
		if src[i] == '"' && s.quoting {
			out, o, i = s.fastQuoted(out, src, o, i+1, end)
		} else {
			for i < end {
				if len(out)-o < wordRoom {
					out = moreRoom(out, wordRoom)
				}
				x := binary.LittleEndian.Uint64(src[i:])
				binary.LittleEndian.PutUint64(out[o:], x)
				special := (equal(x, delimiters) | equal(x, quotes) | equal(x, backslashes) | control(x)) & highBits
				if special == 0 {
					i, o = i+8, o+8
					continue
				}
				plain := bits.TrailingZeros64(special) / 8
				i, o = i+plain, o+plain
				c := src[i]
				if c == s.comma || i >= end || s.unquoted[c] != escape {
					break
				}
				o = len(appendEscape(out[:o], c))
				i++
			}
		}
		if i >= end {
			break
		}
		// Here the value ends, or something unusual stands.
		switch c := src[i]; {
		case c == s.comma:
			i++
			continue
		case c == '\r' && src[i+1] == '\n' && i+1 < end:
			i += 2
		case c == '\n':
			i++
		default:
			return out, o, -1
		}
		if column < len(s.keys)-1 {
			break // too few fields
		}
		o += copy(out[o:], "\"}\n")
		return out, o, i
	}
	return out, o, -1
}

// fastQuoted writes a value in quotes, from behind the one that opens it, and
// gives the offset behind the one that closes it.
func (s *csvShape) fastQuoted(out, src []byte, o, i, end int) (_ []byte, written, next int) {
	for i < end {
		if len(out)-o < wordRoom {
			out = moreRoom(out, wordRoom)
		}
		x := binary.LittleEndian.Uint64(src[i:])
		binary.LittleEndian.PutUint64(out[o:], x)
		special := (equal(x, quotes) | equal(x, backslashes) | control(x)) & highBits
		if special == 0 {
			i, o = i+8, o+8
			continue
		}
		plain := bits.TrailingZeros64(special) / 8
		i, o = i+plain, o+plain
		switch c := src[i]; {
		case c == 0:
			return out, o, end // for appendRow to complain about
		case c == '"' && src[i+1] != '"':
			return out, o, i + 1
		case c == '"':
			i++
		}
		o = len(appendEscape(out[:o], src[i]))
		i++
	}
	return out, o, end
}

// moreRoom makes out n bytes longer, or more.
func moreRoom(out []byte, n int) []byte {
	out = slices.Grow(out, n)
	return out[:cap(out)]
}

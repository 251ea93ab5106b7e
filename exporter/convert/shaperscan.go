package convert

import (
	"encoding/binary"
	"math/bits"
)

// stringEnd gives the offset behind the string that begins at i, of JSON that
// is known to be well-formed.
func stringEnd(line []byte, i int) int {
	for i++; i+8 <= len(line); {
		x := binary.LittleEndian.Uint64(line[i:])
		special := (equal(x, quotes) | equal(x, backslashes)) & highBits
		if special == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(special) / 8
		if line[i] == '"' {
			return i + 1
		}
		i += 2
	}
	for ; line[i] != '"'; i++ {
		if line[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd gives the offset behind the value that begins at i.
func valueEnd(line []byte, i int) int {
	switch line[i] {
	case '"':
		return stringEnd(line, i)
	case '{', '[':
	default:
		for line[i] != ',' && line[i] != '}' {
			i++
		}
		return i
	}
	for depth := 0; ; i++ {
		switch line[i] {
		case '"':
			i = stringEnd(line, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

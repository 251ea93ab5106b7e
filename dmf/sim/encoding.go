package sim

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// encoding is a code page with its byte order mark.
type encoding int

const (
	utf8Plain encoding = iota
	utf8BOM
	utf16LE
	utf16BE
	windows1252
)

// encode turns UTF-8 text into the code page.
func (e encoding) encode(text []byte) []byte {
	switch e {
	case utf8BOM:
		return append([]byte("\xef\xbb\xbf"), text...)
	case utf16LE, utf16BE:
		return encodeUTF16(e, text)
	case windows1252:
		out := make([]byte, 0, len(text))
		for _, r := range narrow(string(text)) {
			b, _ := charmap.Windows1252.EncodeRune(r)
			out = append(out, b)
		}
		return out
	}
	return text
}

func encodeUTF16(e encoding, text []byte) []byte {
	out := make([]byte, 0, 2+2*len(text))
	unit := func(u uint16) {
		if e == utf16LE {
			out = append(out, byte(u), byte(u>>8))
		} else {
			out = append(out, byte(u>>8), byte(u))
		}
	}
	unit(0xfeff)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		if r < 0x10000 {
			unit(uint16(r))
			continue
		}
		r -= 0x10000 // a surrogate pair
		unit(0xd800 | uint16(r>>10))
		unit(0xdc00 | uint16(r&0x3ff))
	}
	return out
}

// narrow puts "?" for what Windows-1252 does not know.
//
// Assumed: FinOps refuses such an export (DMF1957) or does the same; a file with
// such a character would show it.
func narrow(v string) string {
	return strings.Map(func(r rune) rune {
		if _, ok := charmap.Windows1252.EncodeRune(r); !ok {
			return '?'
		}
		return r
	}, v)
}

package convert

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Codec reads UTF-16 of either byte order.
//
// A surrogate without its other half is written as the three bytes that UTF-8
// would give it if it were allowed: not valid UTF-8, and reversible.
type utf16Codec struct{ bigEndian bool }

func (c utf16Codec) unit(b []byte) uint16 {
	if c.bigEndian {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (c utf16Codec) decode(dst, src []byte, atEOF bool) (nDst, nSrc int) {
	for len(dst)-nDst >= utf8.UTFMax && len(src)-nSrc >= 2 {
		u := c.unit(src[nSrc:])
		switch {
		case u < utf8.RuneSelf:
			dst[nDst] = byte(u)
			nDst++
		case !utf16.IsSurrogate(rune(u)):
			nDst += utf8.EncodeRune(dst[nDst:], rune(u))
		case len(src)-nSrc < 4 && !atEOF:
			return nDst, nSrc
		default:
			pair := utf8.RuneError
			if len(src)-nSrc >= 4 {
				pair = utf16.DecodeRune(rune(u), rune(c.unit(src[nSrc+2:])))
			}
			if pair != utf8.RuneError {
				nDst += utf8.EncodeRune(dst[nDst:], pair)
				nSrc += 2
				break
			}
			dst[nDst] = 0xE0 | byte(u>>12)
			dst[nDst+1] = 0x80 | byte(u>>6)&0x3F
			dst[nDst+2] = 0x80 | byte(u)&0x3F
			nDst += 3
		}
		nSrc += 2
	}
	if atEOF && len(src)-nSrc == 1 && len(dst)-nDst >= 2 {
		dst[nDst], dst[nDst+1] = undecodable, src[nSrc]
		return nDst + 2, nSrc + 1
	}
	return nDst, nSrc
}

func (c utf16Codec) encode(dst, text []byte) []byte {
	put := binary.LittleEndian.AppendUint16
	if c.bigEndian {
		put = binary.BigEndian.AppendUint16
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case text[i] == undecodable && i+1 < len(text):
			dst = append(dst, text[i+1])
			size = 2
		case r == utf8.RuneError && size == 1 && i+2 < len(text):
			dst = put(dst, uint16(text[i])<<12|uint16(text[i+1]&0x3F)<<6|uint16(text[i+2]&0x3F))
			size = 3
		case r >= 0x10000:
			hi, lo := utf16.EncodeRune(r)
			dst = put(put(dst, uint16(hi)), uint16(lo))
		default:
			dst = put(dst, uint16(r))
		}
		i += size
	}
	return dst
}

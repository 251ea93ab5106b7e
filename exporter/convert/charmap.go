package convert

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charmapCodec reads code pages of one byte per character.
type charmapCodec struct {
	cm    *charmap.Charmap
	text  [256][3]byte
	width [256]uint8
}

func newCharmapCodec(cm *charmap.Charmap) *charmapCodec {
	c := &charmapCodec{cm: cm}
	for i := range 256 {
		r := cm.DecodeByte(byte(i))
		if r == utf8.RuneError {
			c.text[i] = [3]byte{undecodable, byte(i)}
			c.width[i] = 2
			continue
		}
		c.width[i] = uint8(utf8.EncodeRune(c.text[i][:], r))
	}
	return c
}

func (c *charmapCodec) decode(dst, src []byte, _ bool) (nDst, nSrc int) {
	for nSrc < len(src) && len(dst)-nDst >= 3 {
		b := src[nSrc]
		// All three bytes are copied, the width says how many count: no branch.
		copy(dst[nDst:nDst+3], c.text[b][:])
		nDst += int(c.width[b])
		nSrc++
	}
	return nDst, nSrc
}

func (c *charmapCodec) encode(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] == undecodable && i+1 < len(text) {
			dst = append(dst, text[i+1])
			i += 2
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		b, _ := c.cm.EncodeRune(r)
		dst = append(dst, b)
		i += size
	}
	return dst
}

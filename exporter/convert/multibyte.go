package convert

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// multibyteCodec reads the stateless code pages of East Asia (932, 936, 949,
// 950 and their like) through golang.org/x/text.
type multibyteCodec struct {
	dec transform.Transformer
	enc *encoding.Encoder
}

func newMultibyteCodec(e encoding.Encoding) *multibyteCodec {
	return &multibyteCodec{dec: e.NewDecoder().Transformer, enc: e.NewEncoder()}
}

var replacement = []byte(string(utf8.RuneError))

func (c *multibyteCodec) decode(dst, src []byte, atEOF bool) (nDst, nSrc int) {
	nDst, nSrc, _ = c.dec.Transform(dst, src, atEOF)
	if !bytes.Contains(dst[:nDst], replacement) {
		return nDst, nSrc
	}
	// The library replaces what it cannot read. Go through the same bytes
	// character by character to put the mark where the replacement went.
	nDst, nSrc = 0, 0
	for nSrc < len(src) && len(dst)-nDst >= 2*utf8.UTFMax {
		wrote, read := c.one(dst[nDst:], src[nSrc:], atEOF)
		if read == 0 {
			break
		}
		if bytes.Equal(dst[nDst:nDst+wrote], replacement) {
			wrote = 0
			for _, b := range src[nSrc : nSrc+read] {
				dst[nDst+wrote], dst[nDst+wrote+1] = undecodable, b
				wrote += 2
			}
		}
		nDst += wrote
		nSrc += read
	}
	return nDst, nSrc
}

// one decodes the shortest prefix of src that is a character or a fault. No
// encoding here has characters of more than four bytes.
func (c *multibyteCodec) one(dst, src []byte, atEOF bool) (nDst, nSrc int) {
	for n := 1; n <= min(4, len(src)); n++ {
		nDst, nSrc, _ = c.dec.Transform(dst, src[:n], atEOF && n == len(src))
		if nSrc > 0 {
			return nDst, nSrc
		}
	}
	return 0, 0
}

func (c *multibyteCodec) encode(dst, text []byte) []byte {
	for len(text) > 0 {
		run, rest, marked := bytes.Cut(text, []byte{undecodable})
		raw, err := c.enc.Bytes(run)
		if err != nil {
			raw = run // text that decode did not make
		}
		dst = append(dst, raw...)
		if marked && len(rest) > 0 {
			dst = append(dst, rest[0])
			rest = rest[1:]
		}
		text = rest
	}
	return dst
}

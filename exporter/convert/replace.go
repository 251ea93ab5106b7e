package convert

import (
	"sync/atomic"
	"unicode/utf8"
)

// replacing is a codec that puts U+FFFD where its encoding knows no character,
// and counts. It stands for UTF-8 too, which has no codec otherwise.
type replacing struct {
	inner codec // nil for UTF-8
	count *atomic.Int64
	held  []byte // what inner decoded
}

func (r *replacing) decode(dst, src []byte, atEOF bool) (nDst, nSrc int) {
	if r.inner == nil {
		return r.decodeUTF8(dst, src, atEOF)
	}
	// A byte that means nothing comes as two and becomes three.
	if room := len(dst) * 2 / 3; cap(r.held) < room {
		r.held = make([]byte, room)
	}
	n, nSrc := r.inner.decode(r.held[:len(dst)*2/3], src, atEOF)
	for text := r.held[:n]; len(text) > 0; {
		good := len(text)
		if !utf8.Valid(text) {
			good = invalidUTF8(text)
		}
		nDst += copy(dst[nDst:], text[:good])
		if text = text[good:]; len(text) == 0 {
			break
		}
		nDst += copy(dst[nDst:], replacement)
		r.count.Add(1)
		marks := 3 // a lone surrogate
		if text[0] == undecodable {
			marks = 2
		}
		text = text[min(marks, len(text)):]
	}
	return nDst, nSrc
}

func (r *replacing) decodeUTF8(dst, src []byte, atEOF bool) (nDst, nSrc int) {
	for nSrc < len(src) {
		if ascii := asciiLen(src[nSrc:min(len(src), nSrc+len(dst)-nDst)]); ascii > 0 {
			nDst += copy(dst[nDst:], src[nSrc:nSrc+ascii])
			nSrc += ascii
			continue
		}
		if !atEOF && !utf8.FullRune(src[nSrc:]) {
			break // cut off by the end of what is at hand
		}
		c, size := utf8.DecodeRune(src[nSrc:])
		bad := c == utf8.RuneError && size == 1
		if len(dst)-nDst < utf8.RuneLen(c) {
			break
		}
		if bad {
			r.count.Add(1)
		}
		nDst += utf8.EncodeRune(dst[nDst:], c)
		nSrc += size
	}
	return nDst, nSrc
}

// encode gives the source form of text; what was replaced stays replaced.
func (r *replacing) encode(dst, text []byte) []byte {
	if r.inner == nil {
		return append(dst, text...)
	}
	return r.inner.encode(dst, text)
}

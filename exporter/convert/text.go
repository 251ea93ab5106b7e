package convert

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
	"unicode/utf8"
)

// sniffSize is how far ahead an encoding is judged, in bytes.
const sniffSize = 64 << 10

// text reads the source as UTF-8, without the byte order mark. What the
// encoding does not know arrives as invalid UTF-8, see codec.
type text struct {
	src      io.Reader     // gives its error again and again
	br       *bufio.Reader // of sniffSize, over src
	name     string        // canonical; "" while nothing but ASCII was seen
	codec    codec         // nil for UTF-8
	fallback string
	guessed  bool          // the fallback was taken: nothing in the file says that it is right
	replaced *atomic.Int64 // counts what is replaced; nil when nothing is
}

func openText(src io.Reader, br *bufio.Reader, head []byte, opt Options) (*text, error) {
	name, mark, err := detectEncoding(head, opt)
	if err != nil {
		return nil, err
	}
	if _, err := br.Discard(mark); err != nil {
		return nil, err
	}
	t := &text{src: src, br: br, fallback: opt.Fallback, replaced: opt.replaced}
	if name == "" {
		return t, nil
	}
	return t, t.decided(name)
}

// decided sets the encoding.
func (t *text) decided(name string) (err error) {
	t.name, t.codec, err = lookupEncoding(name)
	if err == nil && t.replaced != nil {
		t.codec = &replacing{inner: t.codec, count: t.replaced}
	}
	return err
}

// decoding is the encoding to report: ASCII to the end is UTF-8 too.
func (t *text) decoding() decoding {
	if t.name == "" {
		return decoding{name: nameUTF8}
	}
	return decoding{t.name, t.codec, t.guessed}
}

// Read fills p, of at least minRead bytes unless limit says otherwise, with
// whole characters when the source is not UTF-8. UTF-8 goes from the source into p without a copy between.
func (t *text) Read(p []byte) (int, error) {
	if t.name == "" {
		n, err := t.readASCII(p)
		if n > 0 || err != nil {
			return n, err
		}
	}
	if t.codec == nil && t.br.Buffered() == 0 {
		return t.src.Read(p)
	}
	if t.codec == nil {
		return t.br.Read(p)
	}
	if len(p) < minRead {
		return 0, nil // decided just now; the next Read brings room for it
	}
	return t.decode(p)
}

// limit is up to where a Read may fill when n bytes are wanted: a character
// that is decoded may be longer than one byte.
func (t *text) limit(n int) int {
	if t.codec == nil {
		return n
	}
	return n + minRead
}

// readASCII copies what stands before the first byte outside ASCII. When that
// byte is next, it decides on the encoding and returns 0: until there, UTF-8
// and every fallback agree, so nothing has to be taken back.
func (t *text) readASCII(p []byte) (int, error) {
	ahead, err := t.br.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if len(ahead) == 0 {
		return 0, io.EOF
	}
	n := copy(p, ahead[:asciiLen(ahead)])
	if n > 0 {
		return t.br.Discard(n)
	}
	if looksUTF8(ahead, err != nil) {
		return 0, t.decided(nameUTF8)
	}
	t.guessed = true
	return 0, t.decided(t.fallback)
}

// asciiLen is how much of b stands before its first byte outside ASCII.
func asciiLen(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&highBits != 0 {
			break // eight bytes at a time until there is one
		}
	}
	for ; i < len(b) && b[i] < utf8.RuneSelf; i++ {
	}
	return i
}

// looksUTF8 weighs characters of several bytes against bytes that fit none.
// One broken byte among many good characters is a bad row of a UTF-8 file; to
// read the whole file as a code page for it would turn every é into Ã©.
func looksUTF8(b []byte, atEOF bool) bool {
	var good, broken int
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		if !atEOF && !utf8.FullRune(b[i:]) {
			break // cut off by the end of what we look at
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			broken++
		} else {
			good++
		}
		i += size
	}
	return broken == 0 || good > broken
}

func (t *text) decode(p []byte) (int, error) {
	for need := 1; ; {
		_, err := t.br.Peek(need)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		atEOF := err != nil
		src, _ := t.br.Peek(t.br.Buffered())
		if atEOF && len(src) == 0 {
			return 0, io.EOF
		}
		wrote, read := t.codec.decode(p, src, atEOF)
		if _, err := t.br.Discard(read); err != nil {
			return 0, err
		}
		if wrote > 0 {
			return wrote, nil
		}
		need = t.br.Buffered() + 1
	}
}

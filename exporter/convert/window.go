package convert

import (
	"errors"
	"fmt"
	"io"

	"finrelay/exporter"
)

// Sizes in bytes. Variables so that tests can put a boundary at every byte.
var (
	// blockSize is how much is read and written at a time. 128 KB stays in the
	// second-level cache with the output beside it; larger blocks measured slower.
	blockSize = 128 << 10
	// sampleSize is how much of the beginning is looked at for the format, the
	// delimiter and the kind of JSON.
	sampleSize = 64 << 10
)

// minRead is the room that a Read of text asks for: one character of any
// encoding, escaped, fits.
const minRead = 16

// errShort says that a record does not end within the bytes at hand.
var errShort = errors.New("ends too early")

// fault is a problem at an offset of the window's bytes.
type fault struct {
	at  int
	err error
}

func (f *fault) Error() string { return f.err.Error() }

func faultf(at int, format string, args ...any) error {
	return &fault{at, fmt.Errorf(format, args...)}
}

// input is where a window gets its text from: the text itself, or the reader
// that runs ahead of it.
type input interface {
	// Read fills p with UTF-8; see text.Read.
	Read(p []byte) (int, error)
	// decoding names the encoding of what Read gave so far.
	decoding() decoding
}

// decoding is how a text is read.
type decoding struct {
	name    string
	codec   codec // nil for UTF-8
	guessed bool  // see Result.Guessed
}

// window holds the text around the record being read. Readers look at bytes,
// call more when the record does not end there, and advance over what is done.
type window struct {
	place // of bytes()[0]

	in    input
	entry string
	buf   []byte
	start int
	end   int
	eof   bool
	max   int // longest record
	mark  int // what begins here is kept, though it was read; -1: nothing

	// What advance moved over last, for a trail: where it began, and its bytes.
	from   struct{ line, before int64 }
	passed int

	// feed, when set, is asked for more in place of in. It appends one piece
	// whose end means something to it, or sets eof.
	feed func() error
}

func newWindow(in input, maxRecord int, entry string) *window {
	return &window{place: place{line: 1}, in: in, entry: entry, max: maxRecord, mark: -1}
}

func (w *window) bytes() []byte { return w.buf[w.start:w.end] }

// more reads a block, or doubles what is held when that is a block already.
func (w *window) more() error {
	if w.end-w.start > w.max {
		return w.tooLong(0)
	}
	return w.grow()
}

// grow is more for those who look after the longest record themselves.
func (w *window) grow() error {
	held := w.end - w.start
	if w.feed == nil {
		return w.ensure(max(blockSize, 2*held))
	}
	// A record that is longer than many pieces is not looked at again for each.
	for want := max(2*held, 1); w.end-w.start < want && !w.eof; {
		if err := w.feed(); err != nil {
			return err
		}
	}
	return nil
}

// ensure reads until n bytes are held or the text ends.
func (w *window) ensure(n int) error {
	w.room(n + minRead - (w.end - w.start))
	for w.end-w.start < n && !w.eof {
		got, err := w.in.Read(w.buf[w.end : w.start+n+minRead])
		w.end += got
		w.codec = w.in.decoding().codec
		if errors.Is(err, io.EOF) {
			w.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// append adds text behind what is held.
func (w *window) append(text []byte) {
	w.room(len(text))
	w.end += copy(w.buf[w.end:], text)
}

// room moves what is held, or kept, to the front and makes n bytes fit behind it.
func (w *window) room(n int) {
	from := w.start
	if w.mark >= 0 {
		from, w.mark = w.mark, 0
	}
	if from > 0 {
		w.end = copy(w.buf, w.buf[from:w.end])
		w.start -= from
	}
	if len(w.buf) < w.end+n {
		grown := make([]byte, w.end+n)
		copy(grown, w.buf[:w.end])
		w.buf = grown
	}
}

// advance moves over n bytes.
func (w *window) advance(n int) {
	w.from.line, w.from.before, w.passed = w.line, w.before, n
	w.place.advance(w.buf[w.start : w.start+n])
	w.start += n
}

// drop takes away what is held, unread: somebody else has it now.
func (w *window) drop() { w.start, w.end = 0, 0 }

// position gives line and column of the byte at offset at, both from 1.
func (w *window) position(at int) (line, column int64) {
	return w.after(w.bytes()[:min(at, len(w.bytes()))])
}

// reject makes the error that ends a conversion: f's place and words.
func (w *window) reject(err error) error {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		return err
	}
	line, column := w.position(f.at)
	return &exporter.RecordError{Entry: w.entry, Line: line, Column: column, Err: f.err}
}

// tooLong is the fault of a record with more than MaxRecord bytes; at is where
// it went wrong if that is known, as for a quote that never closes.
func (w *window) tooLong(at int) error {
	return w.reject(faultf(at, "record longer than %d bytes", w.max))
}

// hasPrefix is bytes.HasPrefix for a string; none has the empty one.
func hasPrefix(in []byte, s string) bool {
	return len(in) >= len(s) && string(in[:len(s)]) == s && s != ""
}

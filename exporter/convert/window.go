package convert

import (
	"bytes"
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

// window holds the text around the record being read. Readers look at bytes,
// call more when the record does not end there, and advance over what is done.
type window struct {
	text  *text
	entry string
	buf   []byte
	start int
	end   int
	eof   bool
	max   int // longest record

	line    int64 // line of bytes()[0], from 1
	before  int64 // source bytes between that line's start and bytes()[0]
	scratch []byte
}

func newWindow(t *text, maxRecord int, entry string) *window {
	return &window{text: t, entry: entry, max: maxRecord, line: 1}
}

func (w *window) bytes() []byte { return w.buf[w.start:w.end] }

// more reads a block, or doubles what is held when that is a block already.
func (w *window) more() error {
	held := w.end - w.start
	if held > w.max {
		return w.tooLong(0)
	}
	return w.ensure(max(blockSize, 2*held))
}

// ensure reads until n bytes are held or the text ends.
func (w *window) ensure(n int) error {
	if w.start > 0 {
		w.end = copy(w.buf, w.bytes())
		w.start = 0
	}
	if len(w.buf) < n+minRead {
		grown := make([]byte, n+minRead)
		copy(grown, w.buf[:w.end])
		w.buf = grown
	}
	for w.end < n && !w.eof {
		got, err := w.text.Read(w.buf[w.end : n+minRead])
		w.end += got
		if errors.Is(err, io.EOF) {
			w.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// advance moves over n bytes.
func (w *window) advance(n int) {
	done := w.buf[w.start : w.start+n]
	w.start += n
	lines := bytes.Count(done, newline)
	if lines > 0 {
		w.line += int64(lines)
		w.before = 0
		done = done[bytes.LastIndexByte(done, '\n')+1:]
	}
	w.before += int64(w.sourceLen(done))
}

var newline = []byte{'\n'}

// position gives line and column of the byte at offset at, both from 1.
func (w *window) position(at int) (line, column int64) {
	ahead := w.bytes()[:min(at, len(w.bytes()))]
	line, before := w.line, w.before
	if lines := bytes.Count(ahead, newline); lines > 0 {
		line += int64(lines)
		before = 0
		ahead = ahead[bytes.LastIndexByte(ahead, '\n')+1:]
	}
	return line, before + int64(w.sourceLen(ahead)) + 1
}

// source gives the first n bytes as they stand in the source.
func (w *window) source(n int) []byte {
	if w.text.codec == nil {
		return w.bytes()[:n]
	}
	w.scratch = w.text.codec.encode(w.scratch[:0], w.bytes()[:n])
	return w.scratch
}

func (w *window) sourceLen(text []byte) int {
	if w.text.codec == nil || len(text) == 0 {
		return len(text)
	}
	w.scratch = w.text.codec.encode(w.scratch[:0], text)
	return len(w.scratch)
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

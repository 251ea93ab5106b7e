package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"finrelay/exporter"
)

// Sink receives what Convert reads, in source order, from the goroutine that
// called Convert. An error from either method ends the conversion and is
// returned by Convert as it is.
type Sink interface {
	// Block takes complete JSON Lines, each ending in \n: rows of them, at
	// least one. lines is valid only during the call.
	Block(lines []byte, rows int) error
	// BadRow takes a record that could not be read as a row.
	BadRow(BadRow) error
}

// BadRow is a record that is there but is no row.
type BadRow struct {
	// Line is the line of the fault, from 1; lines end with LF, inside quotes too.
	// In a workbook it is the sheet's row.
	Line int64
	// Column is the byte of the fault within that line, from 1, a byte order mark
	// not counted; in a workbook the sheet's column. Of a value that does not fit
	// its type, place is that of the value in CSV and workbooks, else of the
	// beginning of the record, as it is of a record that a transform refuses.
	Column int64
	Record int64 // number of the record, from 1, header not counted, bad rows counted
	// Raw holds the record as it stands in the source, in CSV line end included,
	// valid during the call; of a workbook, the row as JSON; of one longer than
	// Options.MaxRecord, its beginning. In the multi-byte code pages of East Asia,
	// where two codes may mean one character, it may hold the other code.
	Raw []byte
	Err error // what is wrong, in words that need no context
}

// Result says what was read. It is also filled, as far as reading came, when
// Convert returns an error.
type Result struct {
	Rows, BadRows int64
	Columns       []string // header order; for XML and JSON in order of first appearance
	Format        Format   // never FormatAuto after a success
	Encoding      string   // WHATWG name in lower case: utf-8, utf-16le, windows-1252
	Guessed       bool     // Encoding is Options.Fallback: the file is not UTF-8, and nothing says what it is
	Delimiter     rune     // 0 unless CSV
	Bytes         int64    // source bytes read
	Replaced      int64    // with Options.Replace: characters that the encoding does not know
	Oddities      Oddities // in rows and the header, not in bad rows; none unless CSV
	Sheet         string   // the sheet that was read; "" unless a workbook

	// Of nested XML, a composite entity; see the package comment.
	Records     []string // paths of the records met, each behind what it stands in; those of Options.Records first
	MoreRecords bool     // there were more than are learned: arrays where they stand, no key where they do not
	Uneven      bool     // a row went out before it was known that it lacks one of Records
	Repeat      bool     // Options.Repeat: convert again, with Options.Records = Records
}

// Convert reads one data file from r and gives its rows to sink. entry is the
// file's name for error messages. r is read to its end and not closed.
//
// Errors: exporter.ErrEmpty when r has no bytes (or only a byte order mark);
// exporter.ErrUnsupported for old workbooks, archives and other binary content;
// exporter.ErrEncrypted, ErrDamaged and ErrTooLarge for workbooks;
// *exporter.RecordError for a document that is not well-formed, a header that
// names no columns, and a record longer than MaxRecord whose end cannot be told
// (that of a line of JSON Lines can be, that of a CSV record mostly); the sink's
// own errors; r's errors, wrapped. When ctx ends its cause is returned, at the
// latest when the Read in progress returns.
//
// Calls may run concurrently. What is longer than its first 64 KB is read by a
// goroutine that Convert starts, so r must not be tied to the caller's; further
// ones convert CSV. All have ended when Convert returns, which for that waits for
// a Read in progress, after an error of the sink too. The sink is called from
// the caller's goroutine alone.
func Convert(ctx context.Context, r io.Reader, entry string, opt Options, sink Sink) (Result, error) {
	var res Result
	what := cmp.Or(entry, "input")
	if err := opt.Validate(); err != nil {
		return res, fmt.Errorf("convert %s: %w", what, err)
	}
	src := &source{ctx: ctx, r: r, what: what}
	err := convert(ctx, src, entry, opt.withDefaults(), sink, &res)
	res.Bytes = src.bytes
	return res, err
}

func convert(ctx context.Context, src *source, entry string, opt Options, sink Sink, res *Result) error {
	mem := memories.Get().(*memory)
	defer mem.release() // after all that uses it has ended
	br := mem.head
	br.Reset(src)
	head, err := br.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if opt.Format == FormatXLSX || opt.Format == FormatAuto && isWorkbook(head) {
		return readXLSX(ctx, src, br, entry, opt, sink, res)
	}
	if opt.Replace {
		opt.replaced = new(atomic.Int64)
		defer func() { res.Replaced = opt.replaced.Load() }() // after the reader has ended
	}
	t, err := openText(src, br, head, opt)
	if err != nil {
		return fmt.Errorf("convert %s: %w", src.what, err)
	}
	w := newWindow(t, opt.MaxRecord, entry)
	w.buf = mem.window[:cap(mem.window)]
	defer func() { mem.window = w.buf }()
	if err := w.ensure(sampleSize); err != nil {
		return err
	}
	if len(w.bytes()) == 0 {
		return fmt.Errorf("convert %s: %w", src.what, exporter.ErrEmpty)
	}
	format := opt.Format
	if format == FormatAuto {
		format = sniffFormat(w.bytes())
	}
	out := newEmitter(ctx, sink, w, res)
	out.out, out.repeat = mem.out[:0], opt.Repeat
	defer func() { mem.out = out.out }()
	if !w.eof {
		ahead := readAhead(t, blocksOf(format, opt))
		defer ahead.stop()
		w.in = ahead
	}
	switch format {
	case FormatCSV:
		err = readCSV(w, out, opt, mem)
	case FormatJSON:
		err = readJSON(w, out)
	default:
		err = readXML(w, out, format, opt)
	}
	read := w.in.decoding()
	res.Encoding, res.Guessed = read.name, read.guessed
	if err == nil {
		return out.end()
	}
	// Rows before the fault are whole; the sink decides what they are worth.
	if lost := out.flushAfter(err); lost != nil {
		return errors.Join(err, lost)
	}
	return err
}

package convert

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

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
	Line   int64 // line of the fault, from 1; lines end with LF, inside quotes too
	Column int64 // byte of the fault within that line, from 1, a byte order mark not counted
	Record int64 // number of the record, from 1, header not counted, bad rows counted
	// Raw holds the record as it stands in the source, line end included, valid
	// during the call. In the multi-byte code pages of East Asia, where two
	// codes may mean one character, it may hold the other code.
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
	Delimiter     byte     // 0 unless CSV
	Bytes         int64    // source bytes read
}

// Convert reads one data file from r and gives its rows to sink. entry is the
// file's name for error messages. r is read to its end and not closed.
//
// Errors: exporter.ErrEmpty when r has no bytes (or only a byte order mark);
// exporter.ErrUnsupported for workbooks, archives and other binary content;
// *exporter.RecordError for a document that is not well-formed, a header that
// names no columns and a record longer than MaxRecord; the sink's own errors;
// r's errors, wrapped. When ctx ends its cause is returned, at the latest when
// the Read in progress returns.
//
// Convert starts no goroutine and may run concurrently with other calls.
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
	br := bufio.NewReaderSize(src, sniffSize)
	head, err := br.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	t, err := openText(br, head, opt)
	if err != nil {
		return fmt.Errorf("convert %s: %w", src.what, err)
	}
	w := newWindow(t, opt.MaxRecord, entry)
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
	out := &emitter{ctx: ctx, sink: sink, window: w, res: res}
	switch format {
	case FormatCSV:
		err = readCSV(w, out, opt)
	case FormatJSON:
		err = readJSON(w, out)
	default:
		err = readXML(w, out, format, opt)
	}
	res.Encoding = t.encoding()
	if err == nil {
		return out.flush()
	}
	// Rows before the fault are whole; the sink decides what they are worth.
	if lost := out.flushAfter(err); lost != nil {
		return errors.Join(err, lost)
	}
	return err
}

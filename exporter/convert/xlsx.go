package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"finrelay/exporter"
)

var errEmptyRow = errors.New("empty row")

// isWorkbook says whether content may be a workbook: a zip, or the wrapper of
// an old or encrypted one.
func isWorkbook(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte(oleMagic))
}

// readXLSX keeps the whole workbook aside first, since a zip is read from its
// end, and then streams the rows of one sheet.
func readXLSX(ctx context.Context, src *source, r io.Reader, entry string, opt Options, sink Sink, res *Result) (err error) {
	res.Format = FormatXLSX
	kept := &spool{folder: opt.TempFolder}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if _, err := io.Copy(kept, r); err != nil {
		return keepError(src, err)
	}
	head := make([]byte, len(oleMagic))
	if n, _ := kept.ReadAt(head, 0); n == 0 {
		return fmt.Errorf("convert %s: %w", src.what, exporter.ErrEmpty)
	}
	if !isWorkbook(head) {
		return fmt.Errorf("convert %s: %w: no workbook, it does not begin as one", src.what, exporter.ErrDamaged)
	}
	if string(head) == oleMagic {
		return fmt.Errorf("convert %s: %w", src.what, oleError(kept, kept.size))
	}
	book, err := openWorkbook(ctx, kept, kept.size)
	if err != nil {
		return placeXLSX(src, entry, 0, err)
	}
	chosen, err := chooseSheet(book.sheets, opt.Sheet, opt.Entity)
	if err != nil {
		return &exporter.RecordError{Entry: entry, Err: err}
	}
	res.Sheet = chosen.name
	shared, err := book.readStrings(opt.MaxRecord, opt.TempFolder)
	if err != nil {
		return placeXLSX(src, entry, 0, err)
	}
	defer func() { err = errors.Join(err, shared.texts.Close()) }()
	sheet, err := book.openSheet(chosen, shared, opt.MaxRecord)
	if err != nil {
		return placeXLSX(src, entry, 0, err)
	}
	defer sheet.part.Close()
	res.Encoding = nameUTF8
	x := &xlsxReader{emitter: newEmitter(ctx, sink, nil, res), sheet: sheet, name: chosen.name}
	if err = x.rows(opt); err == nil {
		return x.flush()
	}
	err = placeXLSX(src, entry, sheet.row.number, err)
	if lost := x.flushAfter(err); lost != nil {
		return errors.Join(err, lost)
	}
	return err
}

func keepError(src *source, err error) error {
	if src.err != nil && !errors.Is(src.err, io.EOF) {
		return err // the source's own, which names the file
	}
	return fmt.Errorf("convert %s: keep the workbook aside: %w", src.what, err)
}

// malformed is what is wrong with a workbook as a document. It gets a place.
type malformed struct {
	err    error
	column int64
}

func (m *malformed) Error() string { return m.err.Error() }

func (m *malformed) Unwrap() error { return m.err }

// placeXLSX tells a document that is wrong in itself from a file that is
// damaged, too large or not for us, and from errors of others.
func placeXLSX(src *source, entry string, row int64, err error) error {
	if src.ctx.Err() != nil {
		return context.Cause(src.ctx)
	}
	if m, ok := errors.AsType[*malformed](err); ok {
		return &exporter.RecordError{Entry: entry, Line: row, Column: m.column, Err: m.err}
	}
	return fmt.Errorf("convert %s: %w", src.what, err)
}

// xlsxReader turns the rows of a sheet into lines.
type xlsxReader struct {
	*emitter
	sheet  *sheetReader
	name   string
	prefix [][]byte // what stands before the value of each column
	raw    []byte
}

// rows reads the sheet: a header, and rows.
func (x *xlsxReader) rows(opt Options) error {
	if err := x.sheet.begin(); err != nil {
		return err
	}
	more, err := x.first()
	if err != nil {
		return err
	}
	row := &x.sheet.row
	last := row.number - 1 // number of the row before the next; blank ones at the top are no gap
	if err := x.header(more, opt); err != nil {
		return err
	}
	if more && !opt.NoHeader {
		last = row.number
		more, err = x.sheet.next()
	}
	for ; more && err == nil; more, err = x.sheet.next() {
		if blank(row) {
			continue // counts only when a row comes after it
		}
		if row.number > last+1 {
			if err := x.bad(last+1, 1, emptyRows(last+1, row.number-1)); err != nil {
				return err
			}
		}
		last = row.number
		if err := x.one(row); err != nil {
			return err
		}
	}
	return err
}

// emptyRows is the fault of all blank rows between two rows, which are one bad
// row: there may be a million of them.
func emptyRows(from, to int64) error {
	if from == to {
		return errEmptyRow
	}
	return fmt.Errorf("rows %d to %d are empty", from, to)
}

func blank(row *sheetRow) bool { return len(row.ends) == 0 && row.fault == nil }

// first finds the first row that is not blank.
func (x *xlsxReader) first() (more bool, err error) {
	for {
		more, err = x.sheet.next()
		if err != nil || !more || !blank(&x.sheet.row) {
			return more, err
		}
	}
}

// header names the columns by the row at hand, or by the options.
func (x *xlsxReader) header(more bool, opt Options) error {
	row := &x.sheet.row
	var names []string
	switch {
	case !opt.NoHeader && !more:
		return &malformed{err: fmt.Errorf("sheet %q is empty: it has no header", x.name)}
	case !opt.NoHeader && row.fault != nil:
		return &malformed{err: row.fault, column: row.column}
	case !opt.NoHeader:
		for i := range row.ends {
			names = append(names, string(row.value(i)))
		}
	case len(opt.Columns) > 0:
		names = opt.Columns
	default:
		// Excel stores no blanks at the end of a row, so the first row may be
		// shorter than others; the sheet says how wide it is.
		for i := range max(len(row.ends), x.sheet.width) {
			names = append(names, "COLUMN"+strconv.Itoa(i+1))
		}
	}
	x.res.Columns = columnNames(names)
	for i, name := range x.res.Columns {
		p := []byte{'{'}
		if i > 0 {
			p[0] = ','
		}
		x.prefix = append(x.prefix, append(appendString(p, name), ':'))
	}
	return tellHeader(x.sink, x.res.Columns)
}

// one gives a row on, padded with empty values where its last ones are not
// stored.
func (x *xlsxReader) one(row *sheetRow) error {
	if row.fault != nil {
		return x.bad(row.number, row.column, row.fault)
	}
	if n := len(row.ends); n > len(x.prefix) {
		return x.bad(row.number, int64(len(x.prefix)+1), fmt.Errorf("%d cells, want %d", n, len(x.prefix)))
	}
	for i, p := range x.prefix {
		x.out = append(x.out, p...)
		if i < len(row.ends) {
			x.out = appendString(x.out, row.value(i))
		} else {
			x.out = append(x.out, '"', '"')
		}
	}
	x.out = append(x.out, '}', '\n')
	if x.trail != nil {
		x.trail.number = row.number
	}
	return x.row()
}

// bad gives what stands in a row, an empty one when it is not the row at hand,
// as no row. What comes before it goes first: the sink sees source order.
func (x *xlsxReader) bad(number, column int64, why error) error {
	if err := x.flush(); err != nil {
		return err
	}
	x.raw = append(x.raw[:0], '[')
	if row := &x.sheet.row; number == row.number {
		for i := range row.ends {
			if i > 0 {
				x.raw = append(x.raw, ',')
			}
			x.raw = appendString(x.raw, row.value(i))
		}
	}
	x.raw = append(x.raw, ']')
	x.res.BadRows++
	err := x.sink.BadRow(BadRow{Line: number, Column: column, Record: x.res.Rows + x.res.BadRows, Raw: x.raw, Err: why})
	x.failed = err != nil
	return err
}

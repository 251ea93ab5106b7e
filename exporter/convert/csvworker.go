package convert

import (
	"bytes"
	"runtime/debug"
	"unicode/utf8"
)

// csvRows is what became of a block of CSV, on the assumption that it begins
// with a record.
type csvRows struct {
	out    []byte     // JSON Lines
	rows   int        // of them
	faults []csvFault // records among them that are no rows
	odds   int        // odd fields in the rows
	odd    []odd      // the first of them
	read   int        // bytes of the text that all this accounts for
	rowOdd []odd      // memory for each row's
	died   *panicked
}

// csvFault is a record that is no row.
type csvFault struct {
	at    int // of the record, within the text
	size  int
	fault *fault
	out   int // what stands before it: bytes of csvRows.out
	rows  int // and rows
}

func (r *csvRows) clear() {
	if cap(r.out) > 2*maxOut() {
		r.out = nil
	}
	r.out, r.rows, r.faults, r.read, r.died = r.out[:0], 0, r.faults[:0], 0, nil
	r.odds, r.odd = 0, r.odd[:0]
}

// maxOut is how many bytes of lines a block may become before it is handed
// over: empty fields under long names multiply.
func maxOut() int { return 8 * blockSize }

// convert reads the records that the block holds whole. It stops at the first
// one that is for the sequential reader: it does not end here or is too long, or
// it is an empty line whose meaning depends on whether something follows.
func (b *block) convert(s *csvShape, maxRecord int) {
	defer func() {
		if value := recover(); value != nil {
			b.died = &panicked{value, debug.Stack()}
		}
	}()
	b.clear()
	fast := s.keys != nil && utf8.Valid(b.text())
	for b.read < b.end-b.start && len(b.out) < maxOut() {
		if fast && b.fastRows(s, maxRecord) {
			continue
		}
		if !b.careful(s, maxRecord) {
			return
		}
	}
}

// fastRows reads records until one is not for fastRow, and says whether that
// was not the very first.
func (b *block) fastRows(s *csvShape, maxRecord int) bool {
	out, rows := b.out[:cap(b.out)], 0
	written, read := len(b.out), b.read
	src, end := b.mem[b.start:b.end+readBeyond], b.end-b.start
	for read < end && written < maxOut() {
		var o, next int
		out, o, next = s.fastRow(out, src, written, read, end)
		if next < 0 || next-read > maxRecord {
			break
		}
		written, read = o, next
		rows++
	}
	b.out, b.read = out[:written], read
	b.rows += rows
	return rows > 0
}

// careful reads one record as the sequential reader does; false stops.
func (b *block) careful(s *csvShape, maxRecord int) bool {
	in := b.text()
	begin := len(b.out)
	line, row := s.appendRow(b.out, in[b.read:], false, b.rowOdd)
	b.out, b.rowOdd = line, row.odd
	if row.short || row.fault != nil || row.size > maxRecord {
		b.out = line[:begin]
	}
	switch {
	case row.short, row.size > maxRecord:
		return false
	case row.fault == nil:
		b.rows++
		b.noteOdd(row)
	case row.fault.err == errEmptyLine && b.read+row.size == len(in):
		return false
	default:
		b.faults = append(b.faults, csvFault{at: b.read, size: row.size, fault: row.fault, out: begin, rows: b.rows})
	}
	b.read += row.size
	return true
}

func (b *block) noteOdd(row csvRow) {
	b.odds += row.odds
	for _, f := range row.odd[:min(len(row.odd), mostOddities-len(b.odd))] {
		b.odd = append(b.odd, odd{b.read + f.at, f.why})
	}
}

// oddQuotes says whether text has an odd number of quotes: then its end is
// inside quotes when its beginning is outside, if every quote is a qualifier.
func (s *csvShape) oddQuotes(text []byte) bool {
	return s.quoting && bytes.Count(text, []byte{s.quote})%2 == 1
}

// lastRecordEnd guesses where the last whole record in text ends: behind the
// last line end outside quotes, going back from the end of text, which is
// inside quotes or not. It is 0 when there is none.
func (s *csvShape) lastRecordEnd(text []byte, inside bool) int {
	for {
		lf := bytes.LastIndexByte(text, '\n')
		inside = inside != s.oddQuotes(text[lf+1:])
		if lf < 0 || !inside {
			return lf + 1
		}
		text = text[:lf]
	}
}

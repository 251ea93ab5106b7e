package convert

import (
	"bytes"
	"runtime/debug"
	"sync"
	"unicode/utf8"
)

// csvRows is what became of a block of CSV, on the assumption that it begins
// with a record.
type csvRows struct {
	done   chan struct{} // of 1: the worker is through
	out    []byte        // JSON Lines
	rows   int           // of them
	faults []csvFault    // records among them that are no rows
	odds   int           // odd fields in the rows
	odd    []odd         // the first of them
	read   int           // bytes of the text that all this accounts for
	rowOdd []odd         // memory for each row's
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

// csvRowsPool keeps what was grown for the next conversion.
var csvRowsPool = sync.Pool{New: func() any { return &csvRows{done: make(chan struct{}, 1)} }}

func (r *csvRows) release() {
	if cap(r.out) > 2*maxOut() {
		r.out = nil // one very long row must not hold its memory for ever
	}
	csvRowsPool.Put(r)
}

func (r *csvRows) clear() {
	r.out, r.rows, r.faults, r.read, r.died = r.out[:0], 0, r.faults[:0], 0, nil
	r.odds, r.odd = 0, r.odd[:0]
}

// maxOut is how many bytes of lines a block may become before it is handed
// over: empty fields under long names multiply.
func maxOut() int { return 8 * blockSize }

// convert reads the records that the block holds whole. It stops at the first
// one that is for the sequential reader: it does not end here or is too long, or
// it is an empty line whose meaning depends on whether something follows.
func (r *csvRows) convert(b *block, s *csvShape, maxRecord int) {
	defer func() {
		if value := recover(); value != nil {
			r.died = &panicked{value, debug.Stack()}
		}
	}()
	r.clear()
	text := b.text()
	fast := s.keys != nil && utf8.Valid(text)
	for r.read < len(text) && len(r.out) < maxOut() {
		if fast && r.fastRows(b, s, maxRecord) {
			continue
		}
		if !r.careful(text, s, maxRecord) {
			return
		}
	}
}

// fastRows reads records until one is not for fastRow, and says whether that
// was not the very first.
func (r *csvRows) fastRows(b *block, s *csvShape, maxRecord int) bool {
	out, rows := r.out[:cap(r.out)], 0
	written, read := len(r.out), r.read
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
	r.out, r.read = out[:written], read
	r.rows += rows
	return rows > 0
}

// careful reads one record as the sequential reader does; false stops.
func (r *csvRows) careful(in []byte, s *csvShape, maxRecord int) bool {
	begin := len(r.out)
	line, row := s.appendRow(r.out, in[r.read:], false, r.rowOdd)
	r.out, r.rowOdd = line, row.odd
	if row.short || row.fault != nil || row.size > maxRecord {
		r.out = line[:begin]
	}
	switch {
	case row.short, row.size > maxRecord:
		return false
	case row.fault == nil:
		r.rows++
		r.noteOdd(row)
	case row.fault.err == errEmptyLine && r.read+row.size == len(in):
		return false
	default:
		r.faults = append(r.faults, csvFault{at: r.read, size: row.size, fault: row.fault, out: begin, rows: r.rows})
	}
	r.read += row.size
	return true
}

func (r *csvRows) noteOdd(row csvRow) {
	r.odds += row.odds
	for _, f := range row.odd[:min(len(row.odd), mostOddities-len(r.odd))] {
		r.odd = append(r.odd, odd{r.read + f.at, f.why})
	}
}

// oddQuotes says whether text has an odd number of quotes: then its end is
// inside quotes when its beginning is outside, if every quote is a qualifier.
func (s *csvShape) oddQuotes(text []byte) bool {
	return s.quoting && bytes.Count(text, []byte(s.quote))%2 == 1
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

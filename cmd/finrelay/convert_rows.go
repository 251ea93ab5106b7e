package main

import (
	"bufio"
	"bytes"
	"io"
	"sync"

	"finrelay/exporter"
	"finrelay/exporter/convert"
)

// rowWriter writes JSON Lines as they come, or as the elements of an array.
type rowWriter struct {
	w     *bufio.Writer
	array bool
	rows  int64
}

// writers are kept for the next file: one of a thousand small files must not
// cost more than its rows. Blocks are larger than their memory, but for the last,
// and pass them by.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 64<<10) }}

func newRowWriter(w io.Writer, array bool) *rowWriter {
	s := &rowWriter{w: writers.Get().(*bufio.Writer), array: array}
	s.w.Reset(w)
	return s
}

// release gives the memory back.
func (s *rowWriter) release() {
	s.w.Reset(nil)
	writers.Put(s.w)
}

func (s *rowWriter) Block(lines []byte, _ int) error {
	if !s.array {
		_, err := s.w.Write(lines)
		return err
	}
	for line := range bytes.Lines(lines) {
		before := ",\n"
		if s.rows == 0 {
			before = "[\n"
		}
		s.rows++
		if _, err := s.w.WriteString(before); err != nil {
			return err
		}
		if _, err := s.w.Write(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
	return nil
}

// BadRow writes nothing: bad rows are named elsewhere.
func (s *rowWriter) BadRow(convert.BadRow) error { return nil }

// end closes an array and empties the buffer.
func (s *rowWriter) end() error {
	if s.array {
		last := "\n]\n"
		if s.rows == 0 {
			last = "[]\n"
		}
		if _, err := s.w.WriteString(last); err != nil {
			return err
		}
	}
	return s.w.Flush()
}

// badRows names on standard error what is no row, and counts rows for the
// progress line.
type badRows struct {
	convert.Sink
	cv    *conversion
	entry string
	named int64 // bad rows yet to come of which a first pass has spoken

	rows, bad int64
}

func (s *badRows) Block(lines []byte, rows int) error {
	s.rows += int64(rows)
	s.cv.progress.add(0, int64(rows))
	return s.Sink.Block(lines, rows)
}

func (s *badRows) BadRow(b convert.BadRow) error {
	e := &exporter.RecordError{Entry: s.entry, Line: b.Line, Column: b.Column, Err: b.Err}
	if s.cv.strict {
		return e
	}
	if s.bad++; s.bad <= s.named {
		return nil
	}
	s.cv.badRows++
	s.cv.showBad(e.Error())
	return nil
}

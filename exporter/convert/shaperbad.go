package convert

import (
	"errors"
	"fmt"
	"slices"

	"finrelay/exporter"
)

// misfit is a row that cannot be shaped.
type misfit struct {
	err    error
	column string // of the value that does not fit; "" when it is the row
}

func (m *misfit) Error() string { return m.err.Error() }

// refuse makes a bad row of a line, or gives back an error that is not the
// row's. What came before goes first: the sink sees source order.
func (s *Shaper) refuse(line []byte, err error) error {
	if s.ctx.Err() != nil {
		return err
	}
	if err := s.flush(); err != nil {
		return err
	}
	m, ok := errors.AsType[*misfit](err)
	if !ok {
		return err
	}
	s.stats.BadRows++
	bad := BadRow{Record: s.records, Raw: line, Err: m.err}
	if s.from != nil {
		var raw []byte
		bad.Line, bad.Column, raw = s.from.locate(s.at, slices.Index(s.header, m.column))
		if raw != nil {
			bad.Raw = raw
		}
	}
	return s.sink.BadRow(bad)
}

// rejectRow is an error of the row at hand that ends the conversion.
func (s *Shaper) rejectRow(format string, args ...any) error {
	err := &exporter.RecordError{Entry: s.entry, Err: fmt.Errorf(format, args...)}
	if s.from != nil {
		err.Line, err.Column, _ = s.from.locate(s.at, -1)
	}
	return err
}

// reject is an error that ends the conversion.
func (s *Shaper) reject(format string, args ...any) error {
	return &exporter.RecordError{Entry: s.entry, Err: fmt.Errorf(format, args...)}
}

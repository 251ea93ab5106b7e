package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"finrelay/exporter"
)

// ShapeStats says what a Shaper did. Rows read and rows given always add up:
//
//	RowsIn == RowsOut - Extra + Dropped + BadRows
type ShapeStats struct {
	RowsIn  int64 // rows the reader gave
	RowsOut int64 // rows given on
	Dropped int64 // rows of which the transform made none
	Extra   int64 // rows the transform made beyond the first of a row
	BadRows int64 // rows that became bad rows here
	// TypeErrors counts the values that did not fit, by column as read.
	TypeErrors map[string]int64
}

// Shaper is a Sink that gives rows, shaped, to another. It stands behind the
// reader only where a flow asks for it, so that rows without a shape pay
// nothing. It serves one conversion and is not for concurrent use.
type Shaper struct {
	ctx   context.Context
	entry string
	sink  Sink
	*compiled

	plans   []*columnPlan          // in the order of the first row: rows repeat it
	byRaw   map[string]*columnPlan // by key as spelled
	byOut   map[string]*columnPlan
	slots   []slot // of a row's selected columns, by place
	row     []byte // what a transform is given
	out     []byte
	made    int      // rows in out
	from    origin   // of the block at hand
	at      int      // number of the row at hand in it
	records int64    // records the reader told of
	header  []string // of a file that has one
	names   []string // of rows given, in order of first appearance
	named   map[string]bool
	slow    int // rows that the transform did not end with
	stats   ShapeStats
}

// NewShaper makes a Shaper in front of sink; entry is the file's name for error
// messages. The error is a *ShapeError. When ctx ends, Block returns its cause.
//
// Block's own errors are *exporter.RecordError: two columns that the shape
// would give one name, a selected column that the file's header lacks.
func NewShaper(ctx context.Context, entry string, shape Shape, sink Sink) (*Shaper, error) {
	c, err := shape.compile()
	if err != nil {
		return nil, err
	}
	return &Shaper{
		ctx: ctx, entry: entry, sink: sink, compiled: c,
		byRaw: make(map[string]*columnPlan), byOut: make(map[string]*columnPlan),
		slots: make([]slot, len(c.selected)), named: make(map[string]bool),
		stats: ShapeStats{TypeErrors: make(map[string]int64)},
	}, nil
}

// Stats gives what was done so far.
func (s *Shaper) Stats() ShapeStats { return s.stats }

// Block shapes rows. What is bad among them has no place, line and column 0:
// lines do not tell it, and Convert, which can, does not come this way.
func (s *Shaper) Block(lines []byte, rows int) error { return s.blockFrom(lines, rows, nil) }

func (s *Shaper) blockFrom(lines []byte, _ int, from origin) error {
	s.from = from
	if s.transform != nil {
		defer s.transform.limit.release()
	}
	for s.at = 0; len(lines) > 0; s.at++ {
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		s.records++
		s.stats.RowsIn++
		begin, before := len(s.out), s.made
		size, err := s.shape(lines)
		if err != nil {
			s.out, s.made = s.out[:begin], before
			size = bytes.IndexByte(lines, '\n') + 1
			if err := s.refuse(lines[:size], err); err != nil {
				return err
			}
		} else if made := s.made - before; made == 0 {
			s.stats.Dropped++
		} else {
			s.stats.Extra += int64(made - 1)
		}
		lines = lines[size:]
		if len(s.out) >= blockSize {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return s.flush()
}

// BadRow passes on what the reader could not read.
func (s *Shaper) BadRow(b BadRow) error {
	s.records++
	return s.sink.BadRow(b)
}

func (s *Shaper) flush() error {
	if s.made == 0 {
		return nil
	}
	out, made := s.out, s.made
	if s.out, s.made = s.out[:0], 0; cap(out) > 8*blockSize {
		s.out = nil // one very long row must not hold its memory to the end
	}
	if err := s.sink.Block(out, made); err != nil {
		return err
	}
	s.stats.RowsOut += int64(made)
	return nil
}

// shape appends what becomes of the first of lines to out, and gives its
// length.
func (s *Shaper) shape(lines []byte) (size int, err error) {
	if s.transform == nil {
		if s.out, size, err = s.members(s.out, lines); err == nil {
			s.out = append(s.out, '\n')
			s.made++
		}
		return size + 1, err
	}
	if s.row, size, err = s.members(s.row[:0], lines); err != nil {
		return 0, err
	}
	return size + 1, s.run()
}

// run appends what the transform makes of row.
func (s *Shaper) run() error {
	begin := len(s.out)
	err := s.transform.run(s.ctx, s.row, func(object map[string]any) error {
		out, other, err := s.transform.appendObject(s.out, object)
		if s.out = out; err != nil {
			return err
		}
		if len(s.out)-begin > DefaultMaxRecord {
			s.transform.last = nil // its keys are not noted
			return fmt.Errorf("transform: makes more than %d bytes of one row", DefaultMaxRecord)
		}
		if s.made++; !other {
			return nil
		}
		return s.noteKeys(object)
	})
	if _, ours := errors.AsType[*exporter.RecordError](err); err == nil || ours || s.ctx.Err() != nil {
		return err
	}
	if errors.Is(err, errSlow) {
		if s.slow++; s.slow > MostSlowRows {
			return s.rejectRow("%w, as for %d rows before it: the program is at fault, not the row", err, MostSlowRows)
		}
	}
	return &misfit{err: err}
}

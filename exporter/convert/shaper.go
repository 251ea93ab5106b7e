package convert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	slots   []*columnPlan // of a row's selected columns, by place
	row     []byte        // what a transform is given
	out     []byte
	made    int      // rows in out
	records int64    // records the reader told of
	header  []string // of a file that has one
	names   []string // of rows given, in order of first appearance
	named   map[string]bool
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
		slots: make([]*columnPlan, len(c.selected)), named: make(map[string]bool),
		stats: ShapeStats{TypeErrors: make(map[string]int64)},
	}, nil
}

// Stats gives what was done so far.
func (s *Shaper) Stats() ShapeStats { return s.stats }

// Columns gives the names that rows have behind the shape, in order of first
// appearance. Of a file with a header and no rows they are what rows would
// have, but for those of a transform, which only rows can tell.
func (s *Shaper) Columns() []string {
	if s.stats.RowsIn == 0 && s.transform == nil {
		return s.headerOut()
	}
	return slices.Clone(s.names)
}

// headerOut names the columns of a file that has a header and no rows.
func (s *Shaper) headerOut() []string {
	type placed struct {
		name  string
		place int
	}
	var all []placed
	for i, name := range s.header {
		p := s.planOf(name)
		if p.drop {
			continue
		}
		if s.selected != nil {
			i = p.place
		}
		all = append(all, placed{p.out, i})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.place - b.place })
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	for _, k := range s.constants {
		names = append(names, k.plan.out)
	}
	return names
}

// Check compares the shape with the columns that were found, once the reader
// is done. The error names a selected column that no row has and those there
// are; missing lists the columns that have a type or a new name and are not
// there, which may be a slip.
func (s *Shaper) Check(found []string) (missing []string, err error) {
	if err := s.checkSelected(found); err != nil {
		return nil, err
	}
	for name := range s.compiled.columns {
		if !slices.Contains(found, name) {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing, nil
}

func (s *Shaper) checkSelected(found []string) error {
	for name := range s.selected {
		if !slices.Contains(found, name) {
			return s.reject("no column %q; there are %s", name, strings.Join(found, ", "))
		}
	}
	return nil
}

// tellHeader is called by readers of files that name their columns before the
// first row.
func tellHeader(sink Sink, names []string) error {
	if s, ok := sink.(*Shaper); ok {
		s.header = names
		return s.checkSelected(names)
	}
	return nil
}

// Block shapes rows.
func (s *Shaper) Block(lines []byte, _ int) error {
	for line := range bytes.Lines(lines) {
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		s.records++
		s.stats.RowsIn++
		begin, before := len(s.out), s.made
		if err := s.shape(line); err != nil {
			s.out, s.made = s.out[:begin], before
			if err := s.refuse(line, err); err != nil {
				return err
			}
			continue
		}
		switch made := s.made - before; {
		case made == 0:
			s.stats.Dropped++
		default:
			s.stats.Extra += int64(made - 1)
		}
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

// misfit is a row that cannot be shaped.
type misfit struct{ err error }

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
	return s.sink.BadRow(BadRow{Record: s.records, Raw: line, Err: fmt.Errorf("record %d: %w", s.records, m.err)})
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

// shape appends what becomes of a line to out.
func (s *Shaper) shape(line []byte) error {
	if s.transform == nil {
		var err error
		if s.out, err = s.members(s.out, line); err == nil {
			s.made++
		}
		return err
	}
	var err error
	if s.row, err = s.members(s.row[:0], line); err != nil {
		return err
	}
	err = s.transform.run(s.ctx, s.row, func(object map[string]any) (err error) {
		if s.out, err = s.transform.appendObject(s.out, object); err != nil {
			return err
		}
		s.made++
		return s.noteKeys(object)
	})
	if _, ours := errors.AsType[*exporter.RecordError](err); err == nil || ours || s.ctx.Err() != nil {
		return err
	}
	return &misfit{err}
}

// reject is an error that ends the conversion.
func (s *Shaper) reject(format string, args ...any) error {
	return &exporter.RecordError{Entry: s.entry, Err: fmt.Errorf(format, args...)}
}

// noteKeys remembers the names of a transform's row.
func (s *Shaper) noteKeys(object map[string]any) error {
	fresh := 0
	for key := range object {
		if !s.named[key] {
			s.named[key] = true
			s.names = append(s.names, key)
			fresh++
		}
	}
	if len(s.names) > maxColumns {
		return s.reject("transform: more than %d different keys", maxColumns)
	}
	slices.SortFunc(s.names[len(s.names)-fresh:], s.transform.compare)
	return nil
}

// note remembers that rows have a column.
func (s *Shaper) note(p *columnPlan) {
	if p.met {
		return
	}
	p.met = true
	if s.transform != nil {
		s.transform.meet(p.out)
		return
	}
	s.names = append(s.names, p.out)
}

// planOf gives what becomes of a column, by its name as read.
func (s *Shaper) planOf(name string) *columnPlan {
	p := s.compiled.columns[name]
	if p == nil {
		p = &columnPlan{name: name, out: name, kind: TypeString}
	}
	if s.selected != nil {
		place, kept := s.selected[name]
		p.place, p.drop = place, p.drop || !kept
	}
	return p
}

// learn makes the plan of a key that was not met before.
func (s *Shaper) learn(raw []byte) (*columnPlan, error) {
	if len(s.byRaw) == maxColumns {
		return nil, s.reject("more than %d columns", maxColumns)
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, err
	}
	p := s.planOf(name)
	if other := s.byOut[p.out]; other != nil && !p.drop {
		if other.name != name {
			return nil, s.reject("columns %q and %q would both be %q: rename one, or drop one", other.name, name, p.out)
		}
		p = other // another spelling of the same key
	}
	for _, k := range s.constants {
		if k.plan.out == p.out && !p.drop {
			return nil, s.reject("the rows have a column %q, as the constant of that name would be: rename one, or drop the column", p.out)
		}
	}
	if !p.drop {
		s.byOut[p.out] = p
	}
	s.byRaw[string(raw)] = p
	return p, nil
}

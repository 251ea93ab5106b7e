package flows

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"finrelay/exporter/convert"
	"finrelay/state"
)

// harvest is what one pass over a data file gave: what was read, and what
// became of it behind the flow's shape.
type harvest struct {
	convert.Result
	records int64    // read: rows and records that are none
	rows    int64    // given to the output
	bad     int64    // records that are no rows, by the reader or by the shape
	columns []string // of the rows given
	shaped  noted    // by the shape, what a person who looks at the counts would ask
}

// reap converts a data file, through the flow's shape where it has one. Without
// one the rows take no way round.
func (f *Flow) reap(ctx context.Context, source io.Reader, entry string, read convert.Options, sink convert.Sink) (harvest, error) {
	if f.Shape.IsZero() {
		res, err := convert.Convert(ctx, source, entry, read, sink)
		return harvest{Result: res, records: res.Rows + res.BadRows, rows: res.Rows, bad: res.BadRows, columns: res.Columns}, err
	}
	shaper, err := convert.NewShaper(ctx, entry, f.Shape, sink)
	if err != nil {
		return harvest{}, fmt.Errorf("flow %s: %w", f.Name, err)
	}
	res, err := convert.Convert(ctx, source, entry, read, shaper)
	stats := shaper.Stats()
	h := harvest{
		Result: res, records: res.Rows + res.BadRows, rows: stats.RowsOut, bad: res.BadRows + stats.BadRows,
		columns: shaper.Columns(), shaped: f.notedOfShape(stats),
	}
	if err != nil || len(res.Columns) == 0 {
		return h, err
	}
	missing, err := shaper.Check(res.Columns)
	if len(missing) > 0 {
		h.shaped.add(state.RemarkColumnsMissing, fmt.Sprintf("flow %s has settings for columns that the file lacks: %s", f.Name, strings.Join(missing, ", ")))
	}
	return h, err
}

// notedOfShape explains why rows or values are not those of the file.
func (f *Flow) notedOfShape(s convert.ShapeStats) (about noted) {
	if s.Dropped > 0 {
		about.add("", fmt.Sprintf("the transform left %d rows out", s.Dropped))
	}
	if s.Extra > 0 {
		about.add("", fmt.Sprintf("the transform made %d rows more than were read", s.Extra))
	}
	var columns []string
	for name := range s.TypeErrors {
		columns = append(columns, name)
	}
	slices.Sort(columns)
	become := map[convert.OnTypeError]string{convert.TypeErrorKeep: "kept as text", convert.TypeErrorNull: "made null"}[f.Shape.OnTypeError]
	for _, name := range columns {
		if become != "" {
			about.add(state.RemarkTypeErrors, fmt.Sprintf("%d values of column %s did not fit its type and were %s", s.TypeErrors[name], name, become))
		}
	}
	return about
}

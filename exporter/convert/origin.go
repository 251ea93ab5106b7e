package convert

import "sort"

// origin tells a sink that asks where the rows of a block came from. It is
// asked about rows that are refused later, so nothing is worked out before.
type origin interface {
	// locate gives the place of the nth row of the block, from 0, or of its
	// value in a column, from 0, where the format can tell; a column below 0 is
	// none. raw is the record as it stands in the source, nil when that is not
	// at hand, and valid until the next call. n must not fall from call to call.
	locate(n, column int) (line, byteOfLine int64, raw []byte)
}

// asker is a Sink that wants origins. It gets blockFrom in place of Block.
type asker interface {
	Sink
	blockFrom(lines []byte, rows int, from origin) error
}

// trail is the origin of the rows that an emitter gathers: a copy of their
// source. Only sinks that ask pay for it.
type trail struct {
	window *window   // they come from; nil for a sheet
	csv    *csvShape // to find columns by; nil unless CSV
	rows   []trailRow
	text   []byte // of the rows, one behind the other
	place  place  // for locate
	number int64  // of the sheet's row that is next
}

// trailRow is where a row begins, and where it ends in the trail's text.
type trailRow struct {
	line, before int64
	end          int
}

// add keeps what the window moved over last: the row that now ends there. The
// first row of a block ends what was kept of the block before.
func (t *trail) add(first bool) {
	if first {
		t.clear()
	}
	w := t.window
	if w == nil {
		t.rows = append(t.rows, trailRow{line: t.number})
		return
	}
	t.text = append(t.text, w.buf[w.start-w.passed:w.start]...)
	t.rows = append(t.rows, trailRow{w.from.line, w.from.before, len(t.text)})
}

// full says that the source of the rows is long, however short their lines are.
func (t *trail) full() bool { return t != nil && len(t.text) >= maxOut() }

func (t *trail) clear() {
	t.rows = t.rows[:0]
	if t.text = t.text[:0]; cap(t.text) > 2*maxOut() {
		t.text = nil // one very long row must not hold its memory to the end
	}
}

func (t *trail) locate(n, column int) (line, byteOfLine int64, raw []byte) {
	row := t.rows[n]
	if t.window == nil {
		return row.line, int64(max(column, 0)) + 1, nil
	}
	begin := 0
	if n > 0 {
		begin = t.rows[n-1].end
	}
	rec := t.text[begin:row.end]
	t.place.line, t.place.before, t.place.codec = row.line, row.before, t.window.codec
	line, byteOfLine = t.place.after(rec[:t.csv.columnStart(rec, column)])
	return line, byteOfLine, t.place.source(rec)
}

// csvWalk is the origin of rows that a worker made. It reads their source
// again, as far as it is asked.
type csvWalk struct {
	csv   *csvShape
	place place  // of text
	text  []byte // records that are rows
	row   int    // number of the first
	line  []byte // scratch
}

func (w *csvWalk) locate(n, column int) (line, byteOfLine int64, raw []byte) {
	for ; w.row < n; w.row++ {
		size := w.record()
		w.place.advance(w.text[:size])
		w.text = w.text[size:]
	}
	rec := w.text[:w.record()]
	line, byteOfLine = w.place.after(rec[:w.csv.columnStart(rec, column)])
	return line, byteOfLine, w.place.source(rec)
}

// record gives the length of the record that text begins with.
func (w *csvWalk) record() int {
	var row csvRow
	w.line, row = w.csv.appendRow(w.line[:0], w.text, true, nil)
	return row.size
}

// columnStart gives the offset of a column in a record that is a row. What
// separates fields appendRow alone knows, so it is asked how many it finds in
// how much of the record.
func (s *csvShape) columnStart(rec []byte, column int) int {
	if s == nil || column <= 0 {
		return 0
	}
	var line []byte
	return sort.Search(len(rec), func(n int) bool {
		var row csvRow
		if n > 0 {
			line, row = s.appendRow(line[:0], rec[:n], true, nil)
		}
		return row.fields > column
	})
}

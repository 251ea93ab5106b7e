package convert

import (
	"bytes"
	"errors"
	"fmt"
)

// errLineShort is the fault of a line of JSON Lines that lacks its end.
var errLineShort = fmt.Errorf("line %w", errShort)

// values reads values one after the other: JSON Lines, or with other white
// space between them, or none.
func (j *jsonReader) values() error {
	lines, err := j.isLines()
	if err != nil {
		return err
	}
	for {
		if lines {
			if ok, err := j.space(); err != nil || !ok {
				return err
			}
			err = j.line()
		} else {
			if c, err := j.peek(); err != nil || c == 0 {
				return err
			}
			err = j.element()
		}
		if err != nil {
			return err
		}
	}
}

// line reads what begins on the line that is next: as a rule one object, which
// ends there too. It may be several values, and the last of them may end on a
// line further down, as long as nothing is wrong with them. Otherwise the line,
// and only it, is no row.
func (j *jsonReader) line() error {
	begin := len(j.out)
	end, ok, err := j.try(0, true)
	if err != nil {
		return err
	}
	if ok {
		alone, err := j.lineEnds(end)
		if err != nil {
			j.out = j.out[:begin]
			return err
		}
		if alone {
			return j.take(begin, end)
		}
	}
	j.out = j.out[:begin]
	count := 0
	if ok {
		count, err = j.others(end)
	}
	if err != nil {
		return err
	}
	if count == 0 {
		return j.badLine()
	}
	for range count {
		if _, err := j.space(); err != nil {
			return err
		}
		if err := j.element(); err != nil {
			return err
		}
	}
	return nil
}

// try reads the value that follows at an offset of the window, and gives the
// offset behind it; ok is false when there is none, or not within MaxRecord. Its
// compact form is appended to out if it is to be kept.
func (j *jsonReader) try(from int, keep bool) (end int, ok bool, err error) {
	w := j.window
	begin := len(j.out)
	for {
		j.s = jsonScan{in: w.bytes(), pos: from, atEOF: w.eof, out: j.out[:begin], keep: keep}
		wrong := j.s.value()
		j.out = j.s.out
		if wrong == nil && j.s.pos <= w.max {
			return j.s.pos, true, nil
		}
		if !errors.Is(wrong, errShort) || w.eof || len(w.bytes()) > w.max {
			j.out = j.out[:begin]
			return 0, false, nil
		}
		if err := w.more(); err != nil {
			j.out = j.out[:begin]
			return 0, false, err
		}
	}
}

// others counts the values of the line whose first ends at the offset, that one
// too, up to one that ends a line; none if something is wrong with them.
func (j *jsonReader) others(end int) (count int, err error) {
	for count = 1; ; count++ {
		alone, err := j.lineEnds(end)
		if err != nil || alone {
			return count, err
		}
		var ok bool
		if end, ok, err = j.try(end, false); err != nil || !ok {
			return 0, err
		}
	}
}

// lineEnds says whether nothing but white space stands between an offset of the
// window and the end of the line, or as far as a record may reach.
func (j *jsonReader) lineEnds(at int) (bool, error) {
	w := j.window
	for {
		for in := w.bytes(); at < len(in) && at <= w.max; at++ {
			switch in[at] {
			case '\n':
				return true, nil
			case ' ', '\t', '\r':
			default:
				return false, nil
			}
		}
		if w.eof || at > w.max {
			return true, nil
		}
		if err := w.more(); err != nil {
			return false, err
		}
	}
}

// lineLen is the length of the line that is next, its end included; 0 when it is
// longer than a record may be.
func (j *jsonReader) lineLen() (int, error) {
	w := j.window
	for {
		in := w.bytes()
		if i := bytes.IndexByte(in[:min(len(in), w.max+1)], '\n'); i >= 0 {
			return i + 1, nil
		}
		switch {
		case len(in) > w.max:
			return 0, nil
		case w.eof:
			return len(in), nil
		}
		if err := w.more(); err != nil {
			return 0, err
		}
	}
}

// badLine reports the line that is next and moves over it.
func (j *jsonReader) badLine() error {
	n, err := j.lineLen()
	if err != nil {
		return err
	}
	if n == 0 {
		return j.longLine()
	}
	line := trimLine(j.window.bytes()[:n])
	if err := j.badRow(len(line), judgeLine(line)); err != nil {
		return err
	}
	j.window.advance(n)
	return nil
}

// trimLine takes away the line end, and white space before it.
func trimLine(line []byte) []byte { return bytes.TrimRight(line, " \t\r\n") }

// judgeLine says what is wrong with a line that is no row.
func judgeLine(line []byte) *fault {
	s := jsonScan{in: line, atEOF: true}
	for {
		c, err := s.next()
		if err != nil {
			return &fault{0, errNoObject}
		}
		if c == 0 {
			return &fault{s.pos, errNUL}
		}
		err = s.value()
		if f, ok := errors.AsType[*fault](err); ok {
			return f
		}
		if err != nil {
			return &fault{len(line), errLineShort}
		}
	}
}

// longLine reports as much of a line as may be held, and moves over all of it,
// holding no more than that.
func (j *jsonReader) longLine() error {
	if err := j.longRecord(); err != nil {
		return err
	}
	w := j.window
	for {
		if i := bytes.IndexByte(w.bytes(), '\n'); i >= 0 {
			w.advance(i + 1)
			return nil
		}
		w.drop() // the columns of this line are of no interest any more
		if w.eof {
			return nil
		}
		if err := w.more(); err != nil {
			return err
		}
	}
}

package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// element reads one row, or reports that it is none.
func (j *jsonReader) element() error {
	begin := len(j.out)
	n, err := j.scan((*jsonScan).value)
	if err != nil {
		j.out = j.out[:begin]
		return err
	}
	return j.take(begin, n)
}

// take makes a row of the next n bytes, whose compact form stands in out from
// begin on, or reports that they are none.
func (j *jsonReader) take(begin, n int) error {
	w := j.window
	var bad *fault
	if raw := w.bytes()[:n]; !utf8.Valid(raw) {
		bad = &fault{invalidUTF8(raw), errUndecodable}
	} else if raw[0] != '{' {
		bad = &fault{0, errNoObject}
	}
	if bad == nil {
		if err := j.addColumns(j.out[begin:]); err != nil {
			j.out = j.out[:begin]
			return err
		}
		j.out = append(j.out, '\n')
		w.advance(n)
		return j.row()
	}
	j.out = j.out[:begin]
	if err := j.badRow(n, bad); err != nil {
		return err
	}
	w.advance(n)
	return nil
}

// addColumns tells the columns the keys of a compact row.
func (j *jsonReader) addColumns(row []byte) error {
	j.columns.startRow()
	j.s = jsonScan{in: row, pos: 1, atEOF: true}
	s := &j.s
	for s.in[s.pos] == '"' {
		from := s.pos
		_ = s.text() // the row is known to be well-formed
		raw := row[from:s.pos]
		before := len(j.columns.names)
		if err := j.columns.add(raw); err != nil {
			return j.window.reject(&fault{0, err})
		}
		if len(j.columns.names) > before {
			var name string
			if err := json.Unmarshal(raw, &name); err == nil && !j.decoded[name] {
				j.decoded[name] = true
				j.names = append(j.names, name)
			}
		}
		s.pos++ // the colon
		_ = s.value()
		s.pos++ // the comma, or the end
		if s.pos == len(row) {
			break
		}
	}
	return nil
}

// peek passes over white space and gives the next byte, 0 at the end.
func (j *jsonReader) peek() (byte, error) {
	if ok, err := j.space(); err != nil || !ok {
		return 0, err
	}
	c := j.window.bytes()[0]
	if c == 0 {
		return 0, j.window.reject(&fault{0, errNUL})
	}
	return c, nil
}

// space passes over white space and says whether anything follows.
func (j *jsonReader) space() (bool, error) {
	w := j.window
	for {
		in := w.bytes()
		rest := skipSpace(in)
		w.advance(len(in) - len(rest))
		if len(rest) > 0 || w.eof {
			return len(rest) > 0, nil
		}
		if err := w.more(); err != nil {
			return false, err
		}
	}
}

// punctuation reads one of the bytes allowed.
func (j *jsonReader) punctuation(allowed string) (byte, error) {
	c, err := j.peek()
	if err != nil {
		return 0, err
	}
	if c == 0 {
		return 0, j.window.reject(faultf(0, "document %w", errShort))
	}
	if bytes.IndexByte([]byte(allowed), c) < 0 {
		return 0, j.window.reject(faultf(0, "%q where one of %q must stand", c, allowed))
	}
	j.window.advance(1)
	return c, nil
}

// skip reads something that is no row and moves over it.
func (j *jsonReader) skip(read func(*jsonScan) error) error {
	begin := len(j.out)
	n, err := j.scan(read)
	j.out = j.out[:begin]
	if err != nil {
		return err
	}
	j.window.advance(n)
	return nil
}

// scan runs read over the window, with more bytes as long as they do not
// suffice, and gives the length of what it read. Its compact form is appended
// to out.
func (j *jsonReader) scan(read func(*jsonScan) error) (int, error) {
	w := j.window
	begin := len(j.out)
	for {
		j.s = jsonScan{in: w.bytes(), atEOF: w.eof, out: j.out[:begin], keep: true}
		err := read(&j.s)
		j.out = j.s.out
		switch {
		case err == nil && j.s.pos > w.max:
			return 0, w.tooLong(0)
		case err == nil:
			return j.s.pos, nil
		case !errors.Is(err, errShort):
			return 0, w.reject(err)
		case w.eof:
			return 0, w.reject(faultf(len(w.bytes()), "document %w", errShort))
		}
		if err := w.more(); err != nil {
			j.out = j.out[:begin]
			return 0, err
		}
	}
}

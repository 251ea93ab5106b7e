package convert

import (
	"bytes"
	"errors"
)

var (
	errJSONControl = errors.New("control character in a string")
	errJSONEscape  = errors.New("malformed escape in a string")
	errJSONNumber  = errors.New("malformed number")
	errJSONDeep    = errors.New("values nested too deep")
)

// maxJSONDepth bounds nesting of arrays and objects in a row.
const maxJSONDepth = 512

// jsonScan checks JSON values and copies them without the white space between
// tokens, every token as it is spelled. encoding/json would do, but not stop in
// the middle of a value, tell where it stands, or bound a record.
type jsonScan struct {
	in    []byte
	pos   int
	atEOF bool
	out   []byte
	keep  bool // append to out
	depth int
}

func (s *jsonScan) take(from int) {
	if s.keep {
		s.out = append(s.out, s.in[from:s.pos]...)
	}
}

// key reads the name of a member.
func (s *jsonScan) key() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	if c != '"' {
		return faultf(s.pos, "%q where a key must stand", c)
	}
	return s.text()
}

// next passes over white space and gives the next byte without moving over it.
func (s *jsonScan) next() (byte, error) {
	for ; s.pos < len(s.in); s.pos++ {
		if c := s.in[s.pos]; !xmlSpace(c) { // the same four in both languages
			return c, nil
		}
	}
	return 0, errShort
}

// punctuation reads one of two bytes.
func (s *jsonScan) punctuation(a, b byte) (byte, error) {
	c, err := s.next()
	if err != nil {
		return 0, err
	}
	if c != a && c != b {
		return 0, faultf(s.pos, "%q where %q or %q must stand", c, a, b)
	}
	s.pos++
	s.take(s.pos - 1)
	return c, nil
}

func (s *jsonScan) value() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	switch {
	case c == '{':
		return s.nested('}', s.member)
	case c == '[':
		return s.nested(']', s.value)
	case c == '"':
		return s.text()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return faultf(s.pos, "%q where a value must stand", c)
}

// nested reads an array or an object, whose items read reads.
func (s *jsonScan) nested(end byte, read func() error) error {
	if s.depth == maxJSONDepth {
		return &fault{s.pos, errJSONDeep}
	}
	s.depth++
	defer func() { s.depth-- }()
	s.pos++
	s.take(s.pos - 1)
	c, err := s.next()
	if err != nil {
		return err
	}
	if c == end {
		s.pos++
		s.take(s.pos - 1)
		return nil
	}
	for {
		if err := read(); err != nil {
			return err
		}
		c, err := s.punctuation(',', end)
		if err != nil || c == end {
			return err
		}
	}
}

func (s *jsonScan) member() error {
	if err := s.key(); err != nil {
		return err
	}
	if _, err := s.punctuation(':', ':'); err != nil {
		return err
	}
	return s.value()
}

// text reads a string.
func (s *jsonScan) text() error {
	from := s.pos
	for i := from + 1; i < len(s.in); i++ {
		switch c := s.in[i]; {
		case c == '"':
			s.pos = i + 1
			s.take(from)
			return nil
		case c < 0x20:
			return &fault{i, errJSONControl}
		case c == '\\':
			n, err := escapeLen(s.in[i+1:])
			if err != nil {
				if err == errShort {
					return err
				}
				return &fault{i, err}
			}
			i += n
		}
	}
	return errShort
}

// escapeLen is the length of the escape after its backslash.
func escapeLen(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, errShort
	}
	if b[0] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), b[0]) < 0 {
			return 0, errJSONEscape
		}
		return 1, nil
	}
	for i := 1; i <= 4; i++ {
		if i == len(b) {
			return 0, errShort
		}
		if c := b[i] | 0x20; (c < 'a' || c > 'f') && (b[i] < '0' || b[i] > '9') {
			return 0, errJSONEscape
		}
	}
	return 5, nil
}

func (s *jsonScan) digits() int {
	from := s.pos
	for s.pos < len(s.in) && s.in[s.pos] >= '0' && s.in[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - from
}

func (s *jsonScan) at(set string) bool {
	return s.pos < len(s.in) && bytes.IndexByte([]byte(set), s.in[s.pos]) >= 0
}

func (s *jsonScan) number() error {
	from := s.pos
	if s.at("-") {
		s.pos++
	}
	zero := s.at("0")
	ok := true
	if n := s.digits(); n == 0 || zero && n > 1 {
		ok = false
	}
	if ok && s.at(".") {
		s.pos++
		ok = s.digits() > 0
	}
	if ok && s.at("eE") {
		s.pos++
		if s.at("+-") {
			s.pos++
		}
		ok = s.digits() > 0
	}
	if s.pos == len(s.in) && !s.atEOF {
		return errShort // it may go on
	}
	if !ok {
		return &fault{from, errJSONNumber}
	}
	s.take(from)
	return nil
}

func (s *jsonScan) word(w string) error {
	rest := s.in[s.pos:]
	if len(rest) < len(w) && string(rest) == w[:len(rest)] {
		return errShort
	}
	if len(rest) < len(w) || string(rest[:len(w)]) != w {
		return faultf(s.pos, "unknown word, want %s", w)
	}
	s.pos += len(w)
	s.take(s.pos - len(w))
	return nil
}

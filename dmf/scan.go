package dmf

import (
	"encoding/json"
	"errors"
	"strings"
)

// scanner reads JSON text once, from left to right, and checks it as it goes.
// It exists because the intake reads every notification before it answers:
// encoding/json needs a second pass to find an object's end and a map to keep
// what it does not know.
type scanner struct {
	s string
	i int // next byte
}

// valueKind is the first byte of a JSON value, with '0' for any number.
type valueKind byte

const (
	kindString valueKind = '"'
	kindNumber valueKind = '0'
	kindNull   valueKind = 'n'
	kindTrue   valueKind = 't'
	kindFalse  valueKind = 'f'
	kindObject valueKind = '{'
	kindArray  valueKind = '['
)

func (k valueKind) String() string {
	switch k {
	case kindString:
		return "a string"
	case kindNumber:
		return "a number"
	case kindNull:
		return "null"
	case kindObject:
		return "an object"
	case kindArray:
		return "an array"
	}
	return "a boolean"
}

// value is one JSON value. Text is a string's content with escapes resolved,
// and any other value's JSON as it stands.
type value struct {
	kind valueKind
	text string
	at   int // offset of its first byte
}

// maxDepth bounds the nesting of objects and arrays, so that a body of opening
// brackets cannot exhaust the stack. Events in the wild have one level.
const maxDepth = 100

var (
	errEnd     = errors.New("JSON ends too early")
	errSyntax  = errors.New("not JSON")
	errControl = errors.New("unescaped control character in a string")
	errEscape  = errors.New("unknown escape in a string")
	errNumber  = errors.New("malformed number")
	errDepth   = errors.New("nested too deeply")
)

func (s *scanner) fail(err error) error {
	return &EventError{Offset: int64(s.i), Err: err}
}

func (s *scanner) space() {
	for s.i < len(s.s) {
		switch s.s[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// peek gives the next byte, or 0 at the end: NUL is no JSON.
func (s *scanner) peek() byte {
	if s.i < len(s.s) {
		return s.s[s.i]
	}
	return 0
}

// take steps over the byte c.
func (s *scanner) take(c byte) error {
	if s.i >= len(s.s) {
		return s.fail(errEnd)
	}
	if s.s[s.i] != c {
		return s.fail(errSyntax)
	}
	s.i++
	return nil
}

// value reads the value at hand, white space before it skipped.
func (s *scanner) value(depth int) (value, error) {
	s.space()
	at := s.i
	switch c := s.peek(); {
	case c == '"':
		text, err := s.str()
		return value{kindString, text, at}, err
	case c == '{' || c == '[':
		err := s.nested(c, depth)
		return value{valueKind(c), s.s[at:s.i], at}, err
	case c == '-' || c >= '0' && c <= '9':
		err := s.number()
		return value{kindNumber, s.s[at:s.i], at}, err
	case c == 'n':
		return value{kindNull, "null", at}, s.literal("null")
	case c == 't':
		return value{kindTrue, "true", at}, s.literal("true")
	case c == 'f':
		return value{kindFalse, "false", at}, s.literal("false")
	case s.i >= len(s.s):
		return value{}, s.fail(errEnd)
	}
	return value{}, s.fail(errSyntax)
}

// nested steps over an object or array.
func (s *scanner) nested(open byte, depth int) error {
	if depth >= maxDepth {
		return s.fail(errDepth)
	}
	if open == '{' {
		return s.object(func(string) error {
			_, err := s.value(depth + 1)
			return err
		})
	}
	return s.array(func() error {
		_, err := s.value(depth + 1)
		return err
	})
}

// object reads an object; member is called for each key and reads its value.
func (s *scanner) object(member func(key string) error) error {
	return s.list('{', '}', func() error {
		if s.peek() != '"' {
			return s.take('"')
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		s.space()
		if err := s.take(':'); err != nil {
			return err
		}
		return member(key)
	})
}

// array reads an array; element is called at each element and reads it.
func (s *scanner) array(element func() error) error {
	return s.list('[', ']', element)
}

// list reads items between two brackets, parted by commas.
func (s *scanner) list(open, end byte, item func() error) error {
	if err := s.take(open); err != nil {
		return err
	}
	s.space()
	if s.peek() == end {
		s.i++
		return nil
	}
	for {
		s.space()
		if err := item(); err != nil {
			return err
		}
		s.space()
		if s.peek() == end {
			s.i++
			return nil
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// str reads a string. One without escapes shares the scanner's memory.
func (s *scanner) str() (string, error) {
	start := s.i
	escaped := false
	for s.i++; s.i < len(s.s); s.i++ {
		switch c := s.s[s.i]; {
		case c == '"':
			s.i++
			return s.unquote(start, escaped)
		case c == '\\':
			escaped = true
			s.i++ // what is escaped cannot end the string
		case c < ' ':
			return "", s.fail(errControl)
		}
	}
	s.i = len(s.s)
	return "", s.fail(errEnd)
}

func (s *scanner) unquote(start int, escaped bool) (string, error) {
	if !escaped {
		return s.s[start+1 : s.i-1], nil
	}
	var text string
	if err := json.Unmarshal([]byte(s.s[start:s.i]), &text); err != nil {
		return "", &EventError{Offset: int64(start), Err: errEscape}
	}
	return text, nil
}

func (s *scanner) literal(word string) error {
	if !strings.HasPrefix(s.s[s.i:], word) {
		return s.fail(errSyntax)
	}
	s.i += len(word)
	return nil
}

// number steps over a number as JSON defines it.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.i++
	}
	leadingZero := s.peek() == '0'
	if n := s.digits(); n == 0 || leadingZero && n > 1 {
		return s.fail(errNumber)
	}
	if s.peek() == '.' {
		s.i++
		if s.digits() == 0 {
			return s.fail(errNumber)
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if s.digits() == 0 {
			return s.fail(errNumber)
		}
	}
	return nil
}

func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.s) && s.s[s.i] >= '0' && s.s[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}

package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

var (
	errTypeEmpty   = errors.New("empty")
	errNoInteger   = errors.New("no whole number")
	errNoDecimal   = errors.New("no number")
	errNoBoolean   = errors.New("neither Yes, true, 1 nor No, false, 0")
	errNotTyped    = errors.New("a list or an object, which has no type")
	errNumberStyle = errors.New("not a format of numbers")
)

// columnPlan is a Column made ready to run.
type columnPlan struct {
	name, out string
	drop      bool
	omitEmpty bool
	kind      ColumnType
	marks     marks
	layouts   []string
	steps     []clockStep // the one layout as readClock takes it; nil when it cannot
	zone      *zone
	prefix    []byte // "OUT":

	// What a Shaper keeps of its file.
	head   string // the key as the file spells it, and its colon
	index  int    // in the order of the first row
	fate   fate
	place  int    // among the selected columns
	met    bool   // a row has it
	layout int    // which of the layouts fitted last
	member []byte // of the row at hand, when columns are selected
}

// fate is what becomes of a column's members.
type fate uint8

const (
	stays   fate = iota // each as it is, where it is
	changes             // all else
	skipped             // the column is not selected
)

// appendValue appends the value that raw, a JSON value, becomes.
func (p *columnPlan) appendValue(out, raw []byte) ([]byte, error) {
	if p.kind == TypeString || string(raw) == "null" {
		return append(out, raw...), nil
	}
	switch raw[0] {
	case '"':
		text := trimmed(raw)
		if len(text) == 0 {
			return append(out, "null"...), nil
		}
		return p.appendText(out, text)
	case '{', '[':
		return out, errNotTyped
	case 't', 'f':
		if p.kind == TypeBoolean {
			return append(out, raw...), nil
		}
		return out, p.misfit()
	}
	// A JSON number says what it is by itself, whatever the format of texts.
	switch p.kind {
	case TypeInteger, TypeBoolean:
		plain := columnPlan{kind: p.kind, marks: marks{point: '.'}}
		return plain.appendText(out, raw)
	case TypeDecimal:
		return append(out, raw...), nil
	}
	return p.appendText(out, raw)
}

// trimmed is the content of a JSON string, without blanks around it.
func trimmed(raw []byte) []byte {
	text := raw[1 : len(raw)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		var s string
		_ = json.Unmarshal(raw, &s) // the row is known to be well-formed
		text = []byte(s)
	}
	if n := len(text); n > 0 && solid(text[0]) && solid(text[n-1]) {
		return text
	}
	return bytes.TrimSpace(text)
}

// solid says that a byte is a whole character and no blank.
func solid(c byte) bool { return c > ' ' && c < utf8.RuneSelf }

func (p *columnPlan) appendText(out, text []byte) ([]byte, error) {
	switch p.kind {
	case TypeInteger, TypeDecimal:
		return p.appendNumber(out, text)
	case TypeBoolean:
		return appendBoolean(out, text)
	case TypeDate:
		return p.appendDay(out, text)
	}
	return p.appendTime(out, text)
}

func appendBoolean(out, text []byte) ([]byte, error) {
	// Letters of ASCII alone: bytes.EqualFold takes the long s of old prints for
	// an s.
	var small [5]byte
	if len(text) > len(small) {
		return out, errNoBoolean
	}
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		small[i] = c
	}
	switch string(small[:len(text)]) {
	case "yes", "true", "1":
		return append(out, "true"...), nil
	case "no", "false", "0":
		return append(out, "false"...), nil
	}
	return out, errNoBoolean
}

func (p *columnPlan) misfit() error {
	switch p.kind {
	case TypeInteger:
		return errNoInteger
	case TypeDecimal:
		return errNoDecimal
	case TypeBoolean:
		return errNoBoolean
	}
	return errNoDate
}

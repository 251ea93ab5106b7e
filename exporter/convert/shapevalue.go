package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
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
	zone      *time.Location
	prefix    []byte // "OUT":

	// What a Shaper keeps of its file.
	raw    []byte // the key as the file spells it
	index  int    // in the order of the first row
	place  int    // among the selected columns
	met    bool   // a row has it
	layout int    // which of the layouts fitted last
	member []byte // of the row at hand, when columns are selected
}

// appendValue appends the value that raw, a JSON value, becomes.
func (p *columnPlan) appendValue(out, raw []byte) ([]byte, error) {
	if p.kind == TypeString || string(raw) == "null" {
		return append(out, raw...), nil
	}
	switch raw[0] {
	case '"':
		text := p.text(raw)
		if text == "" {
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
	plainNumber := columnPlan{kind: p.kind, marks: marks{point: '.'}}
	switch p.kind {
	case TypeInteger, TypeBoolean:
		return plainNumber.appendText(out, string(raw))
	case TypeDecimal:
		return append(out, raw...), nil
	}
	return p.appendText(out, string(raw))
}

// text is the content of a JSON string, without blanks around it.
func (p *columnPlan) text(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	s := string(inner)
	if strings.IndexByte(s, '\\') >= 0 {
		_ = json.Unmarshal(raw, &s) // the row is known to be well-formed
	}
	return strings.TrimSpace(s)
}

func (p *columnPlan) appendText(out []byte, text string) ([]byte, error) {
	switch p.kind {
	case TypeInteger, TypeDecimal:
		return p.appendNumber(out, text)
	case TypeBoolean:
		switch strings.ToLower(text) {
		case "yes", "true", "1":
			return append(out, "true"...), nil
		case "no", "false", "0":
			return append(out, "false"...), nil
		}
		return out, errNoBoolean
	case TypeDate:
		return p.appendDay(out, text)
	case TypeTime:
		return p.appendTime(out, text)
	}
	return appendString(out, text), nil
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

// marks are the characters inside numbers; group 0 is none.
type marks struct{ point, group byte }

// NumberFormats are the ways to write numbers that Column.Format knows.
var NumberFormats = []string{"1234.56", "1,234.56", "1234,56", "1.234,56", "1 234,56"}

func numberMarks(format string) (marks, error) {
	switch format {
	case "", "1234.56":
		return marks{'.', 0}, nil
	case "1,234.56":
		return marks{'.', ','}, nil
	case "1234,56":
		return marks{',', 0}, nil
	case "1.234,56":
		return marks{',', '.'}, nil
	case "1 234,56":
		return marks{',', ' '}, nil
	}
	return marks{}, fmt.Errorf("%w, want one of %s", errNumberStyle, strings.Join(NumberFormats, "; "))
}

// blanks are the kinds of blank that locales group digits by.
var blanks = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

// appendNumber appends the number in JSON's spelling and with all its digits:
// 007 is 7, +.50 is 0.50, 1.E5 is 1E5.
func (p *columnPlan) appendNumber(out []byte, text string) ([]byte, error) {
	from := len(out)
	if p.marks.group == ' ' {
		text = blanks.Replace(text)
	}
	if text[0] == '-' || text[0] == '+' {
		if text[0] == '-' {
			out = append(out, '-')
		}
		text = text[1:]
	}
	whole, text, ok := p.wholePart(text)
	fraction := 0
	if ok && p.kind == TypeDecimal && text != "" && text[0] == p.marks.point {
		fraction = leadingDigits(text[1:])
	}
	if !ok || len(whole)+fraction == 0 {
		return out[:from], p.misfit()
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	out = append(out, whole...)
	if p.kind == TypeDecimal && text != "" && text[0] == p.marks.point {
		if fraction > 0 {
			out = append(append(out, '.'), text[1:1+fraction]...)
		}
		text = text[1+fraction:]
	}
	if p.kind == TypeDecimal && text != "" && text[0]|0x20 == 'e' {
		exponent := text[1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if n := leadingDigits(exponent); n > 0 && n == len(exponent) {
			out, text = append(out, text...), ""
		}
	}
	if text != "" {
		return out[:from], p.misfit()
	}
	if p.kind == TypeInteger && string(out[from:]) == "-0" {
		out = append(out[:from], '0')
	}
	return out, nil
}

// wholePart takes the digits before the point, without the marks between
// groups of three.
func (p *columnPlan) wholePart(text string) (digits, rest string, ok bool) {
	n := leadingDigits(text)
	digits, rest = text[:n], text[n:]
	if p.marks.group == 0 || rest == "" || rest[0] != p.marks.group {
		return digits, rest, true
	}
	if n == 0 || n > 3 {
		return "", "", false
	}
	for rest != "" && rest[0] == p.marks.group {
		if leadingDigits(rest[1:]) != 3 {
			return "", "", false
		}
		digits += rest[1:4]
		rest = rest[4:]
	}
	return digits, rest, true
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

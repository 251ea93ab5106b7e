package convert

import (
	"bytes"
	"fmt"
	"strings"
)

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

// groupMark is the length of the mark between groups of digits with which text
// begins, 0 without one. Locales group by several kinds of blank.
func (m marks) groupMark(text []byte) int {
	switch {
	case m.group == 0 || len(text) == 0:
		return 0
	case text[0] == m.group:
		return 1
	case m.group != ' ':
		return 0
	case bytes.HasPrefix(text, []byte("\u00a0")):
		return len("\u00a0")
	case bytes.HasPrefix(text, []byte("\u202f")):
		return len("\u202f")
	}
	return 0
}

// appendNumber appends the number in JSON's spelling and with all its digits:
// 007 is 7, +.50 is 0.50, 1.E5 is 1E5.
func (p *columnPlan) appendNumber(out, text []byte) ([]byte, error) {
	from := len(out)
	if text[0] == '-' || text[0] == '+' {
		if text[0] == '-' {
			out = append(out, '-')
		}
		text = text[1:]
	}
	begin := len(out)
	out, digits, text := p.marks.appendWhole(out, text)
	if len(out) == begin {
		out = append(out, '0')
	}
	if p.kind == TypeDecimal && len(text) > 0 && text[0] == p.marks.point {
		n := leadingDigits(text[1:])
		if n > 0 {
			out = append(append(out, '.'), text[1:1+n]...)
		}
		digits += n
		text = text[1+n:]
	}
	if n := exponent(text); n > 0 && p.kind == TypeDecimal {
		out, text = append(out, text[:n]...), text[n:]
	}
	if digits == 0 || len(text) > 0 {
		return out[:from], p.misfit()
	}
	if p.kind == TypeInteger && string(out[from:]) == "-0" {
		out = append(out[:from], '0')
	}
	return out, nil
}

// appendWhole appends the digits before the point, without zeros in front and
// marks between groups of three. It says how many text has, which is none when
// they are not grouped as they must be.
func (m marks) appendWhole(out, text []byte) (_ []byte, digits int, rest []byte) {
	digits = leadingDigits(text)
	group := text[:digits]
	text = text[digits:]
	first := digits
	for begin := len(out); ; {
		for len(out) == begin && len(group) > 0 && group[0] == '0' {
			group = group[1:]
		}
		out = append(out, group...)
		mark := m.groupMark(text)
		if mark == 0 {
			return out, digits, text
		}
		if first == 0 || first > 3 || leadingDigits(text[mark:]) != 3 {
			return out, 0, text
		}
		group = text[mark : mark+3]
		digits += 3
		text = text[mark+3:]
	}
}

// exponent is the length of text when all of it is an exponent, else 0.
func exponent(text []byte) int {
	if len(text) < 2 || text[0]|0x20 != 'e' {
		return 0
	}
	digits := text[1:]
	if digits[0] == '+' || digits[0] == '-' {
		digits = digits[1:]
	}
	if n := leadingDigits(digits); n == 0 || n < len(digits) {
		return 0
	}
	return len(text)
}

func leadingDigits(s []byte) int {
	n := 0
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return n
}

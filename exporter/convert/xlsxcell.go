package convert

import (
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
)

// readCell appends a cell's value, and empty ones for columns left out.
func (s *sheetReader) readCell(start xml.StartElement) error {
	r := &s.row
	column := len(r.ends) + 1
	if ref := attr(start, "r"); ref != "" {
		named, ok := columnNumber(ref)
		if !ok || named < column {
			r.fail(column, "cell %.20q stands where column %s or a later one must", ref, columnLetters(column))
			return s.xml.Skip()
		}
		column = named
	}
	if column > maxSheetColumns {
		r.fail(column, "more than %d columns", maxSheetColumns)
		return s.xml.Skip()
	}
	for len(r.ends) < column-1 {
		r.ends = append(r.ends, len(r.text))
	}
	c := cell{column: column, kind: attr(start, "t"), style: attr(start, "s")}
	err := s.content(&c)
	r.ends = append(r.ends, len(r.text))
	return err
}

type cell struct {
	column       int
	kind, style  string
	valued, calc bool // has a v, has an f
}

// content reads a cell to its end.
func (s *sheetReader) content(c *cell) error {
	for {
		token, err := s.xml.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.EndElement:
			if c.calc && !c.valued {
				s.row.fail(c.column, "%s holds a formula without its value: open the workbook in Excel and save it", s.where(c))
			}
			return nil
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				c.valued = true
				if s.scratch, err = charData(s.xml, s.scratch[:0]); err == nil {
					err = s.value(c, string(s.scratch))
				}
			case "is":
				s.row.text, err = richText(s.xml, s.row.text)
			case "f":
				c.calc = true
				err = s.xml.Skip()
			default:
				err = s.xml.Skip()
			}
			if err != nil {
				return err
			}
		}
	}
}

// value appends what a stored value says.
func (s *sheetReader) value(c *cell, v string) error {
	r := &s.row
	var err error
	switch c.kind {
	case "s":
		r.text, err = s.strings.append(r.text, v)
		if errors.Is(err, errNoString) {
			r.fail(c.column, "%s: %w", s.where(c), err)
			err = nil
		}
	case "b":
		switch strings.TrimSpace(v) {
		case "1", "true":
			r.text = append(r.text, "TRUE"...)
		case "0", "false":
			r.text = append(r.text, "FALSE"...)
		default:
			r.fail(c.column, "%s: %.20q is no boolean", s.where(c), v)
		}
	case "str":
		from := len(r.text)
		r.text = unescapeX(append(r.text, v...), from)
	case "", "n":
		r.text = appendDate(r.text, strings.TrimSpace(v), s.dateKind(c.style), s.book.since04)
	case "d", "e", "inlineStr":
		r.text = append(r.text, v...)
	default:
		r.fail(c.column, "%s: cells of type %.20q are not known", s.where(c), c.kind)
	}
	return err
}

func (s *sheetReader) dateKind(style string) dateKind {
	if style == "" {
		style = "0"
	}
	n, err := strconv.Atoi(style)
	if err != nil || n < 0 || n >= len(s.book.dates) {
		return noDate
	}
	return s.book.dates[n]
}

func (s *sheetReader) where(c *cell) string {
	return "cell " + columnLetters(c.column) + strconv.FormatInt(s.row.number, 10)
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// columnNumber gives 28 for AB12; false for what is no cell of a sheet.
func columnNumber(ref string) (int, bool) {
	n, i := 0, 0
	for ; i < len(ref) && ref[i] >= 'A' && ref[i] <= 'Z'; i++ {
		n = 26*n + int(ref[i]-'A') + 1
		if n > maxSheetColumns {
			return 0, false
		}
	}
	return n, n > 0 && i < len(ref)
}

func columnLetters(n int) string {
	var b [8]byte
	i := len(b)
	for ; n > 0; n = (n - 1) / 26 {
		i--
		b[i] = byte('A' + (n-1)%26)
	}
	return string(b[i:])
}

package convert

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxSheetColumns is the last column of a sheet, XFD.
const maxSheetColumns = 16384

// sheetReader reads the rows of one sheet.
//
// Source: ECMA-376 part 1, 18.3.1.99 (worksheet), 18.3.1.4 (c).
type sheetReader struct {
	book    *workbook
	strings *sharedStrings
	part    *part
	xml     *xml.Decoder
	max     int // bytes of one row's XML
	width   int // columns by the sheet's own word; 0 when it has none
	row     sheetRow
	scratch []byte
}

// sheetRow is one row that is stored. Its columns follow one another without a
// gap; the last one is not empty.
type sheetRow struct {
	number int64  // from 1
	text   []byte // the values, one behind the other
	ends   []int  // where the value of each column ends in text
	column int64  // of the fault, from 1
	fault  error  // why the row is none
}

func (r *sheetRow) value(i int) []byte {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.text[from:r.ends[i]]
}

// fail keeps the first fault.
func (r *sheetRow) fail(column int, format string, args ...any) {
	if r.fault == nil {
		r.column, r.fault = int64(column), fmt.Errorf(format, args...)
	}
}

var errNoSheetData = errors.New("no sheetData: the part is no worksheet")

func (b *workbook) openSheet(s sheet, shared *sharedStrings, maxRecord int) (*sheetReader, error) {
	p, err := b.open(s.path)
	if err != nil {
		return nil, err
	}
	return &sheetReader{book: b, strings: shared, part: p, xml: xml.NewDecoder(p), max: maxRecord}, nil
}

// begin reads up to the rows.
func (s *sheetReader) begin() error {
	for {
		s.part.allow(s.max)
		token, err := s.xml.Token()
		if errors.Is(err, io.EOF) {
			return s.part.explain(errNoSheetData)
		}
		if err != nil {
			return s.part.explain(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "dimension":
			_, last, _ := strings.Cut(attr(start, "ref"), ":")
			if column, ok := columnNumber(last); ok {
				s.width = column
			}
		case "sheetData":
			return nil
		}
	}
}

// next reads the next row that is stored into s.row; false at the end. An
// error means that the part is damaged or no XML.
func (s *sheetReader) next() (bool, error) {
	for {
		s.part.allow(s.max)
		token, err := s.xml.Token()
		if err != nil {
			return false, s.part.explain(err)
		}
		switch t := token.(type) {
		case xml.EndElement: // of sheetData
			return false, s.part.finish()
		case xml.StartElement:
			if t.Name.Local != "row" {
				if err := s.xml.Skip(); err != nil {
					return false, s.part.explain(err)
				}
				continue
			}
			if err := s.readRow(t); err != nil {
				return false, s.part.explain(err)
			}
			return true, nil
		}
	}
}

func (s *sheetReader) readRow(start xml.StartElement) error {
	r := &s.row
	last := r.number
	*r = sheetRow{number: last + 1, text: r.text[:0], ends: r.ends[:0]}
	if n := attr(start, "r"); n != "" {
		number, err := strconv.ParseInt(n, 10, 64)
		if err != nil || number <= last {
			return fmt.Errorf("row %.20q after row %d", n, last)
		}
		r.number = number
	}
	for {
		token, err := s.xml.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.EndElement:
			for n := len(r.ends); n > 0 && len(r.value(n-1)) == 0; n-- {
				r.ends = r.ends[:n-1]
			}
			return nil
		case xml.StartElement:
			if t.Name.Local == "c" {
				err = s.readCell(t)
			} else {
				err = s.xml.Skip()
			}
			if err != nil {
				return err
			}
		}
	}
}

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

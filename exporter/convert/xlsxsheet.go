package convert

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The last column of a sheet, XFD, and its last row.
const (
	maxSheetColumns = 16384
	maxSheetRows    = 1 << 20
)

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
	return &sheetReader{book: b, strings: shared, part: p, xml: p.decoder(), max: maxRecord}, nil
}

// begin reads up to the rows.
func (s *sheetReader) begin() error {
	s.part.allow(s.max)
	if _, err := rootElement(s.xml); errors.Is(err, io.EOF) {
		return s.part.explain(errNoSheetData)
	} else if err != nil {
		return s.part.explain(err)
	}
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
		if err != nil || number <= last || number > maxSheetRows {
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

package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

var (
	errNoHeader = errors.New("header line is empty")
	errCRHeader = errors.New("header holds a lone CR: rows must end with LF or CR LF")
)

type csvReader struct {
	*emitter
	shape *csvShape
	odd   []odd // memory for rows
}

func readCSV(w *window, out *emitter, opt Options, mem *memory) error {
	out.res.Format = FormatCSV
	delimiter := opt.Delimiter
	if delimiter == 0 {
		delimiter = detectDelimiter(w.bytes(), w.eof, opt)
	}
	out.res.Delimiter = delimiter
	c := &csvReader{emitter: out, shape: newCSVShape(delimiter, opt)}
	ahead, ok := w.in.(*ahead)
	if !ok || opt.sequential {
		if err := c.header(opt); err != nil {
			return err
		}
		return c.sequential()
	}
	b := newCSVBlocks(c, ahead, opt.Cores, mem)
	defer b.stop()
	if err := c.header(opt); err != nil {
		return err
	}
	return b.run()
}

// sequential reads one record after the other. This is what decides on the
// meaning of a file; everything faster must give the same.
func (c *csvReader) sequential() error {
	for {
		row, err := c.next()
		if err != nil || row.size == 0 {
			return err
		}
		if err := c.finish(row); err != nil {
			return err
		}
	}
}

// next appends the next record's line to out; its size is 0 at the end.
func (c *csvReader) next() (csvRow, error) {
	w := c.window
	for {
		if in := w.bytes(); len(in) > 0 {
			begin := len(c.out)
			line, row := c.shape.appendRow(c.out, in, w.eof, c.odd)
			c.odd = row.odd
			tooLong := row.size > w.max || row.short && len(in) > w.max
			if row.short || row.fault != nil || tooLong {
				line = line[:begin]
			}
			c.out = line
			if tooLong {
				// Judged by as much as is allowed, however much there is.
				_, row = c.shape.appendRow(nil, in[:w.max+1], false, nil)
				if row.opened >= 0 || c.shape.prefix == nil {
					return row, w.tooLong(max(row.opened, 0))
				}
				if err := c.long(); err != nil {
					return csvRow{}, err
				}
				continue
			}
			if !row.short {
				return row, nil
			}
		} else if w.eof {
			return csvRow{}, nil
		}
		if err := w.more(); err != nil {
			return csvRow{}, err
		}
	}
}

// finish counts a row, or reports it bad, and moves on.
func (c *csvReader) finish(row csvRow) error {
	w := c.window
	if row.fault == nil {
		c.note(row)
		w.advance(row.size)
		return c.row()
	}
	if row.fault.err == errEmptyLine {
		last, err := c.isLast(row.size)
		if err != nil {
			return err
		}
		if last {
			w.advance(row.size)
			return nil
		}
	}
	if err := c.badRow(row.size, row.fault); err != nil {
		return err
	}
	w.advance(row.size)
	return nil
}

// note counts the odd fields of the record that the window begins with.
func (c *csvReader) note(row csvRow) {
	if row.odds > 0 {
		c.res.Oddities.note(&c.window.place, c.window.bytes(), row.odds, row.odd)
	}
}

// isLast says whether nothing comes after the record of n bytes.
func (c *csvReader) isLast(n int) (bool, error) {
	w := c.window
	for len(w.bytes()) == n && !w.eof {
		if err := w.more(); err != nil {
			return false, err
		}
	}
	return len(w.bytes()) == n, nil
}

// header finds the names of the columns and prepares the shape of the rows.
func (c *csvReader) header(opt Options) error {
	w := c.window
	names := opt.Columns
	if !opt.NoHeader || len(names) == 0 {
		row, err := c.next()
		if err != nil {
			return err
		}
		names, err = c.names(row, opt)
		if err != nil {
			return err
		}
		c.out = c.out[:0]
		if !opt.NoHeader {
			c.note(row)
			w.advance(row.size)
		}
	}
	c.res.Columns = columnNames(names)
	c.shape = c.shape.withColumns(c.res.Columns)
	if c.trail != nil {
		c.trail.csv = c.shape
	}
	return tellHeader(c.sink, c.res.Columns)
}

// names reads the header's line, a JSON array of strings.
func (c *csvReader) names(row csvRow, opt Options) ([]string, error) {
	w := c.window
	if row.fault != nil && !opt.NoHeader {
		return nil, w.reject(row.fault)
	}
	if row.fields > maxColumns {
		return nil, w.reject(faultf(0, "more than %d columns", maxColumns))
	}
	names := make([]string, row.fields)
	if opt.NoHeader {
		for i := range names {
			names[i] = "COLUMN" + strconv.Itoa(i+1)
		}
		return names, nil
	}
	rec := w.bytes()[:row.size]
	if lineEndOnly(rec) {
		return nil, w.reject(&fault{0, errNoHeader})
	}
	if err := json.Unmarshal(c.out, &names); err != nil {
		return nil, w.reject(&fault{0, err})
	}
	for _, name := range names {
		if loneCR(name) {
			return nil, w.reject(&fault{bytes.IndexByte(rec, '\r'), errCRHeader})
		}
	}
	return names, nil
}

func loneCR(name string) bool {
	return strings.Count(name, "\r") > strings.Count(name, "\r\n")
}

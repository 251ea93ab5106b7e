package customers

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// Format is how a data file is written.
type Format string

// The formats. XML has one element a row, the values in child elements or in
// attributes.
const (
	CSV          Format = "csv"
	XMLElement   Format = "xml-element"
	XMLAttribute Format = "xml-attribute"
)

// Entity is the label of the made-up exports.
const Entity = "Customers V3"

const rowElement = "CUSTOMERSV3ENTITY"

// FileName is the data file's name in a package.
func (f Format) FileName() string { return f.fileName("") }

func (f Format) fileName(suffix string) string {
	if f == CSV {
		return Entity + suffix + ".csv"
	}
	return Entity + suffix + ".xml"
}

// source is the name that a data project knows the format by.
func (f Format) source() string {
	switch f {
	case XMLElement:
		return "XML-Element"
	case XMLAttribute:
		return "XML-Attribute"
	}
	return "CSV"
}

// Columns are the names of the columns, in the order of the file.
func Columns() []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// Write writes a data file of at least size bytes, ending with a whole row,
// and returns its rows, header excluded.
func Write(w io.Writer, format Format, size int64, seed uint64) (rows int, err error) {
	frame, ok := frames[format]
	if !ok {
		return 0, fmt.Errorf("write data: unknown format %q; there are csv, xml-element and xml-attribute", format)
	}
	out := bufio.NewWriterSize(w, 1<<20)
	written := int64(len(frame.head))
	if _, err := out.WriteString(frame.head); err != nil {
		return 0, err
	}
	r := &row{Rand: rand.New(rand.NewPCG(seed, 60))}
	values := make([][]byte, len(columns))
	var line []byte
	for written < size {
		r.next(values)
		line = frame.row(line[:0], values)
		if _, err := out.Write(line); err != nil {
			return r.number, err
		}
		written += int64(len(line))
	}
	if _, err := out.WriteString(frame.tail); err != nil {
		return r.number, err
	}
	return r.number, out.Flush()
}

func (r *row) next(values [][]byte) {
	r.number++
	r.broken = r.IntN(200) == 0
	for i, c := range columns {
		values[i] = c.fill(r, values[i][:0])
	}
}

// frame is what stands around the rows of a format, and how a row is written.
type frame struct {
	head, tail string
	row        func(b []byte, values [][]byte) []byte
}

const xmlHead = `<?xml version="1.0" encoding="utf-8"?>` + "\n<Document>\n"

var frames = map[Format]frame{
	CSV:          {head: csvHead(), row: csvRow},
	XMLElement:   {head: xmlHead, tail: "</Document>\n", row: elementRow},
	XMLAttribute: {head: xmlHead, tail: "</Document>\n", row: attributeRow},
}

func csvHead() string { return "\ufeff" + strings.Join(Columns(), ",") + "\r\n" }

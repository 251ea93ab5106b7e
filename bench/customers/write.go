package customers

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"finrelay/dmf"

	"github.com/klauspost/compress/flate"
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
func (f Format) FileName() string {
	if f == CSV {
		return Entity + ".csv"
	}
	return Entity + ".xml"
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

// WritePackage writes a data package: manifest, header and one data file as
// Write makes it, deflated at level 6.
func WritePackage(w io.Writer, format Format, size int64, seed uint64) (rows int, err error) {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) })
	manifest := dmf.EncodeManifest(dmf.Manifest{
		DefinitionGroup: "Customers export",
		Entities: []dmf.ManifestEntity{{
			EntityName:    Entity,
			InputFilePath: format.FileName(),
			TargetEntity:  rowElement,
			RefreshType:   "FullPush",
			SourceFormat:  format.source(),
		}},
	})
	if err := addFile(archive, dmf.ManifestName, manifest); err != nil {
		return 0, err
	}
	if err := addFile(archive, dmf.PackageHeaderName, dmf.EncodePackageHeader(dmf.PackageHeader{})); err != nil {
		return 0, err
	}
	entry, err := create(archive, format.FileName())
	if err != nil {
		return 0, err
	}
	if rows, err = Write(entry, format, size, seed); err != nil {
		return rows, err
	}
	return rows, archive.Close()
}

func addFile(archive *zip.Writer, name string, content []byte) error {
	w, err := create(archive, name)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// create fixes the time, so that the same seed gives the same bytes.
func create(archive *zip.Writer, name string) (io.Writer, error) {
	return archive.CreateHeader(&zip.FileHeader{
		Name:     name,
		Method:   zip.Deflate,
		Modified: time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC),
	})
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

func csvHead() string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return "\ufeff" + strings.Join(names, ",") + "\r\n"
}

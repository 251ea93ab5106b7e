package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Format is a source data format: how FinOps writes a data file.
type Format string

// The formats. The separated ones have a header row, CRLF line ends and quotes
// around values that need them.
const (
	CSVUTF8        Format = "csv-utf8"
	CSVUTF8BOM     Format = "csv-utf8-bom"
	CSVUTF16LE     Format = "csv-utf16le" // FinOps' "CSV-Unicode": byte order mark, CRLF
	CSVUTF16BE     Format = "csv-utf16be"
	CSVWindows1252 Format = "csv-windows1252" // FinOps' plain "CSV" with the usual code page
	CSVSemicolon   Format = "csv-semicolon"   // these three in UTF-8
	CSVTab         Format = "csv-tab"
	CSVPipe        Format = "csv-pipe"
	XMLElement     Format = "xml-element"
	XMLAttribute   Format = "xml-attribute"
	JSON           Format = "json"        // bare array, as a shop's transformation makes it
	JSONObject     Format = "json-object" // the array one level down, under the name of the row element
	JSONLines      Format = "json-lines"
)

// layout is what the formats differ in.
type layout struct {
	source    string // SourceFormat in a manifest
	ext       string
	delimiter byte // separated formats only
	encoding  encoding
}

// Source: Microsoft Learn, "Data import and export jobs overview", source data
// formats; JSON is not among them, shops add it.
var layouts = map[Format]layout{
	CSVUTF8:        {"CSV", "csv", ',', utf8Plain},
	CSVUTF8BOM:     {"CSV", "csv", ',', utf8BOM},
	CSVUTF16LE:     {"CSV-Unicode", "csv", ',', utf16LE},
	CSVUTF16BE:     {"CSV-Unicode", "csv", ',', utf16BE},
	CSVWindows1252: {"CSV", "csv", ',', windows1252},
	CSVSemicolon:   {"CSV-Semicolon", "csv", ';', utf8Plain},
	CSVTab:         {"Tab", "txt", '\t', utf8Plain},
	CSVPipe:        {"Pipe", "txt", '|', utf8Plain},
	XMLElement:     {"XML-Element", "xml", 0, utf8Plain},
	XMLAttribute:   {"XML-Attribute", "xml", 0, utf8Plain},
	JSON:           {"JSON", "json", 0, utf8Plain},
	JSONObject:     {"JSON", "json", 0, utf8Plain},
	JSONLines:      {"JSON", "json", 0, utf8Plain},
}

// Formats lists all formats, sorted by name.
func Formats() []Format {
	all := make([]Format, 0, len(layouts))
	for f := range layouts {
		all = append(all, f)
	}
	slices.Sort(all)
	return all
}

// ParseFormat returns the format of that name, as a flag or a file gives it.
func ParseFormat(name string) (Format, error) {
	f := Format(strings.ToLower(name))
	if _, ok := layouts[f]; !ok {
		return "", fmt.Errorf("format %q is not known; one of %v", name, Formats())
	}
	return f, nil
}

// Ext returns the extension of files in the format, without a dot.
func (f Format) Ext() string { return f.layout().ext }

// SourceFormat returns FinOps' name of the format, as manifests carry it.
func (f Format) SourceFormat() string { return f.layout().source }

// layout panics on a format that does not exist: it comes from a test's source
// or has passed ParseFormat.
func (f Format) layout() layout {
	l, ok := layouts[f]
	if !ok {
		panic(fmt.Sprintf("sim: format %q is not known", string(f)))
	}
	return l
}

// Render writes the table as FinOps would. The same table gives the same
// bytes. It panics on a format that does not exist.
func (s *Sim) Render(f Format, t Table) []byte { return render(f, t) }

func render(f Format, t Table) []byte {
	l := f.layout()
	switch f {
	case XMLElement:
		return xmlElements(t)
	case XMLAttribute:
		return xmlAttributes(t)
	case JSON, JSONObject, JSONLines:
		return jsonRows(f, t)
	}
	return l.encoding.encode(separated(l.delimiter, t))
}

// As returns the table as the format can hold it: what a faithful reader of
// the rendered file finds. Windows-1252 has "?" for characters it does not
// know; all other formats hold every value.
func (t Table) As(f Format) Table {
	if f.layout().encoding != windows1252 {
		return t
	}
	lossy := func(vs []string) []string {
		out := make([]string, len(vs))
		for i, v := range vs {
			out[i] = narrow(v)
		}
		return out
	}
	c := t
	c.Columns, c.Rows = lossy(t.Columns), make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		c.Rows[i] = lossy(row)
	}
	return c
}

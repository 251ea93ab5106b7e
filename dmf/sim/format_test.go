package sim_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"finrelay/dmf/sim"
)

// TestFormatsRoundTrip renders every sample entity in every format and reads
// it again with a reader that is not ours.
func TestFormatsRoundTrip(t *testing.T) {
	s := sim.New(sim.Options{Seed: 7})
	for _, f := range sim.Formats() {
		for _, label := range append(sim.SampleEntities(), "Etwas Unbekanntes/X") {
			for _, rows := range []int{0, 1, 30} {
				table := s.SampleEntity(label, rows)
				got, err := read(f, s.Render(f, table))
				if err != nil {
					t.Errorf("%s, %s, %d rows: %v", f, label, rows, err)
					continue
				}
				compare(t, string(f)+", "+label, got, table.As(f))
			}
		}
	}
}

func compare(t *testing.T, name string, got [][][2]string, want sim.Table) {
	t.Helper()
	if len(got) != len(want.Rows) {
		t.Errorf("%s: %d rows, want %d", name, len(got), len(want.Rows))
		return
	}
	for r, row := range want.Rows {
		if len(got[r]) != len(row) {
			t.Errorf("%s: row %d has %d values, want %d", name, r, len(got[r]), len(row))
			return
		}
		for c, v := range row {
			if g := got[r][c]; g != [2]string{want.Columns[c], v} {
				t.Errorf("%s: row %d: got %q, want %q: %q", name, r, g, want.Columns[c], v)
				return
			}
		}
	}
}

// read returns the rows as name and value pairs, in file order.
func read(f sim.Format, data []byte) ([][][2]string, error) {
	switch f {
	case sim.CSVUTF8:
		return readCSV(string(data), ',')
	case sim.CSVUTF8BOM:
		text, ok := strings.CutPrefix(string(data), "\ufeff")
		if !ok {
			return nil, errors.New("no byte order mark")
		}
		return readCSV(text, ',')
	case sim.CSVUTF16LE, sim.CSVUTF16BE:
		var order binary.ByteOrder = binary.LittleEndian
		if f == sim.CSVUTF16BE {
			order = binary.BigEndian
		}
		units := make([]uint16, len(data)/2)
		if _, err := binary.Decode(data, order, units); err != nil {
			return nil, err
		}
		text, ok := strings.CutPrefix(string(utf16.Decode(units)), "\ufeff")
		if !ok {
			return nil, errors.New("no byte order mark")
		}
		return readCSV(text, ',')
	case sim.CSVWindows1252:
		text, err := charmap.Windows1252.NewDecoder().Bytes(data)
		if err != nil {
			return nil, err
		}
		return readCSV(string(text), ',')
	case sim.CSVSemicolon:
		return readCSV(string(data), ';')
	case sim.CSVTab:
		return readCSV(string(data), '\t')
	case sim.CSVPipe:
		return readCSV(string(data), '|')
	case sim.XMLElement, sim.XMLAttribute:
		return readXML(data)
	case sim.JSON:
		return readObjects(json.NewDecoder(bytes.NewReader(data)), "[")
	case sim.JSONObject:
		return readObjects(json.NewDecoder(bytes.NewReader(data)), "{[")
	case sim.JSONLines:
		return readObjects(json.NewDecoder(bytes.NewReader(data)), "")
	}
	return nil, errors.New("no reader")
}

// readCSV hides CRLF inside quotes from encoding/csv, which would turn it into
// LF, and checks that records end in CRLF.
func readCSV(text string, delimiter rune) ([][][2]string, error) {
	if !strings.HasSuffix(text, "\r\n") {
		return nil, errors.New("the last record does not end in CRLF")
	}
	var hidden strings.Builder
	quoted := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
			hidden.WriteByte(c)
		case c == '\r' && quoted:
			hidden.WriteByte(0)
		case c == '\n' && !quoted && text[i-1] != '\r':
			return nil, errors.New("a record ends in LF alone")
		default:
			hidden.WriteByte(c)
		}
	}
	r := csv.NewReader(strings.NewReader(hidden.String()))
	r.Comma = delimiter
	records, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	var rows [][][2]string
	for _, record := range records[1:] {
		var row [][2]string
		for c, v := range record {
			row = append(row, [2]string{records[0][c], strings.ReplaceAll(v, "\x00", "\r")})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func readXML(data []byte) ([][][2]string, error) {
	type element struct {
		XMLName xml.Name
		Attrs   []xml.Attr `xml:",any,attr"`
		Fields  []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	var doc struct {
		XMLName xml.Name  `xml:"Document"`
		Rows    []element `xml:",any"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	var rows [][][2]string
	for _, e := range doc.Rows {
		if e.XMLName.Local != strings.ToUpper(e.XMLName.Local) || !strings.HasSuffix(e.XMLName.Local, "ENTITY") {
			return nil, errors.New("row element " + e.XMLName.Local)
		}
		var row [][2]string
		for _, a := range e.Attrs {
			row = append(row, [2]string{a.Name.Local, a.Value})
		}
		for _, f := range e.Fields {
			row = append(row, [2]string{f.XMLName.Local, f.Text})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// readObjects reads flat objects with string values; opening is how many
// brackets are around them.
func readObjects(d *json.Decoder, opening string) ([][][2]string, error) {
	for _, want := range opening {
		got, err := d.Token()
		if err == nil && want == '[' {
			if _, ok := got.(string); ok { // the key before the array
				got, err = d.Token()
			}
		}
		if err != nil || got != json.Delim(want) {
			return nil, errors.New("not opened as wanted")
		}
	}
	var rows [][][2]string
	for d.More() {
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		var row [][2]string
		for d.More() {
			k, errK := d.Token()
			v, errV := d.Token()
			key, okK := k.(string)
			value, okV := v.(string)
			if err := errors.Join(errK, errV); err != nil || !okK || !okV {
				return nil, errors.Join(err, errors.New("not a pair of strings"))
			}
			row = append(row, [2]string{key, value})
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	for range opening {
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the end")
	}
	return rows, nil
}

// TestSampleData: the sample holds what it promises to hold, early on.
func TestSampleData(t *testing.T) {
	s := sim.New(sim.Options{Seed: 7})
	table := s.SampleEntity("Customers V3", 12)
	if n := len(table.Columns); n < 50 {
		t.Errorf("%d columns, want several dozen", n)
	}
	seen := map[string]bool{}
	for _, row := range table.Rows {
		if len(row) != len(table.Columns) {
			t.Fatalf("%d values for %d columns", len(row), len(table.Columns))
		}
		for _, v := range row {
			seen["quote"] = seen["quote"] || strings.Contains(v, `"`)
			seen["comma"] = seen["comma"] || strings.Contains(v, ",")
			seen["CRLF"] = seen["CRLF"] || strings.Contains(v, "\r\n")
			seen["LF"] = seen["LF"] || strings.Contains(v, "\n") && !strings.Contains(v, "\r")
			seen["leading zero"] = seen["leading zero"] || strings.HasPrefix(v, "00")
			seen["null date"] = seen["null date"] || v == "1900-01-01 00:00:00"
			seen["beyond Latin-1"] = seen["beyond Latin-1"] || strings.Contains(v, "株")
			seen["beyond 16 bits"] = seen["beyond 16 bits"] || strings.Contains(v, "🚚")
			seen["empty"] = seen["empty"] || v == ""
		}
	}
	for _, what := range []string{"quote", "comma", "CRLF", "LF", "leading zero", "null date", "beyond Latin-1", "beyond 16 bits", "empty"} {
		if !seen[what] {
			t.Errorf("no value with %s in 12 rows", what)
		}
	}
	longer := s.SampleEntity("Customers V3", 20)
	for r, row := range table.Rows {
		if strings.Join(row, "|") != strings.Join(longer.Rows[r], "|") {
			t.Errorf("row %d differs when more rows are asked for", r)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range sim.Formats() {
		if got, err := sim.ParseFormat(strings.ToUpper(string(f))); err != nil || got != f {
			t.Errorf("%s: %q, %v", f, got, err)
		}
		if f.Ext() == "" || f.SourceFormat() == "" {
			t.Errorf("%s has no extension or name", f)
		}
	}
	if _, err := sim.ParseFormat("csv"); err == nil || !strings.Contains(err.Error(), "csv-utf8-bom") {
		t.Errorf("unknown format: %v; the error should list the known ones", err)
	}
}

func TestRaggedRow(t *testing.T) {
	s := sim.New(sim.Options{})
	table := sim.Table{Columns: []string{"A", "B"}, Rows: [][]string{{"1", "2"}, {"1", "2", "3"}, {"1"}}}
	if got, want := string(s.Render(sim.CSVSemicolon, table)), "A;B\r\n1;2\r\n1;2;3\r\n1\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

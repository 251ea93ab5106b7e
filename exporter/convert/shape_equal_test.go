package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// inOrder writes down rows and bad rows as shapedSlowly does.
type inOrder struct{ all strings.Builder }

func (o *inOrder) Block(lines []byte, _ int) error {
	o.all.Write(lines)
	return nil
}

func (o *inOrder) BadRow(b BadRow) error {
	fmt.Fprintf(&o.all, "%v in %q\n", b.Err, b.Raw)
	return nil
}

// sameAsSlowly shapes lines with the Shaper and with the reference.
func sameAsSlowly(t *testing.T, shape Shape, lines []byte) {
	t.Helper()
	want, slow := shapedSlowly(t, shape, lines)
	var sink inOrder
	s, err := NewShaper(t.Context(), "f", shape, &sink)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Block(lines, bytes.Count(lines, newline))
	if err != nil {
		if err := s.flush(); err != nil { // what stood before it
			t.Fatal(err)
		}
		fmt.Fprint(&sink.all, strings.TrimPrefix(err.Error(), "f: "))
	}
	if got := sink.all.String(); got != want {
		t.Fatalf("%+v\nof   %q\ngot  %q\nwant %q", shape, lines, got, want)
	}
	if !slices.Equal(s.names, slow.names) || !maps.Equal(s.Stats().TypeErrors, slow.typeErrors) {
		t.Fatalf("%+v\nof   %q\ngot  %q %v\nwant %q %v", shape, lines, s.names, s.Stats().TypeErrors, slow.names, slow.typeErrors)
	}
}

// hardValues are where types begin and end.
var hardValues = []string{
	"", " ", "\u00a0", "\u20281\u2028", "\x85", "x", "\u00a0 7 \u202f", "\t7\n", `"7"`, `\7`, "7\\",
	"0", "-0", "+0", "007", "-007.50", "+.5", ".", "5.", "-", "+", "1e5", "1.E5", "1E+05", "1e", "1e+", "0x1", "1_000", "٣",
	"1234.56", "1,234.56", "1234,56", "1.234,56", "1 234,56", "1\u00a0234,56", "1\u202f234\u00a0567,5", "12345 678", "1,23", ",123", "0,000", "000,012.0", "1,234,", "1..2", "1,234e2",
	"Yes", "yEs", "NO", "true", "FALSE", "ye\u017f", "ye\u212a", "nope", "1.0", "İ",
	"2026-03-02", "2026-3-2", "0000-01-01", "1900-01-01", "9999-12-31", "2154-12-31 23:59:59", "2025-02-29", "2024-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "12026-01-01", "2026/03/02",
	"2026-03-02T00:00:00", "2026-03-02 00:00", "2026-03-02T9:15:42", "2026-03-02T09:15:42", "2026-03-02  09:15:42", "2026-03-02 24:00:00", "2026-03-02 23:60:00", "2026-03-02 23:59:60", "2026-03-02T09:15:42.", "2026-03-02T09:15:42.050", "2026-03-02T09:15:42,5", "2026-03-02T09:15:42.123456789012", "2026-03-02T09:15:42.1234567890", "2026-03-02T00:00:00.000", "2026-03-02T09:15.5", "2026-03-02t09:15:42",
	"2026-03-02T09:15:42Z", "2026-03-02T09:15:42+01:00", "2026-03-02T09:15:42-00:00", "2026-03-02T09:15:42.5-09:30", "2026-03-02T09:15:42+24:00", "2026-03-02T09:15:42+23:60", "2026-03-02T09:15:42+0100", "2026-03-02T09:15:42z", "2026-03-02T09:15Z", "0000-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "2026-03-02 00:00:00+05:00",
	"2026-03-29T01:59:59", "2026-03-29T02:30:00", "2026-03-29T03:00:00", "2026-10-25T01:59:59", "2026-10-25T02:30:00", "2026-10-25T03:00:00", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2011-12-30T12:00:00", "2011-12-31T00:00:00", "1883-11-18T12:00:00", "1937-07-01T00:00:00",
	"3/2/2026 09:15:42 AM", "03/02/2026 9:15:42 pm", "12/31/2025 12:00:00 AM", "12/31/2025 12:00:00 pm", "1/1/2026 13:00:00 PM", "1/1/2026 00:00:00 PM", "1/1/2026 0:00:00 xm", "3/2/2026", "02.03.2026", "02.03.2026 09:15:42", "2.3.2026 9:5:2", "02.03.2026 09:15:42,25", "20260302", "20260302T091542", "02-03-2026 at 9h",
}

var hardFormats = map[ColumnType][]string{
	TypeInteger: NumberFormats, TypeDecimal: NumberFormats, TypeString: {""}, TypeBoolean: {""},
	TypeDate: hardDates, TypeTime: hardDates,
}

var hardDates = []string{
	"", "M/d/yyyy", "M/d/yyyy hh:mm:ss tt", "MM/dd/yyyy h:mm:ss tt", "dd.MM.yyyy", "dd.MM.yyyy HH:mm:ss", "d.M.yyyy H:m:s", "yyyyMMdd", "yyyyMMdd'T'HHmmss", "dd-MM-yyyy 'at' H'h'",
	"yyyy-MM-ddTHH:mm:sszzz", "yyyy", "HH:mm:ss.yyyy", "yyyy HH hh tt", "MM/MM/yyyy", "yyyy-MM-dd  HH:mm",
}

var hardZones = []string{"", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Africa/Monrovia", "Europe/Amsterdam", "America/St_Johns"}

// TestShapeEqualsReference puts every value through every type, format and
// policy.
func TestShapeEqualsReference(t *testing.T) {
	var lines []byte
	for _, v := range hardValues {
		lines = append(appendString(append(lines, `{"b":"x","a":`...), strings.ToValidUTF8(v, "")), "}\n"...)
	}
	for _, v := range []string{"null", "true", "false", "7", "-0.0", "1e5", "20260302", "[1]", "{}", `"\u0037"`, `"\u00a07\/"`} {
		lines = append(lines, `{"a":`+v+"}\n"...)
	}
	for kind, formats := range hardFormats {
		zones := []string{""}
		if kind == TypeTime {
			zones = hardZones
		}
		for _, format := range formats {
			for i, zone := range zones {
				shape := Shape{Columns: []Column{{Name: "a", Type: kind, Format: format, Zone: zone}}, OnTypeError: typeErrors[i%len(typeErrors)]}
				if shape.Validate() == nil {
					sameAsSlowly(t, shape, lines)
				}
			}
		}
	}
}

// FuzzShapeEqualsReference does the same with values, rows and shapes of all
// kinds.
func FuzzShapeEqualsReference(f *testing.F) {
	for i, v := range hardValues {
		kind := columnTypes[i%len(columnTypes)]
		formats := hardFormats[kind]
		f.Add(v, []byte(`{"b":"","a":"x","c":{"c":["}"]},"d":1}{"d":"x"}`), string(kind), append(formats, "")[i%(len(formats)+1)], uint8(i), uint8(i))
	}
	f.Add("7", []byte(`{}{"a":"1","a":"2"}{"\u0061":"3","b":null,"b":"\"\\"}{"e":"","c":"","b":""}`), "integer", "", uint8(0), uint8(4))
	f.Add("7", []byte(`{"K":1}`), "decimal", "1 234,56", uint8(1), uint8(1))
	f.Add("7", []byte(`{"c":"drop me","D":"x"}{"c":"","d":"","b":"","a":""}`), "date", "", uint8(1), uint8(24))
	f.Fuzz(func(t *testing.T, value string, in []byte, kind, format string, zone, how uint8) {
		a := Column{Name: "a", Type: ColumnType(kind), Format: format}
		if a.Type == TypeTime {
			a.Zone = hardZones[int(zone)%len(hardZones)]
		}
		if how&4 != 0 {
			a.Rename = "A"
		}
		shape := Shape{
			Columns:     []Column{a, {Name: "b", OmitEmpty: true}, {Name: "c", Drop: true}, {Name: "d", Rename: "D", OmitEmpty: zone&1 != 0}},
			OnTypeError: typeErrors[int(how)%len(typeErrors)],
		}
		if how&8 != 0 {
			shape.Constants = []Constant{{Name: "K", Value: "v"}}
		}
		if how&16 != 0 {
			shape.Select = []string{"d", "c", "a"}[int(zone)%3:]
		}
		if shape.Validate() != nil {
			return
		}
		spelled, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		lines := fmt.Appendf(nil, "{\"a\":%s}\n{\"b\":\"\",\"a\":%s,\"e\":\"\"}\n", appendString(nil, strings.ToValidUTF8(value, "")), spelled)
		kept := blockFunc(func(rows []byte, _ int) error {
			lines = append(lines, rows...)
			return nil
		})
		_, err = Convert(t.Context(), bytes.NewReader(in), "f", Options{Format: FormatJSON, Encoding: "utf-8"}, kept)
		_ = err // rows before a fault count
		sameAsSlowly(t, shape, lines)
	})
}

// programs keep, change, add, leave out and multiply members and rows, and fail.
var programs = []string{
	".", "select(.a != null)", "del(.a)", "{a}", "{z: 1, b: .a, a: .b}", ".a |= tostring", ". + {n: 1.5e300, m: 12345678901234567890}",
	"., {b: 1}", "empty", ".a", `error("no")`, `., error("no")`, ".n = (.a | tonumber)", `.t = "\u007f\u2028\"\\é"`, ".l = [.a, {x: .a}]", ".[\"a b\"] = null", "{}",
}

func sameProgram(t *testing.T, program string, lines []byte) {
	t.Helper()
	want := transformedSlowly(t, program, lines)
	var sink inOrder
	s, err := NewShaper(t.Context(), "f", Shape{Transform: program}, &sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Block(lines, bytes.Count(lines, newline)); err != nil {
		t.Fatal(err)
	}
	if got := sink.all.String(); got != want {
		t.Fatalf("%s\nof   %q\ngot  %q\nwant %q", program, lines, got, want)
	}
}

// FuzzProgramEqualsReference puts rows through programs.
func FuzzProgramEqualsReference(f *testing.F) {
	for i, v := range hardValues {
		f.Add(fmt.Appendf(nil, "{%q:%s,\"a\":%[2]s}", []string{"b", "c", "a b", "a"}[i%4], appendString(nil, strings.ToValidUTF8(v, ""))), uint8(i))
	}
	for i := range programs {
		f.Add([]byte(`{"a":1.50,"b":[1,{"c":1e400}],"\u0061":"\ud800"}{}{"b":true,"a":null}{"A":{"a":-0.0}}{"a":"\u0041\/"}`), uint8(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, program uint8) {
		var lines []byte
		kept := blockFunc(func(rows []byte, _ int) error {
			lines = append(lines, rows...)
			return nil
		})
		_, err := Convert(t.Context(), bytes.NewReader(in), "f", Options{Format: FormatJSON, Encoding: "utf-8"}, kept)
		_ = err // rows before a fault count
		sameProgram(t, programs[int(program)%len(programs)], lines)
	})
}

// TestShapeAllocatesNothing: neither a value nor a row nor a block makes garbage.
func TestShapeAllocatesNothing(t *testing.T) {
	for _, w := range wideShapes {
		if w.shape.IsZero() || w.shape.Transform != "" {
			continue
		}
		var lines []byte
		_, err := Convert(t.Context(), bytes.NewReader(wideRows(300)), "f", Options{}, blockFunc(func(rows []byte, _ int) error {
			lines = append(lines, rows...)
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewShaper(t.Context(), "f", w.shape, &discard{})
		if err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(5, func() {
			if err := s.Block(lines, 300); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 || s.Stats().BadRows+int64(len(s.Stats().TypeErrors)) > 0 {
			t.Errorf("%s: %v allocations for 300 rows, %+v", w.name, n, s.Stats())
		}
	}
}

package convert

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"finrelay/exporter"
)

// discard takes everything and counts.
type discard struct{ rows, bad int }

func (d *discard) Block(_ []byte, rows int) error { d.rows += rows; return nil }
func (d *discard) BadRow(BadRow) error            { d.bad++; return nil }

// refuse fails at the first block, or the first bad row.
type refuse struct {
	err      error
	badRows  bool
	afterErr int // calls after the error
	failed   bool
}

func (r *refuse) Block([]byte, int) error { return r.answer(!r.badRows) }
func (r *refuse) BadRow(BadRow) error     { return r.answer(r.badRows) }

func (r *refuse) answer(fail bool) error {
	if r.failed {
		r.afterErr++
	}
	if fail {
		r.failed = true
		return r.err
	}
	return nil
}

func TestSinkErrorEndsConversionAsItIs(t *testing.T) {
	full := errors.New("disk full")
	inputs := map[string]string{
		"csv":  "A,B\n1,2\n3\n4,5\n",
		"xml":  "<D><R><A>1</A></R><X/><R/></D>",
		"json": `[{"A":1},2,{"A":3}] x`,
	}
	for name, in := range inputs {
		for _, badRows := range []bool{false, true} {
			sink := &refuse{err: full, badRows: badRows}
			_, err := Convert(t.Context(), strings.NewReader(in), "f", Options{}, sink)
			if err != full || sink.afterErr != 0 {
				t.Errorf("%s, bad rows %v: got error %v and %d more calls, want %v itself and none", name, badRows, err, sink.afterErr, full)
			}
		}
	}
}

func TestErrorsCallersBranchOn(t *testing.T) {
	tests := []struct {
		in, entry string
		is        error
		record    *exporter.RecordError
		text      string
	}{
		{in: "", entry: "Customers.csv", is: exporter.ErrEmpty, text: "convert Customers.csv: file of 0 bytes"},
		{in: "", is: exporter.ErrEmpty, text: "convert input: file of 0 bytes"},
		{in: "PK\x03\x04....", entry: "x.xlsx", is: exporter.ErrDamaged, text: "convert x.xlsx: damaged: the directory at the end of the zip cannot be read; was the download cut short? (zip: not a valid zip file)"},
		{in: "<D>\n<R></X></D>", entry: "x.xml", record: &exporter.RecordError{Entry: "x.xml", Line: 2, Column: 4},
			text: "x.xml:2:4: end tag </X> where </R> must stand"},
	}
	for _, tt := range tests {
		_, err := Convert(t.Context(), strings.NewReader(tt.in), tt.entry, Options{}, &discard{})
		if err == nil || err.Error() != tt.text {
			t.Errorf("%q: got error %v, want %s", tt.in, err, tt.text)
		}
		if tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%q: error %v is not %v", tt.in, err, tt.is)
		}
		if got, ok := errors.AsType[*exporter.RecordError](err); tt.record != nil &&
			(!ok || got.Entry != tt.record.Entry || got.Line != tt.record.Line || got.Column != tt.record.Column) {
			t.Errorf("%q: got record error %+v, want %+v", tt.in, got, tt.record)
		}
	}
}

func TestReadErrorIsWrapped(t *testing.T) {
	cut := errors.New("cut")
	for _, in := range []string{"", "A,B\n1,2\n3", "<D><R>", "[{"} {
		r := io.MultiReader(strings.NewReader(in), iotest.ErrReader(cut))
		_, err := Convert(t.Context(), r, "f.csv", Options{}, &discard{})
		if !errors.Is(err, cut) || !strings.HasPrefix(err.Error(), "read f.csv: ") {
			t.Errorf("%q, then a failing reader: got error %v, want it wrapped in: read f.csv", in, err)
		}
	}
}

func TestCancelGivesItsCause(t *testing.T) {
	why := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	reads := 0
	r := newEndless("1,2\n", func() {
		if reads++; reads == 60 {
			cancel(why)
		}
	})
	sink := &discard{}
	_, err := Convert(ctx, r, "f.csv", Options{}, sink)
	if err != why || reads != 60 || sink.rows == 0 {
		t.Errorf("got error %v after %d reads and %d rows, want %v right after read 60", err, reads, sink.rows, why)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		opt  Options
		want string
	}{
		{Options{}, ""},
		{Options{Format: "xml", Delimiter: ';', Quote: '\'', Encoding: "UTF-16", Fallback: "latin1"}, ""},
		{Options{Format: "yaml"}, `format "yaml"`},
		{Options{Delimiter: '\n'}, `delimiter '\n'`},
		{Options{Delimiter: '§', Quote: 'ÿ'}, ""},
		{Options{Delimiter: '😀', Quote: 0x1f}, ""},
		{Options{Delimiter: '§', Quote: '§'}, `delimiter '§': is the quote too`},
		{Options{Delimiter: utf8.RuneError}, "delimiter '\ufffd': want one character"},
		{Options{Delimiter: 0xD800}, "delimiter '\ufffd'"},
		{Options{Delimiter: -1}, "delimiter '\ufffd'"},
		{Options{Quote: '\ufeff'}, `quote '\ufeff'`},
		{Options{Delimiter: '"'}, `delimiter '"': is the quote too`},
		{Options{Delimiter: '"', NoQuote: true}, ""},
		{Options{Quote: '\r'}, `quote '\r'`},
		{Options{Encoding: "klingon"}, `encoding "klingon": unknown name`},
		{Options{Encoding: "iso-2022-jp"}, `encoding "iso-2022-jp": not readable yet`},
		{Options{Fallback: "utf-16le"}, `fallback "utf-16le"`},
		{Options{MaxRecord: -1}, "longest record -1"},
		{Options{Children: []string{"LINE", "LINE/CHARGE", "x:Größe"}}, ""},
		{Options{Children: []string{"LINE", "LINE/"}}, `child "LINE/"`},
		{Options{Children: []string{"\xff"}}, `child "\xff"`},
		{Options{Children: []string{"1A"}}, `child "1A"`},
	}
	for _, tt := range tests {
		err := tt.opt.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%+v: got %v, want %q", tt.opt, err, tt.want)
		}
	}
}

// TestEncodingIsDecidedLate puts the first byte outside ASCII far behind
// everything that was read ahead.
func TestEncodingIsDecidedLate(t *testing.T) {
	for _, tt := range []struct{ tail, want, name string }{
		{"caf\xe9,1\n", "café", "windows-1252"},
		{"café,1\n", "café", "utf-8"},
	} {
		in := "A,B\n" + strings.Repeat("plain,1\n", 40_000) + tt.tail
		got, res := run(t, strings.NewReader(in), Options{})
		if !strings.HasSuffix(got.lines, `{"A":"`+tt.want+`","B":"1"}`+"\n") || res.Encoding != tt.name || res.BadRows != 0 {
			t.Errorf("%q at the end: read as %s, %d bad rows, last line %q", tt.tail, res.Encoding, res.BadRows, got.lines[len(got.lines)-40:])
		}
	}
}

// TestUTF16WithoutMark: characters with a zero in their other half, and rows in
// which no half is zero, hide nothing.
func TestUTF16WithoutMark(t *testing.T) {
	for name, in := range map[string]string{
		"一 is U+4E00":        "NAME,CITY\n一,東京一丁目\n",
		"rows of one script": "NAME,CITY\n" + strings.Repeat("漢字漢字漢字,漢字漢字漢字\n", 100),
		"in XML":             "<Document><ROW NAME='一'/><ROW NAME='😀'/></Document>",
		"XML of one script":  "<Document><ROW NAME='一一一一一一一一一一一一一一一一'/></Document>",
		"in JSON":            `[{"NAME":"😀"},{"NAME":"一"}]`,
	} {
		want, _ := run(t, strings.NewReader(in), Options{Encoding: "utf-8"})
		for _, c := range []utf16Codec{{bigEndian: false}, {bigEndian: true}} {
			got, res := run(t, bytes.NewReader(c.encode(nil, []byte(in))), Options{})
			if got.lines != want.lines || res.BadRows != 0 {
				t.Errorf("%s: read as %s, %d bad rows: %.100q, want %.100q", name, res.Encoding, res.BadRows, got.lines, want.lines)
			}
		}
	}
}

// TestStrayNULIsNoUTF16: a NUL in a short header does not turn the file into
// another script.
func TestStrayNULIsNoUTF16(t *testing.T) {
	for _, in := range []string{"A,\x00B\n1,2\n", "AB\x00\n1,2\n", "A,B\x00\n1,2\n3,4\n5,6\n", "\x00AB\n12\n"} {
		_, err := Convert(t.Context(), strings.NewReader(in), "", Options{}, &record{})
		if !errors.Is(err, exporter.ErrUnsupported) {
			t.Errorf("%q: got %v, want it to be no text", in, err)
		}
	}
}

// TestBlocksAreWholeAndModest watches what the sink gets.
func TestBlocksAreWholeAndModest(t *testing.T) {
	var sizes []int
	sink := blockFunc(func(lines []byte, rows int) error {
		sizes = append(sizes, len(lines))
		return nil
	})
	in := "A,B\n" + strings.Repeat("some text,and more of it\n", 40_000)
	if _, err := Convert(t.Context(), strings.NewReader(in), "", Options{}, sink); err != nil {
		t.Fatal(err)
	}
	for i, n := range sizes {
		if n > maxOut() || n < blockSize && i < len(sizes)-1 {
			t.Errorf("block %d of %d has %d bytes, want %d to %d", i, len(sizes), n, blockSize, maxOut())
		}
	}
}

type blockFunc func([]byte, int) error

func (f blockFunc) Block(lines []byte, rows int) error { return f(lines, rows) }
func (f blockFunc) BadRow(BadRow) error                { return nil }

// TestMemberBehindTheSample: rows are out before the member is seen, so the
// conversion must fail instead of dropping it.
func TestMemberBehindTheSample(t *testing.T) {
	row := `{"A":"` + strings.Repeat("x", 1000) + `"}`
	rows := strings.Repeat(row+",", 99) + row
	tests := []struct {
		name, in string
		rows     int64
		wrong    error
	}{
		{"data", `{"value":[` + rows + `],"id":7}`, 100, errBesides},
		{"metadata", `{"value":[` + rows + `],"@odata.nextLink":"x","count":[{}]}`, 100, nil},
		{"another array", `{"value":[` + rows + `],"more":[{"B":1}]}`, 100, errTwoArrays},
		{"cut off", `{"value":[` + rows + `],"id":`, 100, errShort},
		{"data in front", `{"id":7,"value":[` + rows + `]}`, 1, nil},
	}
	for _, tt := range tests {
		res, err := Convert(t.Context(), strings.NewReader(tt.in), "f", Options{}, &record{})
		if res.Rows != tt.rows || !errors.Is(err, tt.wrong) {
			t.Errorf("%s: %d rows, %v; want %d and %v", tt.name, res.Rows, err, tt.rows, tt.wrong)
		}
		if _, ok := errors.AsType[*exporter.RecordError](err); ok == (tt.wrong == nil) {
			t.Errorf("%s: error %v, want a *exporter.RecordError only with one", tt.name, err)
		}
	}
}

package convert

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// placedFile is a file that knows where its bad values stand.
type placedFile struct {
	name  string
	text  string
	codec codec
	opt   Options
	want  string // bad rows, as record writes them
	made  int64
}

// add appends a record with what stands before it. Where bad is not negative
// the record is refused: its place is so many bytes into it.
func (f *placedFile) add(before, rec string, bad int, why string) {
	f.text += before
	f.made++
	if bad >= 0 {
		head := f.text + rec[:bad]
		line := head[strings.LastIndexByte(head, '\n')+1:]
		f.want += fmt.Sprintf("%d:%d record %d: %s: %q\n", strings.Count(head, "\n")+1, len(f.encoded(line))+1, f.made, why, f.encoded(rec))
	}
	f.text += rec
}

func (f *placedFile) encoded(text string) []byte {
	if f.codec == nil {
		return []byte(text)
	}
	return f.codec.encode(nil, []byte(text))
}

const noNumber = `column N: "x": no whole number`

// placedCSV has quoted values of several lines, before the bad value and behind
// it, and records that are none for the reader either.
func placedCSV(c codec, end, delimiter string) *placedFile {
	f := &placedFile{name: fmt.Sprintf("CSV %T %q %s", c, end, delimiter), codec: c}
	f.opt = Options{Format: FormatCSV, Delimiter: rune(delimiter[0])}
	fields := func(values ...string) string { return strings.Join(values, delimiter) + end }
	f.text = "\ufeff"
	f.add("", fields("A", "N", "Bé"), -1, "")
	f.text, f.made = strings.TrimPrefix(f.text, "\ufeff"), 0 // the mark has no column
	for i := range 40 {
		f.add("", fields(fmt.Sprint(i), "7", "plain"), -1, "")
		before := []string{"é", "\"two\nlines\"", "\"\n\n" + delimiter + "\"\"x\"", "", "5\" pipe"}[i%5]
		bad := fields(before, "x", "\"more\nlines\"")
		switch i % 4 {
		case 1:
			f.add("", bad, strings.LastIndex(bad, delimiter+"x")+1, noNumber)
		case 2:
			f.add("", fields(before, "7", "\"a\n\""), -1, "")
		case 3:
			f.add("", fields("only one"), 0, "1 fields, want 3")
		}
	}
	last := strings.TrimSuffix(fields("é", "x", ""), end)
	f.add("", last, strings.Index(last, "x"), noNumber)
	return f
}

func placedXML(c codec, element bool) *placedFile {
	f := &placedFile{name: fmt.Sprintf("XML %T elements %t", c, element), codec: c, text: "<D>\n", opt: Options{Format: FormatXMLElement}}
	row := func(n, a string) string {
		if element {
			return "<R><A>" + a + "</A>\n<N>" + n + "</N></R>"
		}
		return "<R A='" + a + "'\n N='" + n + "'/>"
	}
	for i := range 30 {
		gap := []string{"", "\n", " <!-- é\n -->", "\r\n\t"}[i%4]
		f.add(gap, row("7", "é"), -1, "")
		if i%3 == 0 {
			f.add(gap, row("x", "&amp;\n"), 0, noNumber)
		}
		if i%7 == 0 {
			f.add(gap, "<OTHER/>", 0, "element OTHER among rows named R")
		}
	}
	f.text += "\n</D>\n"
	return f
}

// placedComposite has rows that are read a second time, since a record comes late.
func placedComposite(rows int) *placedFile {
	f := &placedFile{name: "composite", text: "<D>\n", opt: Options{Format: FormatXMLElement}}
	for i := range rows {
		n, bad := "7", -1
		if i%(rows/10) == 1 {
			n, bad = "x", 0
		}
		line := ""
		if i%(rows/3) == rows/3-1 {
			line = "<L><M>é</M></L>"
		}
		f.add("\n", "<R><A>1</A>\n<N>"+n+"</N>"+line+"</R>", bad, noNumber)
	}
	f.text += "\n</D>\n"
	return f
}

func placedJSON(c codec, lines bool) *placedFile {
	f := &placedFile{name: fmt.Sprintf("JSON %T lines %t", c, lines), codec: c, opt: Options{Format: FormatJSON}}
	between, end := "\n", "\n"
	if !lines {
		f.text, between, end = "[", ",\n\n  ", "]"
	}
	for i := range 30 {
		gap := between
		if i == 0 {
			gap = " "
		}
		f.add(gap, `{"A":"é", "N": "7"}`, -1, "")
		if i%3 == 0 {
			f.add(between, "{\"A\":\"é\",\n\"N\":\"x\"}", 0, noNumber)
		}
		if i%7 == 0 {
			f.add(between, "7", 0, "not an object")
		}
	}
	f.text += end
	return f
}

// TestShaperSaysWhere: whatever size blocks have and whoever reads them, a row
// that does not fit has its place in the source, and its source.
func TestShaperSaysWhere(t *testing.T) {
	le := utf16Codec{bigEndian: false}
	files := []*placedFile{
		placedCSV(nil, "\n", ","), placedCSV(nil, "\r\n", ";"), placedCSV(le, "\r\n", ","),
		placedXML(nil, true), placedXML(nil, false), placedXML(le, true), placedComposite(30),
		placedJSON(nil, true), placedJSON(nil, false), placedJSON(le, true),
	}
	shape := Shape{Columns: []Column{{Name: "N", Type: TypeInteger}}}
	for _, f := range files {
		mark := "\ufeff"
		if f.codec == nil && f.opt.Format != FormatCSV {
			mark = ""
		}
		in := f.encoded(mark + f.text)
		got := shaped(t, in, f.opt, shape)
		if got.bad != f.want {
			t.Fatalf("%s:\n%s\nin one piece: got\n%swant\n%s", f.name, f.text, got.bad, f.want)
		}
		for size := 1; size <= 100; size++ {
			inBlocksOf(t, size)
			for _, sequential := range []bool{false, true} {
				f.opt.sequential = sequential
				if got := shaped(t, in, f.opt, shape); got.bad != f.want {
					t.Fatalf("%s in blocks of %d, sequential %t: got\n%swant\n%s", f.name, size, sequential, got.bad, f.want)
				}
			}
		}
	}
}

// TestShaperSaysWhereInLongFiles does it where workers do most of the work, and
// the reader in order the rest.
func TestShaperSaysWhereInLongFiles(t *testing.T) {
	f := &placedFile{opt: Options{Format: FormatCSV, Delimiter: ','}, text: "A,N,B\n"}
	var all strings.Builder
	plain := strings.Repeat("some text,7,\"and\nmore\"\n", 1000)
	for i := range 40 {
		all.WriteString(f.text + plain)
		f.text = ""
		lines := int64(2*1000*(i+1) + 2*i + 2)
		all.WriteString("\"a\n\",x,\n")
		f.want += fmt.Sprintf("%d:3 record %d: %s: %q\n", lines+1, 1001*(i+1), noNumber, "\"a\n\",x,\n")
	}
	got := shaped(t, []byte(all.String()), f.opt, Shape{Columns: []Column{{Name: "N", Type: TypeInteger}}})
	if got.bad != f.want {
		t.Fatalf("got\n%swant\n%s", got.bad, f.want)
	}
}

// TestShaperSaysWhereInRowsReadAgain: rows beyond those that were read twice.
func TestShaperSaysWhereInRowsReadAgain(t *testing.T) {
	f := placedComposite(6000)
	got := shaped(t, []byte(f.text), f.opt, Shape{Columns: []Column{{Name: "N", Type: TypeInteger}}})
	if got.bad != f.want {
		t.Fatalf("got\n%swant\n%s", got.bad, f.want)
	}
}

// TestShaperSaysWhereInWorkbooks: sheet row and column.
func TestShaperSaysWhereInWorkbooks(t *testing.T) {
	f := excelize.NewFile()
	for cell, v := range map[string]string{"A2": "A", "B2": "N", "A3": "a", "B3": "7", "B4": "x", "A7": "b", "B7": "x", "A8": "c", "B8": "8"} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	in := saved(t, f)
	for _, size := range []int{1, blockSize} {
		setBlockSize(t, size)
		got := shaped(t, in, Options{}, Shape{Columns: []Column{{Name: "N", Type: TypeInteger}}, Transform: `if .N == 8 then error("no eights") else . end`})
		want := `4:2 record 2: ` + noNumber + `: "{\"A\":\"\",\"N\":\"x\"}\n"
5:1 record 3: rows 5 to 6 are empty: "[]"
7:2 record 4: ` + noNumber + `: "{\"A\":\"b\",\"N\":\"x\"}\n"
8:1 record 5: transform: error: no eights: "{\"A\":\"c\",\"N\":\"8\"}\n"
`
		if got.bad != want {
			t.Errorf("got\n%swant\n%s", got.bad, want)
		}
	}
}

// TestTrailIsBounded: rows whose source is long and whose lines are short wait
// for no full block of lines.
func TestTrailIsBounded(t *testing.T) {
	row := "<R><A>x</A><!--" + strings.Repeat(" ", blockSize) + "--></R>"
	r := io.MultiReader(strings.NewReader("<D>"), strings.NewReader(strings.Repeat(row, 40)), strings.NewReader("</D>"))
	var most int
	sink := blockFunc(func(_ []byte, rows int) error {
		most = max(most, rows)
		return nil
	})
	s, err := NewShaper(t.Context(), "f", Shape{Columns: []Column{{Name: "A", OmitEmpty: true}}}, sink)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Convert(t.Context(), r, "f", Options{}, s)
	if err != nil || res.Rows != 40 || most > maxOut()/blockSize {
		t.Errorf("%d rows, %v, up to %d at once: their source would be kept", res.Rows, err, most)
	}
}

package convert

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"finrelay/exporter"
)

// saved gives a workbook as another program writes it.
func saved(t testing.TB, f *excelize.File, opts ...excelize.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := errors.Join(f.Write(&b, opts...), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestXLSXGivesBackWhatWasWritten writes tables with another's library, as
// cells one by one (shared strings) or as a stream (inline strings).
func TestXLSXGivesBackWhatWasWritten(t *testing.T) {
	keepSizes(t)
	rapid.Check(t, func(rt *rapid.T) {
		tb := drawTable(rt, "ab 0_x<>&\"'\\\r\n\té語😀")
		f := excelize.NewFile()
		var w *excelize.StreamWriter
		var err error
		stream := rapid.Bool().Draw(rt, "stream")
		if stream {
			if w, err = f.NewStreamWriter("Sheet1"); err != nil {
				rt.Fatal(err)
			}
		}
		for n, row := range append([][]string{tb.names}, tb.rows...) {
			cells := make([]any, len(row))
			for i := range row {
				cells[i] = row[i]
			}
			at := "A" + strconv.Itoa(n+1)
			if stream {
				err = w.SetRow(at, cells)
			} else {
				err = f.SetSheetRow("Sheet1", at, &cells)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		if stream {
			if err := w.Flush(); err != nil {
				rt.Fatal(err)
			}
		}
		var rec record
		res, err := Convert(t.Context(), drawPieces(rt, bytes.NewReader(saved(t, f))), "f.xlsx", Options{}, &rec)
		want := tb.withoutBlank()
		if got := rec.lines.String(); err != nil || got != want.lines() || rec.wrong != "" {
			rt.Fatalf("error %v, %d bad rows %s %s\ngot  %q\nwant %q", err, res.BadRows, &rec.bad, rec.wrong, got, want.lines())
		}
	})
}

// withoutBlank leaves out the rows of which a workbook stores nothing.
func (tb table) withoutBlank() table {
	kept := table{names: tb.names}
	for _, row := range tb.rows {
		if strings.Join(row, "") != "" {
			kept.rows = append(kept.rows, row)
		}
	}
	return kept
}

// TestXLSXTypes: what another's library stores for Go's types.
func TestXLSXTypes(t *testing.T) {
	f := excelize.NewFile()
	for at, v := range map[string]any{"A1": "K", "B1": "V", "A2": "float", "B2": 0.1, "A3": "int", "B3": int64(1) << 60, "A4": "bool", "B4": true} {
		if err := f.SetCellValue("Sheet1", at, v); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := run(t, bytes.NewReader(saved(t, f)), Options{})
	want := `{"K":"float","V":"0.1"}` + "\n" + `{"K":"int","V":"1152921504606846976"}` + "\n" + `{"K":"bool","V":"TRUE"}` + "\n"
	if got.lines != want {
		t.Errorf("got %s%s, want %s", got.lines, got.result, want)
	}
}

// TestOfficeFilesThatAreNotRead: each is refused as what it is.
func TestOfficeFilesThatAreNotRead(t *testing.T) {
	f := excelize.NewFile()
	encrypted := saved(t, f, excelize.Options{Password: "secret word"})
	zipped := makeWorkbook(t, []zipPart{{"xl/worksheets/sheet1.xml", "<worksheet><sheetData/></worksheet>"}})
	damaged := bytes.Clone(zipped)
	at := bytes.Index(damaged, []byte("xl/worksheets/sheet1.xml")) + len("xl/worksheets/sheet1.xml") + 5
	damaged[at] ^= 0x55
	for name, c := range map[string]struct {
		in   []byte
		opt  Options
		is   error
		text string
	}{
		"encrypted":    {in: encrypted, is: exporter.ErrEncrypted, text: "a password: encrypted; save it without one"},
		"xls":          {in: oleFile("Workbook"), is: exporter.ErrUnsupported, text: "XLS"},
		"xls 95":       {in: oleFile("Book"), is: exporter.ErrUnsupported, text: "XLS"},
		"word 97":      {in: oleFile("WordDocument"), is: exporter.ErrUnsupported, text: "no workbook"},
		"zip of a csv": {in: plainZip(t), is: exporter.ErrUnsupported, text: "a zip that is no workbook"},
		"xlsb": {in: makeWorkbook(t, []zipPart{{"xl/workbook.bin", "\x83\x01"}, {"_rels/.rels",
			`<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.bin"/></Relationships>`}}), is: exporter.ErrUnsupported, text: "XLSB"},
		"cut zip":          {in: zipped[:len(zipped)-30], is: exporter.ErrDamaged, text: "cut short"},
		"damaged part":     {in: damaged, is: exporter.ErrDamaged, text: "sheet1.xml"},
		"text said xlsx":   {in: []byte("A,B\n"), opt: Options{Format: FormatXLSX}, is: exporter.ErrDamaged, text: "no workbook"},
		"nothing at all":   {in: nil, opt: Options{Format: FormatXLSX}, is: exporter.ErrEmpty, text: "0 bytes"},
		"part not present": {in: makeWorkbook(t, nil), is: exporter.ErrDamaged, text: "lacks its part xl/worksheets/sheet1.xml"},
	} {
		var rec record
		_, err := Convert(t.Context(), bytes.NewReader(c.in), "b.xlsx", c.opt, &rec)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.text) || rec.rows != 0 {
			t.Errorf("%s: got %v and %d rows, want %v with %q", name, err, rec.rows, c.is, c.text)
		}
	}
}

// plainZip is a zip of one text file.
func plainZip(t testing.TB) []byte {
	t.Helper()
	all := makeWorkbook(t, []zipPart{{"a.csv", "A\n1\n"}})
	return bytes.ReplaceAll(all, []byte("[Content_Types].xml"), []byte("[content-types].xml"))
}

// oleFile makes the least compound file whose directory has a stream of the name.
func oleFile(name string) []byte {
	b := make([]byte, 3*512)
	copy(b, oleMagic)
	binary.LittleEndian.PutUint16(b[30:], 9)
	binary.LittleEndian.PutUint32(b[48:], 1) // the directory is sector 1
	binary.LittleEndian.PutUint32(b[76:], 0) // the table is sector 0
	binary.LittleEndian.PutUint32(b[512:], 0xFFFFFFFD)
	binary.LittleEndian.PutUint32(b[516:], 0xFFFFFFFE)
	for i, n := range []string{"Root Entry", name} {
		entry := b[1024+128*i:]
		for j, u := range utf16.Encode([]rune(n)) {
			binary.LittleEndian.PutUint16(entry[2*j:], u)
		}
		binary.LittleEndian.PutUint16(entry[64:], uint16(2*len(n)+2))
	}
	return b
}

// manyRows writes a sheet of n rows with a text of its own in each.
func manyRows(t testing.TB, n int) []byte {
	t.Helper()
	var b, texts strings.Builder
	b.WriteString(`<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>A</t></is></c><c t="inlineStr"><is><t>B</t></is></c></row>`)
	texts.WriteString("<sst>")
	for i := range n {
		fmt.Fprintf(&b, `<row r="%d"><c r="A%d"><v>%d</v></c><c r="B%d" t="s"><v>%d</v></c></row>`, i+2, i+2, i, i+2, i)
		fmt.Fprintf(&texts, "<si><t>some text, number %d, %s</t></si>", i, strings.Repeat("x", 40))
	}
	return makeWorkbook(t, []zipPart{{"xl/worksheets/sheet1.xml", b.String() + "</sheetData></worksheet>"}, {"xl/sharedStrings.xml", texts.String() + "</sst>"}})
}

// heapSink looks at the heap from time to time.
type heapSink struct {
	discard
	blocks int
	peak   uint64
}

func (h *heapSink) Block([]byte, int) error {
	if h.blocks++; h.blocks%8 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		h.peak = max(h.peak, m.HeapAlloc)
	}
	return nil
}

// TestXLSXMemory: neither the sheet nor the texts lie in memory, and nothing
// stays in the folder of temporary files.
func TestXLSXMemory(t *testing.T) {
	const rows = 60_000
	in := manyRows(t, rows) // 5 MB of sheet, 5 MB of texts
	folder := t.TempDir()
	old := spoolMemory
	spoolMemory = 64 << 10
	t.Cleanup(func() { spoolMemory = old })
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	sink := &heapSink{}
	res, err := Convert(t.Context(), bytes.NewReader(in), "f.xlsx", Options{TempFolder: folder}, sink)
	if err != nil || res.Rows != rows {
		t.Fatalf("%d rows, %v", res.Rows, err)
	}
	if grown := sink.peak - min(sink.peak, before.HeapAlloc); sink.peak == 0 || grown > 3<<20 {
		t.Errorf("heap grew by %d KB, want less than 3 MB", grown>>10)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestXLSXLongRecord(t *testing.T) {
	long := strings.Repeat("0123456789", 100_000)
	in := makeWorkbook(t, []zipPart{{"xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1"><c t="str"><v>A</v></c></row><row r="2"><c t="str"><v>` + long + `</v></c></row></sheetData></worksheet>`}})
	got, _ := run(t, bytes.NewReader(in), Options{})
	if want, _ := json.Marshal(map[string]string{"A": long}); got.lines != string(want)+"\n" {
		t.Errorf("got %d bytes (%s), want %d", len(got.lines), got.result, len(want)+1)
	}
	got, _ = run(t, bytes.NewReader(in), Options{MaxRecord: 1 << 19})
	if !strings.Contains(got.result, "in:2: xl/worksheets/sheet1.xml: record longer than 524288 bytes") {
		t.Errorf("got %s, want a record that is too long", got.result)
	}
}

func TestSpoolIsBounded(t *testing.T) {
	old := spoolMost
	spoolMost = 100
	t.Cleanup(func() { spoolMost = old })
	in := makeWorkbook(t, []zipPart{{"xl/worksheets/sheet1.xml", "<worksheet><sheetData/></worksheet>"}})
	_, err := Convert(t.Context(), bytes.NewReader(in), "f.xlsx", Options{}, &discard{})
	if !errors.Is(err, exporter.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

func BenchmarkXLSX(b *testing.B) {
	const rows = 20_000
	in := manyRows(b, rows)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		res, err := Convert(b.Context(), bytes.NewReader(in), "f.xlsx", Options{}, &discard{})
		if err != nil || res.Rows != rows {
			b.Fatal(res, err)
		}
	}
}

// TestSharedStringsBeyondOneList: each text keeps its own ends where one list of
// them is followed by the next.
func TestSharedStringsBeyondOneList(t *testing.T) {
	var s sharedStrings
	for n := range 2*endsTogether + 1 {
		if _, err := s.texts.Write(strconv.AppendInt(nil, int64(n), 10)); err != nil {
			t.Fatal(err)
		}
		s.add(s.texts.size)
	}
	for _, n := range []int{0, 1, endsTogether - 1, endsTogether, endsTogether + 1, 2 * endsTogether} {
		if got, err := s.append(nil, strconv.Itoa(n)); err != nil || string(got) != strconv.Itoa(n) {
			t.Errorf("text %d: got %q and %v", n, got, err)
		}
	}
	if _, err := s.append(nil, strconv.Itoa(2*endsTogether+1)); !errors.Is(err, errNoString) {
		t.Errorf("one too many: got %v", err)
	}
}

// TestLastMomentOfDay: a time of day that rounding would carry to the next day
// stays a time; in a format of days it is that day.
func TestLastMomentOfDay(t *testing.T) {
	for _, tt := range []struct{ number, code, want string }{
		{"0.99999999999", "h:mm", "23:59:59.999"},
		{"46083.99999999999", "yyyy-mm-dd h:mm", "2026-03-03"},
	} {
		if got := string(appendDate(nil, tt.number, dateCode(tt.code), false)); got != tt.want {
			t.Errorf("%s as %s: got %s, want %s", tt.number, tt.code, got, tt.want)
		}
	}
}

package convert

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzXLSX gives anything as the parts of a workbook; run checks that rows
// reported are lines written, each of them valid JSON. Every row has every
// column. In small blocks the outcome is the same.
func FuzzXLSX(f *testing.F) {
	for _, g := range goldens(f) {
		part := map[string]string{}
		for _, p := range zipParts(g.arch) {
			part[p.name] = p.body
		}
		if body := part["xl/worksheets/sheet1.xml"]; body != "" {
			f.Add(body, part["xl/sharedStrings.xml"], part["xl/styles.xml"], g.opt.NoHeader)
		}
	}
	f.Fuzz(func(t *testing.T, sheet, texts, styles string, noHeader bool) {
		parts := []zipPart{{"xl/worksheets/sheet1.xml", sheet}}
		for _, p := range []zipPart{{"xl/sharedStrings.xml", texts}, {"xl/styles.xml", styles}} {
			if p.body != "" {
				parts = append(parts, p)
			}
		}
		in := makeWorkbook(t, parts)
		opt := Options{NoHeader: noHeader, MaxRecord: 1 << 16}
		want, res := run(t, bytes.NewReader(in), opt)
		for line := range strings.Lines(want.lines) {
			if n := strings.Count(line, `":"`); n < len(res.Columns) {
				t.Fatalf("%d columns, of which a row has %d: %s", len(res.Columns), n, line)
			}
		}
		setBlockSize(t, 7)
		got, _ := run(t, iotest.OneByteReader(bytes.NewReader(in)), opt)
		compare(t, "in small blocks", got, want)
	})
}

// FuzzDate: what is made of a number is that number, a date, or a date and time.
func FuzzDate(f *testing.F) {
	f.Add("46083.385902777780", "yyyy-mm-dd hh:mm", false)
	f.Add("0.5", "h:mm", false)
	f.Add("-1", "[h]:mm;@", true)
	f.Add("1e300", `"d"0;yy`, true)
	f.Fuzz(func(t *testing.T, number, code string, since1904 bool) {
		out := string(appendDate(nil, number, dateCode(code), since1904))
		if out == number {
			return
		}
		p := &columnPlan{kind: TypeTime, layouts: append([]string{"15:04:05", "15:04:05.000"}, isoLayouts...)}
		if _, _, err := p.moment(out); err != nil {
			t.Fatalf("%q as %q became %q", number, code, out)
		}
	})
}

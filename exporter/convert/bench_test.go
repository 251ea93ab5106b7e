package convert

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

// benchRows is about 10 MB of wide rows such as CustomersV3 has.
const benchRows, benchColumns = 20_000, 60

func benchValue(row, column int) string {
	switch {
	case column%7 == 3:
		return ""
	case column%11 == 5:
		return "Yes"
	case row%200 == 17 && column == 20:
		return "12 Main St, \"Suite\"\n5"
	case row%50 == 3 && column == 8:
		return "Köln"
	}
	return fmt.Sprintf("%06d-%d", row, column)
}

func benchFile(head string, row func(*strings.Builder, int), tail string) []byte {
	var b strings.Builder
	b.WriteString(head)
	for i := range benchRows {
		row(&b, i)
	}
	b.WriteString(tail)
	return []byte(b.String())
}

func benchConvert(b *testing.B, in []byte) {
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		res, err := Convert(context.Background(), bytes.NewReader(in), "f", Options{}, &discard{})
		if err != nil || res.Rows != benchRows || res.BadRows != 0 || len(res.Columns) != benchColumns {
			b.Fatalf("%d rows, %d bad, %d columns: %v", res.Rows, res.BadRows, len(res.Columns), err)
		}
	}
}

func BenchmarkCSV(b *testing.B) {
	var names []string
	for i := range benchColumns {
		names = append(names, fmt.Sprintf("COLUMNNAME%d", i))
	}
	in := benchFile("\ufeff"+strings.Join(names, ",")+"\r\n", func(b *strings.Builder, row int) {
		for c := range benchColumns {
			if c > 0 {
				b.WriteByte(',')
			}
			v := benchValue(row, c)
			if strings.ContainsAny(v, ",\"\n") {
				v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
			}
			b.WriteString(v)
		}
		b.WriteString("\r\n")
	}, "")
	benchConvert(b, in)
}

func BenchmarkXMLElement(b *testing.B) {
	in := benchFile("<Document>", func(b *strings.Builder, row int) {
		b.WriteString("<ROW>")
		for c := range benchColumns {
			fmt.Fprintf(b, "<COLUMNNAME%d>%s</COLUMNNAME%d>", c, benchValue(row, c), c)
		}
		b.WriteString("</ROW>\r\n")
	}, "</Document>")
	benchConvert(b, in)
}

func BenchmarkJSONLines(b *testing.B) {
	in := benchFile("", func(b *strings.Builder, row int) {
		for c := range benchColumns {
			fmt.Fprintf(b, `%c"COLUMNNAME%d": %s`, ",{"[min(1, 1-min(c, 1))], c, appendString(nil, benchValue(row, c)))
		}
		b.WriteString("}\n")
	}, "")
	benchConvert(b, in)
}

// BenchmarkSmallCSV is a file of 100 KB, of which a package may hold a thousand:
// what it costs beyond its bytes is the set-up.
func BenchmarkSmallCSV(b *testing.B) {
	row := strings.Repeat("some text,", benchColumns-1) + "end\r\n"
	in := []byte("\ufeff" + strings.Repeat("COLUMN,", benchColumns-1) + "LAST\r\n" + strings.Repeat(row, 100_000/len(row)))
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		res, err := Convert(context.Background(), bytes.NewReader(in), "f", Options{}, &discard{})
		if err != nil || res.BadRows != 0 {
			b.Fatal(res, err)
		}
	}
}

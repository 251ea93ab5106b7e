package convert

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// wideRows is CSV with benchColumns columns, ten of them of a kind that a type
// fits.
func wideRows(rows int) []byte {
	var b strings.Builder
	for c := range benchColumns {
		fmt.Fprintf(&b, "%c%s", "\n,"[min(c, 1)], wideName(c))
	}
	head := b.String()[1:]
	b.Reset()
	b.WriteString(head)
	b.WriteString("\n")
	for row := range rows {
		for c := range benchColumns {
			if c > 0 {
				b.WriteByte(',')
			}
			switch wideName(c) {
			case "QUANTITY":
				fmt.Fprint(&b, row%977)
			case "AMOUNT":
				fmt.Fprintf(&b, "%d.%06d", row*7919%100_000, row*31%1_000_000)
			case "CLOSED", "POSTED":
				b.WriteString([]string{"No", "Yes", "No"}[row%3])
			case "SHIPPED":
				fmt.Fprintf(&b, "20%02d-%02d-%02d 00:00:00", 10+row%20, 1+row%12, 1+row%28)
			case "CREATED", "CHANGED":
				fmt.Fprintf(&b, "20%02d-%02d-%02d %02d:%02d:%02d", 10+row%20, 1+row*7%12, 1+row%28, 3+row%21, row%60, row*13%60)
			case "NOTES":
				b.WriteString([]string{"", "", "ring twice"}[row%3])
			default:
				b.WriteString(strings.NewReplacer("\n", " ", `"`, "").Replace(strings.ReplaceAll(benchValue(row, c), ",", " ")))
			}
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func wideName(c int) string {
	if name := map[int]string{4: "QUANTITY", 9: "AMOUNT", 13: "CLOSED", 14: "POSTED", 21: "SHIPPED", 28: "CREATED", 35: "NOTES", 49: "CHANGED"}[c]; name != "" {
		return name
	}
	return fmt.Sprintf("COLUMNNAME%d", c)
}

// wideShapes are what flows ask for, from little to much.
var wideShapes = []struct {
	name  string
	shape Shape
}{
	{"plain", Shape{}},
	{"selected", Shape{Select: []string{"COLUMNNAME2", "QUANTITY", "AMOUNT", "COLUMNNAME12", "CLOSED", "CREATED", "COLUMNNAME30", "COLUMNNAME40", "COLUMNNAME41", "COLUMNNAME58"}}},
	{"typed", Shape{Columns: []Column{
		{Name: "QUANTITY", Type: TypeInteger}, {Name: "AMOUNT", Type: TypeDecimal}, {Name: "CLOSED", Type: TypeBoolean},
		{Name: "POSTED", Type: TypeBoolean}, {Name: "SHIPPED", Type: TypeDate}, {Name: "CREATED", Type: TypeTime, Zone: "Europe/Berlin"},
		{Name: "CHANGED", Type: TypeTime, Zone: "America/New_York"}, {Name: "NOTES", OmitEmpty: true},
		{Name: "COLUMNNAME6", Rename: "customer"}, {Name: "COLUMNNAME7", Drop: true},
	}}},
	{"program", Shape{Columns: []Column{{Name: "QUANTITY", Type: TypeInteger}}, Transform: `select(.QUANTITY > 100) | .twice = .QUANTITY * 2`}},
	{"one typed", Shape{Columns: []Column{{Name: "AMOUNT", Type: TypeDecimal}}}},
}

func shapeAll(tb testing.TB, in []byte, shape Shape, rows int64) {
	var sink Sink = &discard{}
	if !shape.IsZero() {
		s, err := NewShaper(tb.Context(), "f", shape, sink)
		if err != nil {
			tb.Fatal(err)
		}
		sink = s
	}
	if res, err := Convert(tb.Context(), bytes.NewReader(in), "f", Options{}, sink); err != nil || res.Rows != rows || res.BadRows != 0 {
		tb.Fatal(res, err)
	}
}

// BenchmarkWide shapes 60 columns. With -cpu 1 its times are processor times.
func BenchmarkWide(b *testing.B) {
	in := wideRows(benchRows)
	for _, w := range wideShapes {
		b.Run(w.name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				shapeAll(b, in, w.shape, benchRows)
			}
		})
	}
}

package convert

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// FuzzShape shapes whatever rows JSON may hold. shaped checks that lines are
// objects and that the counts add up; without types rows stay byte for byte.
func FuzzShape(f *testing.F) {
	f.Add([]byte(`{"a":"1","b":{"c":["}"]}}`+"\n"+`{"\u0061":"x\"","b":null}`), "integer", ".", uint8(0))
	f.Add([]byte(`[{"a":"2026-03-02T09:15:42","b":""},{}]`), "time", "{b, n: (.a|length)}", uint8(1))
	f.Add([]byte(`{"a":true}{"a":1.5e3,"a":[]}`), "decimal", ".,.", uint8(2))
	f.Add([]byte(`{"a":"Yes"}`), "boolean", "empty", uint8(0))
	f.Fuzz(func(t *testing.T, in []byte, kind, program string, policy uint8) {
		if len(program) > 20 || strings.ContainsAny(program, "rRlLwWuU$*") { // a slow program says nothing
			program = ""
		}
		shape := Shape{
			Columns:     []Column{{Name: "a", Type: ColumnType(kind), Rename: "A"}, {Name: "b", OmitEmpty: true}, {Name: "c", Drop: true}},
			Constants:   []Constant{{Name: "k", Value: "v"}},
			Transform:   program,
			OnTypeError: typeErrors[int(policy)%len(typeErrors)],
		}
		opt := Options{Format: FormatJSON, Encoding: "utf-8", MaxRecord: 1 << 16}
		shaped(t, in, opt, shape)
		got := shaped(t, in, opt, Shape{Columns: []Column{{Name: "no such column"}}})
		want, res := run(t, bytes.NewReader(in), opt)
		if res.BadRows == 0 && got.lines != want.lines {
			t.Fatalf("got %q, want %q", got.lines, want.lines)
		}
	})
}

// FuzzNumbers: what is taken as a number has the same value in JSON.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"0.10", "-007.50", "+.5", "5.", "1E+5", "-0", "1.5e-7", "--1", "1_000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		for _, kind := range []ColumnType{TypeDecimal, TypeInteger} {
			p := columnPlan{kind: kind, marks: marks{point: '.'}}
			out, err := p.appendValue(nil, appendString(nil, text))
			if err != nil || string(out) == "null" || len(text) > 100 || strings.ContainsAny(text, "eE") {
				continue
			}
			want, ok := new(big.Rat).SetString(strings.TrimSpace(text))
			got, gotOK := new(big.Rat).SetString(string(out))
			if !ok || !gotOK || !json.Valid(out) || got.Cmp(want) != 0 {
				t.Fatalf("%s: %q became %q", kind, text, out)
			}
		}
	})
}

// BenchmarkShape shapes rows of CSV, as in BenchmarkConvert's order of size.
func BenchmarkShape(b *testing.B) {
	in := []byte("ID,NAME,QTY,PRICE,ACTIVE,AT\n" + strings.Repeat("1001,Wholesale customers,12,1234.50,Yes,2026-03-02 09:15:42\n", 20_000))
	typed := []Column{{Name: "ID", Type: TypeInteger}, {Name: "QTY", Type: TypeInteger}, {Name: "PRICE", Type: TypeDecimal}, {Name: "ACTIVE", Type: TypeBoolean}, {Name: "AT", Type: TypeTime, Zone: "Europe/Berlin"}}
	for name, shape := range map[string]Shape{
		"none": {}, "typed": {Columns: typed}, "selected": {Select: []string{"PRICE", "ID"}}, "jq": {Columns: typed, Transform: "{id: .ID, total: (.QTY * .PRICE)}"},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				var sink Sink = &discard{}
				if !shape.IsZero() {
					s, err := NewShaper(b.Context(), "f", shape, sink)
					if err != nil {
						b.Fatal(err)
					}
					sink = s
				}
				if res, err := Convert(b.Context(), bytes.NewReader(in), "f", Options{}, sink); err != nil || res.Rows != 20_000 {
					b.Fatal(res, err)
				}
			}
		})
	}
}

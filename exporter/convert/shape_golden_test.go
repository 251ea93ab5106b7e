package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// shaped converts in with a shape, and says what came of it. It checks what
// holds for every shape: the counts add up and each line is a JSON object.
func shaped(t testing.TB, in []byte, opt Options, shape Shape) outcome {
	t.Helper()
	var rec record
	s, err := NewShaper(t.Context(), "in", shape, &rec)
	if err != nil {
		return outcome{result: fmt.Sprintf("shape error %v\n", err)}
	}
	res, err := Convert(t.Context(), bytes.NewReader(in), "in", opt, s)
	var missing []string
	if err == nil {
		missing, err = s.Check(res.Columns)
	}
	st := s.Stats()
	switch {
	case rec.wrong != "" && st.Dropped+st.Extra == 0: // records are the reader's: they count rows that were dropped
		t.Fatal(rec.wrong)
	case err == nil && st.RowsIn != res.Rows, st.RowsOut != rec.rows, st.BadRows+res.BadRows != rec.nbad:
		t.Fatalf("reader %+v, shaper %+v, sink %d rows and %d bad ones", res, st, rec.rows, rec.nbad)
	case err == nil && st.RowsIn != st.RowsOut-st.Extra+st.Dropped+st.BadRows:
		t.Fatalf("the counts do not add up: %+v", st)
	}
	for line := range bytes.Lines(rec.lines.Bytes()) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			t.Fatalf("line is no JSON object: %q: %v", line, err)
		}
	}
	var sum strings.Builder
	fmt.Fprintf(&sum, "in %d out %d dropped %d extra %d bad %d\n", st.RowsIn, st.RowsOut, st.Dropped, st.Extra, st.BadRows)
	fmt.Fprintf(&sum, "columns %q\n", s.Columns())
	if len(st.TypeErrors) > 0 {
		fmt.Fprintf(&sum, "type errors %v\n", st.TypeErrors)
	}
	if len(missing) > 0 {
		fmt.Fprintf(&sum, "missing %q\n", missing)
	}
	if err != nil {
		fmt.Fprintf(&sum, "error %v\n", err)
	}
	return outcome{rec.lines.String(), rec.bad.String(), sum.String()}
}

// TestShape: cases as in TestGolden, with a shape.
func TestShape(t *testing.T) {
	paths, err := filepath.Glob("testdata/shape/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata/shape: %v, %d cases", err, len(paths))
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			g := readGolden(t, path)
			at := slices.IndexFunc(g.arch.Files, func(f txtar.File) bool { return f.Name == "shape" })
			var shape Shape
			d := json.NewDecoder(bytes.NewReader(g.arch.Files[at].Data))
			d.DisallowUnknownFields()
			if err := d.Decode(&shape); err != nil {
				t.Fatal(err)
			}
			got := shaped(t, g.input, g.opt, shape)
			if *update {
				kept := slices.DeleteFunc(g.arch.Files, func(f txtar.File) bool { return slices.Contains([]string{"rows", "bad", "result"}, f.Name) })
				kept = append(kept, txtar.File{Name: "rows", Data: []byte(got.lines)})
				if got.bad != "" {
					kept = append(kept, txtar.File{Name: "bad", Data: []byte(got.bad)})
				}
				g.arch.Files = append(kept, txtar.File{Name: "result", Data: []byte(got.result)})
				if err := os.WriteFile(path, txtar.Format(g.arch), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			compare(t, string(g.arch.Comment), got, g.want)
			setBlockSize(t, 1)
			compare(t, "in blocks of 1", shaped(t, g.input, g.opt, shape), g.want)
		})
	}
}

// TestShapeErrors: each names the place.
func TestShapeErrors(t *testing.T) {
	for want, shape := range map[string]Shape{
		`on_type_error: neither park, keep nor null: "skip"`:                                                              {OnTypeError: "skip"},
		`columns[0].name: no column named: ""`:                                                                            {Columns: []Column{{}}},
		`columns[1].name: named twice: "A"`:                                                                               {Columns: []Column{{Name: "A"}, {Name: "A"}}},
		`columns[0].type: not a type of column: "number"`:                                                                 {Columns: []Column{{Name: "A", Type: "number"}}},
		`columns[0].zone: only columns of type time have a zone: "UTC"`:                                                   {Columns: []Column{{Name: "A", Type: TypeDate, Zone: "UTC"}}},
		`columns[0].zone: no time zone of this name: "Mars/Olympus"`:                                                      {Columns: []Column{{Name: "A", Type: TypeTime, Zone: "Mars/Olympus"}}},
		`columns[0].drop: left out, and given a type or a name: "A"`:                                                      {Columns: []Column{{Name: "A", Drop: true, Rename: "B"}}},
		`columns[1].rename: a name that columns[0] gives already: "B"`:                                                    {Columns: []Column{{Name: "B"}, {Name: "A", Rename: "B"}}},
		`columns[0].format: not a format of numbers, want one of 1234.56; 1,234.56; 1234,56; 1.234,56; 1 234,56: "#.##0"`: {Columns: []Column{{Name: "A", Type: TypeDecimal, Format: "#.##0"}}},
		`columns[0].format: 'q' is no part of a date; known are yyyy MM M dd d HH H hh h mm m ss s tt zzz: "qqq"`:         {Columns: []Column{{Name: "A", Type: TypeDate, Format: "qqq"}}},
		`columns[0].format: a format without a year, or with minutes and no hour: "MM/dd"`:                                {Columns: []Column{{Name: "A", Type: TypeDate, Format: "MM/dd"}}},
		`columns[0].format: a quote that is not closed: "yyyy'T"`:                                                         {Columns: []Column{{Name: "A", Type: TypeDate, Format: "yyyy'T"}}},
		`columns[0].format: only numbers, dates and times have a format: "x"`:                                             {Columns: []Column{{Name: "A", Format: "x"}}},
		`constants[0].name: a name that columns[0] gives already: "A"`:                                                    {Columns: []Column{{Name: "A"}}, Constants: []Constant{{Name: "A"}}},
		`constants[0].value: no whole number: "x"`:                                                                        {Constants: []Constant{{Name: "A", Value: "x", Type: TypeInteger}}},
		`constants[0].value: empty: ""`:                                                                                   {Constants: []Constant{{Name: "A", Type: TypeInteger}}},
		`constants[0].type: a constant is a string, integer, decimal or boolean: "date"`:                                  {Constants: []Constant{{Name: "A", Type: TypeDate}}},
		`select[1]: named twice: "A"`:                                                                                     {Select: []string{"A", "A"}},
		`transform: function not defined: nosuch/0: "nosuch"`:                                                             {Transform: "nosuch"},
		`transform: unexpected token "}": "{a}}"`:                                                                         {Transform: "{a}}"},
		`transform: no jq program: ""`:                                                                                    {Transform: " "},
	} {
		err := shape.Validate()
		if _, ok := errors.AsType[*ShapeError](err); !ok || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestTransformHasAnEnd: an endless program makes bad rows, and after some of
// them ends the conversion.
func TestTransformHasAnEnd(t *testing.T) {
	transformTime = 10 * time.Millisecond
	t.Cleanup(func() { transformTime = TransformTime })
	endless := Shape{Transform: `if .A == "1" then . else def f: f; f end`}
	got := shaped(t, []byte("A\n1\n2\n1\n"), Options{}, endless)
	if want := "in 3 out 2 dropped 0 extra 0 bad 1\n"; !strings.HasPrefix(got.result, want) || !strings.Contains(got.bad, "3:1 record 2: transform: did not end within 2s") {
		t.Errorf("got %s%s, want %s", got.bad, got.result, want)
	}
	got = shaped(t, []byte("A\n"+strings.Repeat("2\n", 20)), Options{}, endless)
	if want := "error in:7:1: transform: did not end within 2s, as for 5 rows before it: the program is at fault, not the row\n"; !strings.HasSuffix(got.result, want) {
		t.Errorf("got %s, want %s", got.result, want)
	}
	transformTime = TransformTime
	many := shaped(t, []byte("A\nx\n"), Options{}, Shape{Transform: "range(10001) | {i: .}"})
	if !strings.Contains(many.bad, "transform: more than 10000 rows of one") {
		t.Errorf("got %s", many.bad)
	}
}

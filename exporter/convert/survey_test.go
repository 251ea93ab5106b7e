package convert

import (
	"fmt"
	"strings"
	"testing"
)

func TestSurvey(t *testing.T) {
	csv := "ID,CODE,PRICE,OPEN,DAY,AT,NAME,NONE,FLAG,PHONE\n" +
		"1,007,1.50,Yes,2026-03-02,2026-03-02 09:15:42,\"Bond, \"\"J\"\"\",,0,+49\n" +
		"-2,8,,No,2026-03-03 00:00:00,2026-03-02T09:15:42Z,é,,1,+1\n" +
		"30,9,7,,,,,,1,\n"
	for name, c := range map[string]struct{ in, want string }{
		"csv": {csv, `ID integer: 3 values, 0 empty, 0 absent, longest 2, "1"
CODE string: 3 values, 0 empty, 0 absent, longest 3, "007"
PRICE decimal: 2 values, 1 empty, 0 absent, longest 4, "1.50"
OPEN boolean: 2 values, 1 empty, 0 absent, longest 3, "Yes"
DAY date: 2 values, 1 empty, 0 absent, longest 19, "2026-03-02"
AT time: 2 values, 1 empty, 0 absent, longest 20, "2026-03-02 09:15:42"
NAME string: 2 values, 1 empty, 0 absent, longest 9, "Bond, \"J\""
NONE string: 0 values, 3 empty, 0 absent, longest 0, ""
FLAG integer: 3 values, 0 empty, 0 absent, longest 1, "0"
PHONE string: 2 values, 1 empty, 0 absent, longest 3, "+49"
`},
		"json": {`{"a":1,"b":true,"c":{"x":1},"d":null}{"a":1.5,"\u0062":false,"e":"2026-03-02"}`, `a decimal: 2 values, 0 empty, 0 absent, longest 3, "1"
b boolean: 2 values, 0 empty, 0 absent, longest 5, "true"
c nested: 1 values, 0 empty, 1 absent, longest 7, "{\"x\":1}"
d string: 0 values, 1 empty, 1 absent, longest 0, ""
e date: 1 values, 0 empty, 1 absent, longest 10, "2026-03-02"
`},
		"header only": {"A,B\n", "A string: 0 values, 0 empty, 0 absent, longest 0, \"\"\nB string: 0 values, 0 empty, 0 absent, longest 0, \"\"\n"},
	} {
		s := NewSurvey()
		res, err := Convert(t.Context(), strings.NewReader(c.in), "f", Options{}, s)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, f := range s.Columns(res.Columns) {
			fmt.Fprintf(&got, "%s %s: %d values, %d empty, %d absent, longest %d, %q\n", f.Name, f.Type, f.Values, f.Empty, f.Absent, f.Longest, f.Example)
		}
		if got.String() != c.want {
			t.Errorf("%s: got\n%swant\n%s", name, &got, c.want)
		}
	}
}

// TestSurveyIsWhatAShapeTakes: types that a survey names are types under which
// no value is a fault.
func TestSurveyIsWhatAShapeTakes(t *testing.T) {
	for _, g := range goldens(t) {
		s := NewSurvey()
		res, err := Convert(t.Context(), strings.NewReader(string(g.input)), "f", g.opt, s)
		if err != nil {
			continue
		}
		var shape Shape
		for _, f := range s.Columns(res.Columns) {
			if f.Type != TypeNested && f.Name != "" {
				shape.Columns = append(shape.Columns, Column{Name: f.Name, Type: f.Type})
			}
		}
		got := shaped(t, g.input, g.opt, shape)
		if strings.Contains(got.result, "type errors") || !strings.Contains(got.result, fmt.Sprintf("in %d out %d ", res.Rows, res.Rows)) {
			t.Errorf("%s: %s", g.path, got.result)
		}
	}
}

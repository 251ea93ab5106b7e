package canon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const rows = `{"A":"1","B":"two"}
{"A":"2","B":""}
{"A":"3","B":"é \"q\" \\ 🚚"}
`

func read(t *testing.T, text string) Print {
	t.Helper()
	p, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func TestWhatIsEqual(t *testing.T) {
	want := read(t, rows)
	for name, text := range map[string]string{
		"keys in another order": `{"B":"two","A":"1"}` + "\n" + `{"A":"2","B":""}` + "\n" + `{"B":"é \"q\" \\ 🚚","A":"3"}`,
		"other escapes":         `{"\u0041":"1","B":"\u0074wo"}` + "\n" + `{"A":"2","B":""}` + "\n" + `{"A":"3","B":"\u00e9 \u0022q\u0022 \u005C \uD83D\ude9a"}`,
		"blanks and CR":         " { \"A\" : \"1\" ,\t\"B\":\"two\" }\r\n\n" + strings.Join(strings.SplitAfter(rows, "\n")[1:], ""),
	} {
		if got := read(t, text); got.Sum != want.Sum || got.Rows != 3 {
			t.Errorf("%s: %d rows with another sum, want the same", name, got.Rows)
		}
	}
}

func TestWhatDiffers(t *testing.T) {
	want := read(t, rows)
	lines := strings.SplitAfter(rows, "\n")
	tests := map[string]struct {
		text string
		want Difference
	}{
		"a row dropped":     {lines[0] + lines[2], Difference{Want: 3, Got: 2, Missing: 1}},
		"a row twice":       {rows + lines[1], Difference{Want: 3, Got: 4, Strange: 1}},
		"a value changed":   {strings.Replace(rows, "two", "twO", 1), Difference{Want: 3, Got: 3, Missing: 1, Strange: 1}},
		"a key changed":     {strings.Replace(rows, `"A":"1"`, `"a":"1"`, 1), Difference{Want: 3, Got: 3, Missing: 1, Strange: 1}},
		"a mark in the key": {strings.ReplaceAll(rows, `"A"`, "\"\ufeffA\""), Difference{Want: 3, Got: 3, Missing: 3, Strange: 3}},
		"text to number":    {strings.Replace(rows, `"2"`, `2`, 1), Difference{Want: 3, Got: 3, Missing: 1, Strange: 1}},
		"empty to null":     {strings.Replace(rows, `""`, `null`, 1), Difference{Want: 3, Got: 3, Missing: 1, Strange: 1}},
		"rows swapped":      {lines[1] + lines[0] + lines[2], Difference{Want: 3, Got: 3}},
		"values move over":  {strings.Replace(rows, `"A":"1","B":"two"`, `"A":"1B","":"two"`, 1), Difference{Want: 3, Got: 3, Missing: 1, Strange: 1}},
	}
	for name, tt := range tests {
		got := read(t, tt.text)
		if got.Sum == want.Sum {
			t.Errorf("%s: the same sum", name)
		}
		if d := Diff(want, got); d != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, d, tt.want)
		}
	}
}

// A row dropped out of many is what a lossy reader does: sums must tell.
func TestOneRowOfMany(t *testing.T) {
	var all, less strings.Builder
	for i := range 5000 {
		line := fmt.Sprintf(`{"N":"%d","TEXT":"%d of many"}`+"\n", i, i%7)
		all.WriteString(line)
		if i != 4321 {
			less.WriteString(line)
		}
	}
	if d := Diff(read(t, all.String()), read(t, less.String())); d != (Difference{Want: 5000, Got: 4999, Missing: 1}) {
		t.Errorf("got %+v", d)
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{
		`[]`, `"a"`, `{`, `{"A"}`, `{"A":}`, `{"A":"1"`, `{"A":"1",}`, `{"A":"1"} {}`, `{"A":"\x"}`, `{"A":"\u12"}`, `{"A":"\`, `{A:1}`,
	} {
		if p, err := Read(strings.NewReader("{}\n" + text)); err == nil || !strings.HasPrefix(err.Error(), "row 2: ") {
			t.Errorf("%s: got %d rows, error %v; want one that names row 2", text, p.Rows, err)
		}
	}
}

func TestLongLines(t *testing.T) {
	long := `{"A":"` + strings.Repeat("x", 3<<20) + `"}` + "\n"
	if p := read(t, long+rows); p.Rows != 4 || p.Sum == read(t, rows).Sum {
		t.Errorf("%d rows, want 4", p.Rows)
	}
}

// What encoding/json reads as the same members must have the same canonical
// text, and the other way about.
func TestAgreesWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.MapOfN(rapid.String(), rapid.OneOf(rapid.Map(rapid.String(), func(s string) any { return s }), rapid.Just[any](nil), rapid.Just[any](true)), 0, 6).Draw(t, "row")
		for key, v := range row { // as encoding/json replaces what is no UTF-8
			clean := strings.ToValidUTF8(key, "\ufffd")
			delete(row, key)
			if s, ok := v.(string); ok {
				v = strings.ToValidUTF8(s, "\ufffd")
			}
			row[clean] = v
		}
		escaped, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		var plain bytes.Buffer
		plain.WriteByte('{')
		for i, key := range slices.Backward(slices.Sorted(maps.Keys(row))) {
			if i < len(row)-1 {
				plain.WriteByte(',')
			}
			fmt.Fprintf(&plain, "%s:%s", raw(key), raw(row[key]))
		}
		plain.WriteByte('}')
		a, errA := Read(bytes.NewReader(escaped))
		b, errB := Read(&plain)
		if errA != nil || errB != nil || a.Sum != b.Sum {
			t.Fatalf("%s: errors %v, %v; sums %s, %s", escaped, errA, errB, a.Sum, b.Sum)
		}
	})
}

// raw writes JSON with as few escapes as it allows.
func raw(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func BenchmarkRead(b *testing.B) {
	line := "{"
	for i := range 60 {
		line += fmt.Sprintf(`"COLUMNNAME%02d":"value %d é",`, i, i)
	}
	text := []byte(strings.Repeat(line[:len(line)-1]+"}\n", 5000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if p, err := Read(bytes.NewReader(text)); err != nil || p.Rows != 5000 {
			b.Fatal(p.Rows, err)
		}
	}
}

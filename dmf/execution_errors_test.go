package dmf

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestParseExecutionErrors(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		exact     bool
		want      []ExecutionError
	}{
		{"none", "[]", true, nil},
		{"nothing", "", true, nil},
		{"null", "null", true, nil},
		{"valid", `[{"RecordId":"1","Field":"Name","ErrorMessage":"too \"long\""},{"RecordId":2,"Field":null,"ErrorMessage":"b"}]`, true,
			[]ExecutionError{{"1", "Name", `too "long"`}, {"2", "", "b"}}},
		{"bare quotes", `[{"RecordId":"1","Field":"Name","ErrorMessage":"Value "x" is not found"},{"RecordId":"2","Field":"","ErrorMessage":"b"}]`, false,
			[]ExecutionError{{"1", "Name", `Value "x" is not found`}, {"2", "", "b"}}},
		{"bare line breaks", "[{\"RecordId\":\"1\",\"Field\":\"F\",\"ErrorMessage\":\"one\r\ntwo\"},\r\n{\"RecordId\":\"2\",\"Field\":\"G\",\"ErrorMessage\":\"c\\nd \"x\"\"}\r\n]", false,
			[]ExecutionError{{"1", "F", "one\r\ntwo"}, {"2", "G", "c\nd \"x\""}}},
		{"braces in a message", `[{"RecordId":"1","Field":"F","ErrorMessage":"set {a, "b"} is bad"}]`, false,
			[]ExecutionError{{"1", "F", `set {a, "b"} is bad`}}},
		{"cut off", `[{"RecordId":"1","Field":"F","ErrorMessage":"a"},{"RecordId":"2","Field":"G","ErrorMessage":"half of`, false,
			[]ExecutionError{{"1", "F", "a"}, {"2", "G", "half of"}}},
		{"no field", `[{"RecordId":"1","ErrorMessage":"a "b""}]`, false, []ExecutionError{{"1", "", `a "b"`}}},
		{"not a list at all", "Batch job 12 failed", false, []ExecutionError{{Message: "Batch job 12 failed"}}},
		{"words before", `Errors: [{"RecordId":"1","Field":"F","ErrorMessage":"a"}]`, false,
			[]ExecutionError{{Message: "Errors:"}, {"1", "F", "a"}}},
	} {
		got := parseExecutionErrors(c.raw)
		if got.Exact != c.exact || !slices.Equal(got.Items, c.want) || got.Raw != c.raw {
			t.Errorf("%s: got exact %v, %q\nwant exact %v, %q", c.name, got.Exact, got.Items, c.exact, c.want)
		}
	}
}

// TestManyInvalidErrors is the size that broke a JSON parser in the field.
func TestManyInvalidErrors(t *testing.T) {
	const n = 3506
	raw := "[" + strings.TrimSuffix(strings.Repeat(`{"RecordId":"5637144576","Field":"CustGroup","ErrorMessage":"The value "10" in field is not found."},`, n), ",") + "]"
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := json.Marshal(map[string]string{"value": raw})
		if err != nil {
			t.Error(err)
		}
		answer200(string(body))(w, r)
	})
	got, err := f.ExecutionErrors(t.Context(), "x")
	if err != nil || got.Exact || len(got.Items) != n {
		t.Fatalf("got %d items, exact %v, %v; want %d", len(got.Items), got.Exact, err, n)
	}
	if last := got.Items[n-1]; last != (ExecutionError{"5637144576", "CustGroup", `The value "10" in field is not found.`}) {
		t.Errorf("last item %+v", last)
	}
}

func FuzzParseExecutionErrors(f *testing.F) {
	f.Add(`[{"RecordId":"1","Field":"F","ErrorMessage":"a"}]`)
	f.Add(`[{"RecordId":"1","Field":"F","ErrorMessage":"a "b""},{"RecordId":"2"`)
	f.Add("words")
	f.Fuzz(func(t *testing.T, raw string) {
		got := parseExecutionErrors(raw)
		if got.Raw != raw {
			t.Fatalf("Raw is %q, want %q", got.Raw, raw)
		}
		// What was said is never dropped altogether.
		if !got.Exact && len(got.Items) == 0 && strings.Trim(raw, "[ \t\r\n,") != "" && strings.TrimSpace(raw) != "" {
			t.Fatalf("nothing is left of %q", raw)
		}
	})
}

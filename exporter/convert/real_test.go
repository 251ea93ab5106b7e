package convert

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"testing"
)

// TestRealExport reads a file that FinOps wrote, and compares every value with
// what encoding/csv reads. Its two known habits, to turn CR LF inside quotes
// into LF and to drop empty lines, cannot show: the file has neither.
func TestRealExport(t *testing.T) {
	data, err := os.ReadFile("../../testdata/real/Customers V3.csv")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(data, "\r\"") || bytes.Contains(data, []byte("\n\n")) {
		t.Fatal("the file has CR, quotes or empty lines: encoding/csv is no judge of those")
	}
	want, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got, res := run(t, bytes.NewReader(data), Options{})
	if int(res.Rows) != len(want)-1 || res.BadRows != 0 || res.Bytes != int64(len(data)) || len(res.Columns) != len(want[0]) {
		t.Fatalf("got %+v, want %d rows of %d columns", res, len(want)-1, len(want[0]))
	}
	values := 0
	n := 0
	for line := range bytes.Lines([]byte(got.lines)) {
		n++
		var row map[string]string
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		for i, name := range want[0] {
			if res.Columns[i] != name || row[name] != want[n][i] {
				t.Errorf("row %d column %d: got %s=%q, want %s=%q", n, i+1, res.Columns[i], row[name], name, want[n][i])
			}
			values++
		}
	}
	if values != len(want[0])*(len(want)-1) || values == 0 {
		t.Errorf("compared %d values, the file has %d", values, len(want[0])*(len(want)-1))
	}
}

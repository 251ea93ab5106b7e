package outputs

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What an export left where it landed before goes, manifest first; what is
// another export's stays.
func TestWithdraw(t *testing.T) {
	folder := t.TempDir()
	f, err := NewFiles(FilesOptions{Name: "out", Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	land := func(id string) string {
		t.Helper()
		w, err := f.Begin(t.Context(), Export{ID: id, Environment: "prod", Entity: "A"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Block([]byte("{}\n"), 1); err != nil {
			t.Fatal(err)
		}
		if err := w.BadRow([]byte("{}\n")); err != nil {
			t.Fatal(err)
		}
		r, err := w.Commit(t.Context(), Facts{Rows: 1, BadRows: 1})
		if err != nil {
			t.Fatal(err)
		}
		return r.Path
	}
	one, two := land("ex_one"), land("ex_two")
	if err := Withdraw(one, "ex_two"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(one); err != nil {
		t.Errorf("another export's file was withdrawn: %v", err)
	}
	for range 2 { // the second time there is nothing
		if err := Withdraw(one, "ex_one"); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(two), "*"))
	if err != nil || len(left) != 3 {
		t.Errorf("left in the folder: %v, %v; want the other export's data, manifest and bad rows", left, err)
	}
}

// Rows set aside are no data to whoever takes *.jsonl or *.json. A version
// before this one called their file .bad.jsonl: it goes when its export lands
// again, with rows set aside or without, and with the place it is withdrawn from.
func TestFormerNameOfBadRows(t *testing.T) {
	folder := t.TempDir()
	f := newTestFiles(t, folder, "{export_id}.jsonl")
	former := filepath.Join(folder, "x.jsonl"+formerBadRowsSuffix)
	leave := func() {
		t.Helper()
		if err := os.WriteFile(former, []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []int{1, 0} {
		leave()
		mustLand(t, f, testExport("x"), 2, bad)
		taken, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
		if err != nil || len(taken) != 1 {
			t.Errorf("with %d rows set aside *.jsonl takes %v, %v; want the data file alone", bad, taken, err)
		}
		if names := tree(t, folder); len(names) != 2+bad {
			t.Errorf("with %d rows set aside: %v", bad, names)
		}
	}

	leave()
	m, err := os.ReadFile(filepath.Join(folder, "x.jsonl"+manifestSuffix))
	if err != nil {
		t.Fatal(err)
	}
	m = bytes.Replace(m, []byte(`"bad_rows_file": ""`), []byte(`"bad_rows_file": "x.jsonl.bad.jsonl"`), 1)
	if err := os.WriteFile(filepath.Join(folder, "x.jsonl"+manifestSuffix), m, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Withdraw(filepath.Join(folder, "x.jsonl"), "x"); err != nil {
		t.Fatal(err)
	}
	if names := tree(t, folder); len(names) != 0 {
		t.Errorf("after the withdrawal: %v", names)
	}
}

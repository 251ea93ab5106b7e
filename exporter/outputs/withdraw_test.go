package outputs

import (
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

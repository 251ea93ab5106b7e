package outputs

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// What an export left where it landed before goes, manifest first; what is
// another export's stays, and so does all in a place that is not that one.
func TestWithdraw(t *testing.T) {
	for what, marker := range map[string]string{"of a known place": here, "of a place from before markers": ""} {
		t.Run(what, func(t *testing.T) {
			folder := t.TempDir()
			f := newTestFiles(t, folder, "{export_id}.jsonl")
			one, two := mustLand(t, f, testExport("ex_one"), 1, 1).Path, mustLand(t, f, testExport("ex_two"), 1, 1).Path
			withdraw := func(path, id, marker string) error {
				return Withdraw(Landed{Path: path, ExportID: id, Output: "files", Place: folder, Marker: marker})
			}
			if err := withdraw(one, "ex_two", marker); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(one); err != nil {
				t.Errorf("another export's file was withdrawn: %v", err)
			}
			before := tree(t, folder)
			if err := withdraw(one, "ex_one", "elsewhere"); !errors.Is(err, ErrMissing) || !maps.Equal(tree(t, folder), before) {
				t.Errorf("in another place: %v, files %v; want ErrMissing and nothing removed", err, names(tree(t, folder)))
			}
			for range 2 { // the second time there is nothing
				if err := withdraw(one, "ex_one", marker); err != nil {
					t.Fatal(err)
				}
			}
			left := names(tree(t, folder))
			if len(left) != 4 || left[0] != markerName("files") || left[1] != filepath.Base(two) {
				t.Errorf("left are %v; want the marker and the three files of ex_two", left)
			}
		})
	}
	if err := Withdraw(Landed{Path: filepath.Join(t.TempDir(), "gone", "x.jsonl"), ExportID: "x"}); err != nil {
		t.Errorf("from a folder that is gone: %v", err)
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
		if names := tree(t, folder); len(names) != 3+bad {
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
	if err := Withdraw(Landed{Path: filepath.Join(folder, "x.jsonl"), ExportID: "x", Output: "files", Place: folder, Marker: here}); err != nil {
		t.Fatal(err)
	}
	if names := names(tree(t, folder)); len(names) != 1 {
		t.Errorf("after the withdrawal: %v; want the marker alone", names)
	}
}

package outputs

import (
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

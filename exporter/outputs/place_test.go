package outputs

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// What stands under the folder's path is not the folder: nothing lands there,
// and the error says what is there and what was expected.
func TestAnotherFolderUnderThePath(t *testing.T) {
	for name, c := range map[string]struct {
		replace func(t *testing.T, folder string)
		seen    string
	}{
		"nothing": {func(*testing.T, string) {}, "does not exist"},
		"an empty folder": {func(t *testing.T, folder string) {
			must(t, os.Mkdir(folder, 0o700))
		}, "holds no such marker"},
		"a file": {func(t *testing.T, folder string) {
			must(t, os.WriteFile(folder, nil, 0o600))
		}, "is not a folder"},
		"a link to another folder": {func(t *testing.T, folder string) {
			must(t, os.Symlink(t.TempDir(), folder))
		}, "holds no such marker"},
		"a link to nowhere": {func(t *testing.T, folder string) {
			must(t, os.Symlink(folder+".gone", folder))
		}, "does not exist"},
		"another output's folder": {func(t *testing.T, folder string) {
			other, err := NewFiles(FilesOptions{Name: "other", Folder: folder})
			must(t, err)
			placeAt(t, other)
		}, "holds no such marker"},
		"another disk of the same output": {func(t *testing.T, folder string) {
			must(t, os.Mkdir(folder, 0o700))
			must(t, unplaced(t, folder, "").Mark(t.Context(), Marker{ID: "there"}))
		}, "holds the marker of another place, with id there"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "lake")
			f := newTestFiles(t, folder, "{entity}/{export_id}.jsonl")
			mustLand(t, f, testExport("before"), 1, 0)
			must(t, os.Rename(folder, folder+".away"))
			c.replace(t, folder)
			before := around(t, folder)
			_, err := land(t, f, testExport("x"), 1, 1)
			want := "not mounted? " + folder + " " + c.seen + "; expected its marker .finrelay-output-files with id here"
			if missing, ok := errors.AsType[*MissingError](err); !ok || missing.Error() != want || !errors.Is(err, ErrMissing) {
				t.Errorf("landing: %v\nwant %s", err, want)
			}
			if after := around(t, folder); !maps.Equal(after, before) {
				t.Errorf("files are %v, were %v", names(after), names(before))
			}
			if len(f.open) != 0 {
				t.Errorf("%d attempts still on the books", len(f.open))
			}
		})
	}
}

// around reads what is beside a folder, and what is in it if it is a link.
func around(t *testing.T, folder string) map[string]string {
	t.Helper()
	to, err := os.Readlink(folder)
	if err != nil {
		return tree(t, filepath.Dir(folder))
	}
	files := map[string]string{}
	if _, err := os.Stat(to); err == nil {
		files = tree(t, to)
	}
	files["link"] = to
	return files
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A link that leads to where the folder was moved leads to the place.
func TestLinkToThePlace(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "lake")
	f := newTestFiles(t, folder, "{export_id}.jsonl")
	must(t, os.Rename(folder, folder+".moved"))
	if err := os.Symlink(folder+".moved", folder); err != nil {
		t.Skip(err)
	}
	if r := mustLand(t, f, testExport("x"), 1, 0); r.Path != filepath.Join(folder, "x.jsonl") {
		t.Errorf("landed at %s", r.Path)
	}
}

// Outputs that share a folder have a marker each, and see each other's.
func TestMarkersOfOneFolder(t *testing.T) {
	folder := t.TempDir()
	one, err := NewFiles(FilesOptions{Name: "one", Folder: folder, Template: "{export_id}.jsonl"})
	must(t, err)
	two, err := NewFiles(FilesOptions{Name: "two", Folder: folder, Template: "{export_id}.json", Format: FormatJSON})
	must(t, err)
	must(t, one.Mark(t.Context(), Marker{Installation: "we", ID: "first"}))
	s, err := two.Look(t.Context(), "", "")
	must(t, err)
	if s.Marker.ID != "" || len(s.Others) != 1 || s.Others[0].Output != "one" || s.Others[0].Installation != "we" {
		t.Errorf("two sees %+v; want the marker of one", s)
	}
	must(t, two.Mark(t.Context(), Marker{Installation: "we", ID: "second"}))
	must(t, errors.Join(one.Check(t.Context(), "first"), two.Check(t.Context(), "second")))
	if err := one.Check(t.Context(), "second"); !errors.Is(err, ErrMissing) {
		t.Errorf("the other's marker passes: %v", err)
	}
	for name, body := range tree(t, folder) {
		var m Marker
		if err := json.Unmarshal([]byte(body), &m); err != nil || m.Version != 1 || m.About == "" || name != ".finrelay-output-"+m.Output {
			t.Errorf("%s holds %s (%v)", name, body, err)
		}
	}
	must(t, os.WriteFile(filepath.Join(folder, markerName("one")), []byte("{}"), 0o600))
	if err := one.Check(t.Context(), "first"); err == nil || !strings.Contains(err.Error(), "move it out of the way") {
		t.Errorf("a marker that is none: %v", err)
	}
}

// A name that is no file name has a marker of its own all the same.
func TestMarkerNames(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"lake", "a/b", "a_b", "..", "CON", strings.Repeat("x", 300), strings.Repeat("x", 301)} {
		file := markerName(name)
		if other := seen[file]; other != "" || filepath.Base(file) != file || len(file) > maxElement {
			t.Errorf("output %.10q has marker %s, like %.10q", name, file, other)
		}
		seen[file] = name
	}
}

func TestOrderOfMarking(t *testing.T) {
	f := unplaced(t, t.TempDir(), "")
	var steps []string
	f.trace = func(step, name string) error {
		steps = append(steps, step+" "+strings.TrimSuffix(name, "."+shortHash(markerName("files"))+".tmp"))
		return nil
	}
	must(t, f.Mark(t.Context(), Marker{ID: here}))
	want := []string{"create ..finrelay-output-files", "write ..finrelay-output-files", "sync ..finrelay-output-files",
		"rename .finrelay-output-files", "sync folder ."}
	if !slices.Equal(steps, want) {
		t.Errorf("marking: %q, want %q", steps, want)
	}
	steps = nil
	must(t, f.Mark(t.Context(), Marker{ID: here}))
	if !slices.Equal(steps, want[4:]) {
		t.Errorf("marking again: %q, want the folder synced: who wrote it may not have come so far", steps)
	}
}

// Whatever step of marking fails, a place is never half marked, and the next
// try ends as an undisturbed one.
func TestMarkFailsAtEachStep(t *testing.T) {
	for n := 1; ; n++ {
		folder := t.TempDir()
		f := unplaced(t, folder, "")
		calls := 0
		f.trace = func(string, string) error {
			if calls++; calls < n {
				return nil
			}
			return syscall.ENOSPC
		}
		err := f.Mark(t.Context(), Marker{ID: here})
		if calls < n {
			must(t, err)
			if n < 5 {
				t.Fatalf("only %d steps", n)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), folder) {
			t.Errorf("step %d: %v; want ENOSPC with the path", n, err)
		}
		again := newTestFiles(t, folder, "")
		if _, err := again.Sweep(t.Context(), here); err != nil || len(tree(t, folder)) != 1 {
			t.Errorf("step %d: after the next try: %v, files %v", n, err, names(tree(t, folder)))
		}
	}
}

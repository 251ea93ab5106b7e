package outputs

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func newTestFiles(t *testing.T, folder, template string) *Files {
	t.Helper()
	f := unplaced(t, folder, template)
	placeAt(t, f)
	return f
}

// unplaced is an output whose folder nobody has marked.
func unplaced(t *testing.T, folder, template string) *Files {
	t.Helper()
	f, err := NewFiles(FilesOptions{Name: "files", Folder: folder, Template: template})
	if err != nil {
		t.Fatalf("NewFiles: %v", err)
	}
	return f
}

// here is the id of the marker of most places in these tests.
const here = "here"

// placeAt makes and marks an output's place.
func placeAt(t testing.TB, f *Files) {
	t.Helper()
	if err := errors.Join(f.Make(t.Context()), f.Mark(t.Context(), Marker{Installation: "test", ID: here})); err != nil {
		t.Fatalf("Make and Mark: %v", err)
	}
}

func testExport(id string) Export {
	return Export{
		ID: id, Environment: "prod", Entity: "Customer groups", LegalEntity: "USMF",
		EventTime: time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

// land is one attempt with as many good and bad rows, aborted when it fails.
func land(t *testing.T, f *Files, e Export, good, bad int) (Receipt, error) {
	t.Helper()
	w, err := f.Begin(t.Context(), here, e)
	if err != nil {
		return Receipt{}, err
	}
	defer func() {
		if err := w.Abort(); err != nil && f.trace == nil {
			t.Errorf("Abort: %v", err)
		}
	}()
	if err := w.Block([]byte(strings.Repeat("{}\n", good)), good); err != nil {
		return Receipt{}, err
	}
	for range bad {
		if err := w.BadRow([]byte(`{"line":3}`)); err != nil {
			return Receipt{}, err
		}
	}
	return w.Commit(t.Context(), Facts{Rows: int64(good), BadRows: int64(bad)})
}

func mustLand(t *testing.T, f *Files, e Export, good, bad int) Receipt {
	t.Helper()
	r, err := land(t, f, e, good, bad)
	if err != nil {
		t.Fatalf("land %s: %v", e.ID, err)
	}
	return r
}

// tree reads all files below folder.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		rel, _ := filepath.Rel(folder, path)
		files[filepath.ToSlash(rel)] = string(body)
		return err
	})
	if err != nil {
		t.Fatalf("walk: %v", err)
	}
	return files
}

func names(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// The order is the guarantee; here it is, step by step.
func TestOrderOfSteps(t *testing.T) {
	var steps []string
	record := func(step, name string) error {
		// The hash in temporary names is of no interest here.
		if tempPattern.MatchString(name) {
			name = name[:len(name)-len(".0123456789abcdef.tmp")] + ".tmp"
		}
		steps = append(steps, step+" "+name)
		return nil
	}
	f := newTestFiles(t, t.TempDir(), "{environment}/{entity}/{export_id}.jsonl")
	f.trace = record
	check := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(steps, want) {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(steps, "\n"), strings.Join(want, "\n"))
		}
		steps = nil
	}

	mustLand(t, f, testExport("x"), 2, 1)
	check("first export",
		"sync folder .", "sync folder prod",
		"create .x.jsonl.tmp", "create .x.jsonl.bad-rows.tmp",
		"write .x.jsonl.tmp", "sync .x.jsonl.tmp",
		"write .x.jsonl.bad-rows.tmp", "sync .x.jsonl.bad-rows.tmp",
		"create .x.jsonl.manifest.json.tmp", "write .x.jsonl.manifest.json.tmp",
		"rename x.jsonl", "rename x.jsonl.bad-rows",
		"sync .x.jsonl.manifest.json.tmp", "sync folder .", "rename x.jsonl.manifest.json", "sync folder .")

	mustLand(t, f, testExport("y"), 0, 0)
	check("another one in a folder known to be durable",
		"create .y.jsonl.tmp", "sync .y.jsonl.tmp",
		"create .y.jsonl.manifest.json.tmp", "write .y.jsonl.manifest.json.tmp",
		"rename y.jsonl",
		"sync .y.jsonl.manifest.json.tmp", "sync folder .", "rename y.jsonl.manifest.json", "sync folder .")

	mustLand(t, f, testExport("x"), 2, 0)
	check("a repeat that says something else: its old manifest goes first",
		"create .x.jsonl.tmp", "write .x.jsonl.tmp", "sync .x.jsonl.tmp",
		"create .x.jsonl.manifest.json.tmp", "write .x.jsonl.manifest.json.tmp",
		"remove x.jsonl.manifest.json", "sync folder .",
		"rename x.jsonl", "remove x.jsonl.bad-rows",
		"sync .x.jsonl.manifest.json.tmp", "sync folder .", "rename x.jsonl.manifest.json", "sync folder .")

	f = newTestFiles(t, f.folder, "{environment}/{entity}/{export_id}.jsonl")
	f.trace = record
	mustLand(t, f, testExport("x"), 2, 0)
	check("the same again in a new process: nothing is withdrawn, folders are synced once more",
		"sync folder .", "sync folder prod",
		"create .x.jsonl.tmp", "write .x.jsonl.tmp", "sync .x.jsonl.tmp",
		"create .x.jsonl.manifest.json.tmp", "write .x.jsonl.manifest.json.tmp",
		"rename x.jsonl",
		"sync .x.jsonl.manifest.json.tmp", "sync folder .", "rename x.jsonl.manifest.json", "sync folder .")
}

// Each step fails once, as on a full disk, first in a fresh folder and then
// over an older version. Whatever remains, a manifest never lies, and a repeat
// in a new process ends like an undisturbed run.
func TestFailAtEachStep(t *testing.T) {
	const template = "{entity}/{export_id}.jsonl"
	undisturbed := t.TempDir()
	mustLand(t, newTestFiles(t, undisturbed, template), testExport("x"), 3, 1)
	want := tree(t, undisturbed)

	for _, older := range []bool{false, true} {
		for n := 1; ; n++ {
			folder := t.TempDir()
			if older {
				mustLand(t, newTestFiles(t, folder, template), testExport("x"), 9, 0)
			}
			f := newTestFiles(t, folder, template)
			at, calls := "", 0
			f.trace = func(step, name string) error {
				if calls++; calls < n {
					return nil
				} // the disk stays full: removing fails too, as after a kill
				if at == "" {
					at = step + " " + name
				}
				return syscall.ENOSPC
			}
			_, err := land(t, f, testExport("x"), 3, 1)
			if at == "" {
				if err != nil {
					t.Fatalf("undisturbed: %v", err)
				}
				if n < 10 {
					t.Fatalf("only %d steps", n)
				}
				break
			}
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), folder) {
				t.Errorf("%s: error %v, want ENOSPC with the path", at, err)
			}
			checkManifests(t, at, folder)

			restarted := newTestFiles(t, folder, template)
			if _, err := restarted.Sweep(t.Context(), here); err != nil {
				t.Errorf("%s: Sweep: %v", at, err)
			}
			for name := range tree(t, folder) {
				if tempPattern.MatchString(filepath.Base(name)) {
					t.Errorf("%s: Sweep left %s", at, name)
				}
			}
			mustLand(t, restarted, testExport("x"), 3, 1)
			if got := tree(t, folder); !maps.Equal(got, want) {
				t.Errorf("%s: after the repeat %v, undisturbed %v", at, names(got), names(want))
			}
		}
	}
}

// checkManifests compares each manifest below folder with its data file.
func checkManifests(t *testing.T, at, folder string) {
	t.Helper()
	files := tree(t, folder)
	for name := range files {
		data, ok := strings.CutSuffix(name, manifestSuffix)
		if !ok {
			continue
		}
		m, err := ReadManifest(filepath.Join(folder, name))
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		if got := sha256Hex(files[data]); got != m.SHA256 || int64(len(files[data])) != m.Bytes {
			t.Errorf("%s: %s tells of %d bytes with %s, there are %d with %s", at, name, m.Bytes, m.SHA256, len(files[data]), got)
		}
		if _, ok := files[data+badRowsSuffix]; ok != (m.BadRowsFile != "") {
			t.Errorf("%s: bad rows file there: %t, manifest names %q", at, ok, m.BadRowsFile)
		}
	}
}

func TestPathTaken(t *testing.T) {
	folder := t.TempDir()
	f := newTestFiles(t, folder, "{entity}.jsonl")
	first := mustLand(t, f, testExport("first"), 1, 0)
	before := tree(t, folder)

	_, err := land(t, f, testExport("second"), 2, 1)
	taken, ok := errors.AsType[*PathTakenError](err)
	if !ok || !errors.Is(err, ErrPathTaken) {
		t.Fatalf("second export: %v, want ErrPathTaken", err)
	}
	if taken.Owner != "first" || taken.Export != "second" || taken.Path != first.Path {
		t.Errorf("error tells %+v", taken)
	}
	if got := tree(t, folder); !maps.Equal(got, before) {
		t.Errorf("the refused export changed the folder: %v", names(got))
	}
	mustLand(t, f, testExport("first"), 5, 0) // its own export may replace it

	if err := os.WriteFile(first.ManifestPath, []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := land(t, f, testExport("first"), 1, 0); err == nil || !strings.Contains(err.Error(), "not a manifest") {
		t.Errorf("over a stranger's file: %v", err)
	}
}

// Two exports race for one path: one wins whole, the other is refused.
func TestPathTakenInARace(t *testing.T) {
	for range 20 {
		folder := t.TempDir()
		f := newTestFiles(t, folder, "{entity}.jsonl")
		results := make(chan error)
		for i, id := range []string{"one", "two"} {
			go func() {
				_, err := land(t, f, testExport(id), i+1, 0)
				results <- err
			}()
		}
		a, b := <-results, <-results
		if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), ErrPathTaken) {
			t.Fatalf("results %v and %v, want one ErrPathTaken", a, b)
		}
		checkManifests(t, "race", folder)
	}
}

// The temporary file is another process' file now: its rows stay hidden.
func TestTemporaryFileReplaced(t *testing.T) {
	folder := t.TempDir()
	ours, theirs := newTestFiles(t, folder, "{export_id}.jsonl"), newTestFiles(t, folder, "{export_id}.jsonl")
	w, err := ours.Begin(t.Context(), here, testExport("x"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := theirs.Begin(t.Context(), here, testExport("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), Facts{}); !errors.Is(err, ErrSuperseded) {
		t.Errorf("Commit: %v, want ErrSuperseded", err)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort: %v", err)
	}
	if _, err := other.Commit(t.Context(), Facts{}); err != nil {
		t.Errorf("the other process: %v", err)
	}
}

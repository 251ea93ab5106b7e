package outputstest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"finrelay/exporter/outputs"
)

// here is the id of the marker that places get in this suite.
const here = "here"

// place makes and marks an output's place; a second time changes nothing.
func place(t *testing.T, out outputs.Output) {
	t.Helper()
	if err := errors.Join(out.Make(t.Context()), out.Mark(t.Context(), outputs.Marker{Installation: "suite", ID: here})); err != nil {
		t.Fatalf("Make and Mark: %v", err)
	}
}

func look(t *testing.T, out outputs.Output, manifest, exportID string) outputs.Sight {
	t.Helper()
	s, err := out.Look(t.Context(), manifest, exportID)
	if err != nil {
		t.Fatalf("Look: %v", err)
	}
	return s
}

func testMarkedOnce(t *testing.T, open func(string) outputs.Output) {
	folder := filepath.Join(t.TempDir(), "deep", "place")
	out := open(folder)
	if s := look(t, out, "", ""); s.Absent == "" || s.Marker.ID != "" {
		t.Errorf("of a place that nobody made: %+v", s)
	}
	place(t, out)
	marked := everything(t, folder)
	if got := Visible(t, folder); len(got) != 0 {
		t.Errorf("a marker is visible: %v", keys(got))
	}
	place(t, open(folder))
	if err := out.Mark(t.Context(), outputs.Marker{Installation: "suite", ID: "another"}); !errors.Is(err, outputs.ErrMissing) {
		t.Errorf("a second marker: %v; want ErrMissing", err)
	}
	same(t, "marked again", everything(t, folder), marked)
	if s := look(t, out, "", ""); s.Absent != "" || s.Marker.ID != here || s.Marker.Installation != "suite" || s.Marker.Output != out.Name() {
		t.Errorf("of a marked place: %+v", s)
	}

	w := begin(t, out, export("landed"))
	write(t, w, 1, 0)
	r := commit(t, w, 1, 0)
	for _, c := range []struct {
		manifest, id string
		found        bool
	}{{r.ManifestPath, "landed", true}, {r.ManifestPath, "another", false}, {r.ManifestPath + "x", "landed", false}, {"", "", false}} {
		if s := look(t, out, c.manifest, c.id); s.Landed != c.found {
			t.Errorf("manifest %q of %s: found %t", c.manifest, c.id, s.Landed)
		}
	}
}

// touchNothing tries what writes, and wants all of it refused and the folder as
// it was: tree gives what is there, nil when there is no folder.
func touchNothing(t *testing.T, when string, out outputs.Output, marker string, tree func() map[string]string) {
	t.Helper()
	before := tree()
	if err := out.Check(t.Context(), marker); !errors.Is(err, outputs.ErrMissing) {
		t.Errorf("%s: Check: %v; want ErrMissing", when, err)
	}
	if w, err := out.Begin(t.Context(), marker, export("misplaced")); !errors.Is(err, outputs.ErrMissing) {
		t.Errorf("%s: Begin: %v; want ErrMissing", when, err)
		if err == nil {
			_ = w.Abort()
		}
	}
	if n, err := out.Sweep(t.Context(), marker); n != 0 || !errors.Is(err, outputs.ErrMissing) {
		t.Errorf("%s: Sweep: %d, %v; want ErrMissing", when, n, err)
	}
	after := tree()
	same(t, when, after, before)
	if (before == nil) != (after == nil) {
		t.Errorf("%s: the folder was made", when)
	}
}

func testWithoutMarker(t *testing.T, open func(string) outputs.Output) {
	folder := filepath.Join(t.TempDir(), "place")
	tree := func() map[string]string {
		if _, err := os.Lstat(folder); err != nil {
			return nil
		}
		return everything(t, folder)
	}
	out := open(folder)
	touchNothing(t, "a place that nobody made", out, here, tree)
	place(t, out)
	killed := begin(t, out, export("killed"))
	write(t, killed, 100_000, 0)
	t.Cleanup(func() { killed.Abort() }) // lets go of open files
	touchNothing(t, "another marker", out, "another", tree)

	away := folder + ".away"
	rename(t, folder, away)
	touchNothing(t, "the place is gone", open(folder), here, tree)
	touchNothing(t, "the place is gone, in the same process", out, here, tree)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	touchNothing(t, "an empty one stands there", open(folder), here, tree)
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	rename(t, away, folder)
	if n, err := open(folder).Sweep(t.Context(), here); n == 0 || err != nil {
		t.Errorf("Sweep of the place that is back: %d, %v; want what the killed attempt left", n, err)
	}
	w := begin(t, open(folder), export("killed"))
	write(t, w, 1, 0)
	commit(t, w, 1, 0)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func testGoneBeforeCommit(t *testing.T, open func(string) outputs.Output) {
	folder := filepath.Join(t.TempDir(), "place")
	out := open(folder)
	place(t, out)
	empty := everything(t, folder)
	w := begin(t, out, export("late"))
	write(t, w, 2, 1)
	away := folder + ".away"
	rename(t, folder, away)
	refuseCommit(t, w, 2, 1)
	if _, err := os.Lstat(folder); err == nil {
		t.Error("Commit made the folder")
	}
	same(t, "where the folder went", everything(t, away), empty)
	rename(t, away, folder)
	w = begin(t, out, export("late"))
	write(t, w, 2, 1)
	commit(t, w, 2, 1)
}

// testHiddenBeforeCommit: something else stands at the address at the time of
// the commit, as when the disk is mounted over the folder; even with a marker
// of the same id, which a copy has, it is not the folder of Begin.
func testHiddenBeforeCommit(t *testing.T, open func(string) outputs.Output) {
	for _, copied := range []bool{false, true} {
		folder := filepath.Join(t.TempDir(), "place")
		out := open(folder)
		place(t, out)
		w := begin(t, out, export("hidden"))
		write(t, w, 2, 0)
		rename(t, folder, folder+".below")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if copied {
			place(t, open(folder))
		}
		over := everything(t, folder)
		refuseCommit(t, w, 2, 0)
		same(t, "the folder above", everything(t, folder), over)
		if got := Visible(t, folder+".below"); len(got) != 0 {
			t.Errorf("visible where it was hidden: %v", keys(got))
		}
	}
}

func refuseCommit(t *testing.T, w outputs.Writer, good, bad int) {
	t.Helper()
	_, err := w.Commit(t.Context(), outputs.Facts{Rows: int64(good), BadRows: int64(bad)})
	if !errors.Is(err, outputs.ErrMissing) {
		t.Errorf("Commit: %v; want ErrMissing", err)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort: %v", err)
	}
}

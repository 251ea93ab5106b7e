package flows

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// Whose an unknown place is, by what the ledger knows and what is seen there.
func TestJudgePlace(t *testing.T) {
	ours, theirs := outputs.Marker{Output: "lake", Installation: "we", ID: "1"}, outputs.Marker{Output: "lake", Installation: "they", ID: "2"}
	landed := remembered{installation: "we", last: state.Manifest{ExportID: "ex_1", Path: "/srv/lake/x.manifest.json"}}
	fresh := remembered{installation: "we"}
	moved := remembered{installation: "we", places: []state.Place{{Output: "lake", Folder: "/mnt/lake", Marker: "2"}}}
	for _, c := range []struct {
		name string
		k    remembered
		s    outputs.Sight
		want placing
		says string
	}{
		{"nothing yet, no folder", fresh, outputs.Sight{Absent: "does not exist"}, makePlace, ""},
		{"nothing yet, a folder", fresh, outputs.Sight{}, makePlace, ""},
		{"beside our own outputs", fresh, outputs.Sight{Others: []outputs.Marker{{Output: "other", Installation: "we", ID: "3"}}}, makePlace, ""},
		{"beside another's outputs", fresh, outputs.Sight{Others: []outputs.Marker{{Output: "other", Installation: "we", ID: "3"}, {Output: "x", Installation: "they", ID: "4"}}}, refusePlace, "output x of another finrelay"},
		{"another's", fresh, outputs.Sight{Marker: theirs}, refusePlace, "another finrelay"},
		{"marked, not remembered", fresh, outputs.Sight{Marker: ours}, takePlace, ""},
		{"known from another folder", moved, outputs.Sight{Marker: theirs}, takePlace, ""},
		{"beside one that was adopted", moved, outputs.Sight{Others: []outputs.Marker{theirs}}, makePlace, ""},
		{"of a ledger that was lost", landed, outputs.Sight{Marker: theirs, Landed: true}, takePlace, "landed last"},
		{"from before markers", landed, outputs.Sight{Landed: true}, markPlace, "landed last"},
		{"from before markers, beside another's", landed, outputs.Sight{Landed: true, Others: []outputs.Marker{theirs}}, markPlace, ""},
		{"from before markers, gone", landed, outputs.Sight{Absent: "does not exist"}, refusePlace, "does not exist"},
		{"from before markers, not mounted", landed, outputs.Sight{}, refusePlace, "neither"},
	} {
		if do, why := judgePlace(c.k, c.s); do != c.want || !strings.Contains(why, c.says) {
			t.Errorf("%s: %d, %q; want %d, %q", c.name, do, why, c.want, c.says)
		}
	}
}

// untilMissing waits until n deliveries wait because the place is not there, and
// the last try of each has seen so.
func (w *rig) untilMissing(n int, seen string) {
	w.t.Helper()
	w.until("waiting for the place", func() bool {
		all, err := w.db.Exports(w.t.Context(), state.Filter{States: []state.State{state.Waiting}, Reason: state.ReasonOutputMissing, Limit: -1})
		return err == nil && len(all) == n && !slices.ContainsFunc(all, func(e state.Export) bool {
			d, err := w.db.Deliveries(w.t.Context(), e.ID)
			return err != nil || !strings.Contains(d[0].Detail, seen) || !d[0].DueAt.After(w.now())
		})
	})
}

func (w *rig) mv(from, to string) {
	w.t.Helper()
	if err := os.Rename(from, to); err != nil {
		w.t.Fatal(err)
	}
}

// around gives the names beside the output's folder: where nothing may land.
func (w *rig) around() []string {
	w.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(w.out))
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// The output's disk goes away while exports come and comes back: all of them
// wait, nothing is made or written where it was, and then each lands once.
func TestOutputGoesAwayAndComesBack(t *testing.T) {
	w := newRig(t)
	cfg := w.takesAll()
	w.run(cfg)
	receipts := []Receipt{}
	tables := map[string]sim.Table{}
	export := func(n int) {
		for range n {
			table := w.fo.SampleEntity("Customer groups", 3+len(receipts))
			r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Format: sim.CSVUTF8, Table: &table})
			receipts, tables[r.ShipmentID] = append(receipts, r), table
		}
	}
	export(1)
	w.settle()
	away := w.out + ".away"
	w.mv(w.out, away)
	export(3)
	w.untilMissing(3, "does not exist")
	if names := w.around(); !slices.Equal(names, []string{"out.away"}) {
		t.Fatalf("beside the folder there is %v", names)
	}

	// The bare mount point, and a start of the process over it.
	if err := os.Mkdir(w.out, 0o700); err != nil {
		t.Fatal(err)
	}
	export(2)
	w.run(cfg)
	w.advance(10 * time.Minute)
	w.untilMissing(5, "holds no such marker")
	w.untilLogged("leftovers not swept")
	if left, err := os.ReadDir(w.out); err != nil || len(left) > 0 {
		t.Fatalf("on the mount point: %v, %v", left, err)
	}
	e := w.only(receipts[1].ShipmentID)
	w.wantExport(e, state.Open, "", SafeHere)
	if next := w.where(e).Next; !strings.Contains(next, "finrelay output adopt files") {
		t.Errorf("what to do: %q", next)
	}
	waits, err := w.db.Waits(t.Context(), "")
	if err != nil || len(waits) != 1 || !strings.HasPrefix(waits[0].Detail, "not mounted? "+w.out+" holds no such marker; expected its marker .finrelay-output-files with id ") {
		t.Errorf("waits are %+v, %v", waits, err)
	}
	if res := w.retry("files"); len(res.Queued) > 0 || len(res.Refused) != 1 || !strings.HasPrefix(res.Refused[0].Refusal, waits[0].Detail+": mount its disk") {
		t.Errorf("retry gives %+v", res)
	}

	if err := os.Remove(w.out); err != nil {
		t.Fatal(err)
	}
	w.mv(away, w.out)
	if res := w.retry("files"); len(res.Queued)+res.Trying != 5 {
		t.Errorf("retry of what is back: %+v", res)
	}
	w.settle()
	for _, r := range receipts {
		e := w.only(r.ShipmentID)
		w.wantExport(e, state.Landed, "", LandedHere)
		w.wantRows(e, tables[r.ShipmentID])
	}
	if n := len(w.tree()); n != 2*len(receipts) {
		t.Errorf("%d files; want data and manifest of %d", n, len(receipts))
	}
	if names := w.around(); !slices.Equal(names, []string{"out"}) {
		t.Errorf("beside the folder there is %v", names)
	}
}

// The folder goes between Begin and Commit: nothing becomes visible in either
// place, and it lands when the folder is back.
func TestOutputGoesBeforeCommit(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	w.settle()
	before := w.tree()
	away := w.out + ".away"
	commit, moved := make(chan struct{}), make(chan struct{})
	w.onTrace(func(step string) {
		if step == "commit" {
			commit <- struct{}{}
			<-moved
		}
	})
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 4})
	<-commit
	w.onTrace(nil)
	w.mv(w.out, away)
	close(moved)
	w.untilMissing(1, "does not exist")
	if names := w.around(); !slices.Equal(names, []string{"out.away"}) {
		t.Errorf("beside the folder there is %v", names)
	}
	w.mv(away, w.out)
	if got := w.tree(); !maps.Equal(got, before) {
		t.Errorf("files are %v; want no trace of the refused commit", keys(got))
	}
	w.retry("files")
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

// lacksMarkers makes ledger and folder what a finrelay without markers left.
func (w *rig) lacksMarkers() {
	w.t.Helper()
	w.shut()
	w.sql(`DELETE FROM places`)
	if err := os.Remove(filepath.Join(w.out, ".finrelay-output-files")); err != nil {
		w.t.Fatal(err)
	}
}

// An output from before markers is taken once, where what landed last is in the
// folder; where it is not, nothing is written.
func TestOutputFromBeforeMarkers(t *testing.T) {
	w := newRig(t)
	cfg := w.takesAll()
	w.run(cfg)
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	w.settle()
	w.lacksMarkers()
	leftover := filepath.Join(w.out, ".x.jsonl.0123456789abcdef.tmp")
	if err := os.WriteFile(leftover, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.open(cfg)
	if stand := w.outputStands(); stand.Stands != PlaceThere || stand.Marker != "" {
		t.Errorf("before the start it stands %+v", stand)
	}
	w.start()
	w.until("leftovers swept", func() bool { _, err := os.Lstat(leftover); return err != nil })
	if stand := w.outputStands(); stand.Stands != PlaceThere || stand.Marker == "" {
		t.Errorf("after the start it stands %+v", stand)
	}
	w.lacksMarkers()
	w.mv(w.out, w.out+".away")
	w.run(cfg)
	if stand := w.outputStands(); stand.Stands != PlaceMissing {
		t.Errorf("unmounted it stands %+v", stand)
	}
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 4})
	w.untilMissing(1, "does not exist; expected "+w.out)
	if err := os.Mkdir(w.out, 0o700); err != nil {
		t.Fatal(err)
	}
	w.advance(10 * time.Minute)
	w.untilMissing(1, "holds neither a marker nor what landed there last; expected "+w.out)
	if left, err := os.ReadDir(w.out); err != nil || len(left) > 0 {
		t.Errorf("on the mount point: %v, %v", left, err)
	}
	if err := os.Remove(w.out); err != nil {
		t.Fatal(err)
	}
	w.mv(w.out+".away", w.out)
	w.retry("files")
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

func (w *rig) outputStands() OutputStand {
	w.t.Helper()
	all, err := w.relay.OutputStands(w.t.Context())
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

// mark puts a marker into the output's folder, as another process would.
func (w *rig) mark(m outputs.Marker) {
	w.t.Helper()
	out := w.files()
	if err := errors.Join(out.Make(w.t.Context()), out.Mark(w.t.Context(), m)); err != nil {
		w.t.Fatal(err)
	}
}

// A folder with the marker of another finrelay is not taken without a word. A
// ledger that is older than its own marker takes it, because the marker names it.
func TestMarkerThatTheLedgerDoesNotKnow(t *testing.T) {
	for _, ours := range []bool{true, false} {
		w := newRig(t)
		w.open(w.takesAll())
		m := outputs.Marker{Installation: "another", ID: "there-before"}
		if ours {
			id, err := w.db.Installation(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m.Installation = id
		}
		w.mark(m)
		w.start()
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
		if !ours {
			w.untilMissing(1, "holds the marker of another finrelay")
			if n := len(w.tree()); n != 0 {
				t.Errorf("%d files in another's folder", n)
			}
			a := w.adopt()
			if !a.Found || a.Marker != m.ID || a.Was != "" || len(a.Retry.Queued)+a.Retry.Trying != 1 {
				t.Errorf("adopted: %+v", a)
			}
		}
		w.settle()
		w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
		if stand := w.outputStands(); stand.Stands != PlaceThere || stand.Marker != m.ID {
			t.Errorf("it stands %+v", stand)
		}
	}
}

func (w *rig) adopt() Adoption {
	w.t.Helper()
	a, refusal, err := w.relay.AdoptOutput(w.t.Context(), "files", "eve", false)
	if err != nil || refusal != "" {
		w.t.Fatal(refusal, err)
	}
	return a
}

// A replaced disk is accepted by a person's word, who stands in the journal; the
// old disk is another place from then on.
func TestAdoptReplacedDisk(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	w.settle()
	old := w.outputStands().Marker
	w.mv(w.out, w.out+".old")
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 4})
	w.untilMissing(1, "does not exist")
	for name, want := range map[string]string{
		"files": w.out + " does not exist: mount its disk or make the folder, then finrelay output adopt files",
		"lake":  "no output is called lake; there are: files",
	} {
		if _, refusal, err := w.relay.AdoptOutput(t.Context(), name, "eve", false); err != nil || refusal != want {
			t.Errorf("%s: refused with %q, %v; want %q", name, refusal, err, want)
		}
	}
	if err := os.Mkdir(w.out, 0o700); err != nil {
		t.Fatal(err)
	}
	a := w.adopt()
	if a.Found || a.Was != old || a.Marker == old || len(a.Retry.Queued)+a.Retry.Trying != 1 {
		t.Errorf("adopted: %+v", a)
	}
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
	if n := len(w.tree()); n != 2 {
		t.Errorf("%d files on the new disk", n)
	}
	if again := w.adopt(); !again.Found || again.Was != a.Marker || again.Marker != a.Marker {
		t.Errorf("adopted again: %+v", again)
	}
	w.wantJournal("output files placed: " + w.out + " with marker " + a.Marker + ": adopted by eve")

	w.mv(w.out, w.out+".new")
	w.mv(w.out+".old", w.out)
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
	w.untilMissing(1, "holds the marker of another place, with id "+old)
}

func (w *rig) wantJournal(line string) {
	w.t.Helper()
	all, err := w.db.Journal(w.t.Context(), 0, 1<<30)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range all {
		if string(e.Kind)+" "+e.Subject+" "+string(e.To)+": "+e.Detail == line {
			return
		}
	}
	w.t.Errorf("the journal has no %q", line)
}

// Another folder in the configuration is a new place, named knowingly. A rerun
// moves from the old one; when that is not there, it is not held up, and says so.
func TestConfigurationNamesAnotherFolder(t *testing.T) {
	for _, gone := range []bool{false, true} {
		w := newRig(t)
		w.run(w.takesAll())
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
		w.settle()
		first := w.out
		before := w.tree()
		w.out = filepath.Join(t.TempDir(), "deep", "other")
		w.run(w.takesAll())
		if stand := w.outputStands(); stand.Stands != PlaceNew {
			t.Errorf("the new folder stands %+v", stand)
		}
		if gone {
			w.mv(first, first+".away")
			if err := os.Mkdir(first, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		e := w.only(receipt.ShipmentID)
		if _, err := w.relay.RerunIDs(t.Context(), []string{e.ID}, false, "eve"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		e = w.only(receipt.ShipmentID)
		w.wantExport(e, state.Landed, "", LandedHere)
		if got := w.tree(); !maps.Equal(got, before) {
			t.Errorf("gone %t: in the new folder are %v; want %v", gone, keys(got), keys(before))
		}
		w.out = first
		if gone {
			w.out += ".away"
		}
		if left := len(w.tree()); gone != (left == 2) || gone != strings.Contains(e.Notes, "which may still be there: not mounted? "+first) {
			t.Errorf("gone %t: %d files are left in the old folder, notes %q", gone, left, e.Notes)
		}
		// Back to the old one, which is known.
		if w.out = first; !gone {
			w.run(w.takesAll())
			if stand := w.outputStands(); stand.Stands != PlaceThere {
				t.Errorf("the old folder stands %+v", stand)
			}
		}
	}
}

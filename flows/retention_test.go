package flows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

func (w *rig) rawFiles() []string {
	w.t.Helper()
	files, err := os.ReadDir(filepath.Join(w.state, rawFolder))
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestTidyRemovesOnlyWhatNothingNeeds(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows = []Flow{{Name: "f", Entities: []string{"Units"}, Outputs: []string{"files"}}}
	cfg.RetainRaw = 24 * time.Hour
	cfg.RetainIdentities = 72 * time.Hour
	w.run(cfg)
	landed, event, _ := w.export(sim.ExportSpec{Entity: "Units", Rows: 2})
	parked, _, _ := w.export(sim.ExportSpec{Entity: "Vendors", Rows: 2})
	w.settle()
	tidy := func(d time.Duration) {
		t.Helper()
		w.advance(d)
		if err := w.relay.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tidy(23 * time.Hour)
	if n := len(w.rawFiles()); n != 2 {
		t.Fatalf("%d raw files before the retention time, want 2", n)
	}
	tidy(2 * time.Hour)
	if names := w.rawFiles(); len(names) != 1 || names[0] != parked.ShipmentID {
		t.Fatalf("raw files %v, want only that of the parked export", names)
	}
	e := w.only(landed.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)
	w.wantShipment(landed.ShipmentID, state.Settled, "", LandedHere)
	if done, err := w.relay.RerunIDs(t.Context(), []string{e.ID}, false, "me"); err != nil || done[0].Queued || !strings.Contains(done[0].Refusal, "finrelay skip "+e.ID) {
		t.Errorf("rerun without its raw file: %+v, %v", done, err)
	}
	if r := w.post(w.fo.Payload(event))[0]; !r.Duplicate {
		t.Error("its identity is still known")
	}

	// Identities go later, and never that of what stands on the list.
	tidy(73 * time.Hour)
	if _, err := w.db.Event(t.Context(), landed.EventID); err == nil {
		t.Error("a settled identity is kept beyond its time")
	}
	w.wantExport(w.only(parked.ShipmentID), state.Parked, state.ReasonNoFlow, SafeHere)

	// Skipped, its raw file goes after the retention time and not before.
	if _, err := w.relay.Skip(t.Context(), w.only(parked.ShipmentID).ID, "me", "not needed"); err != nil {
		t.Fatal(err)
	}
	tidy(23 * time.Hour)
	if n := len(w.rawFiles()); n != 1 {
		t.Errorf("%d raw files right after a skip: a person may have erred", n)
	}
	tidy(2 * time.Hour)
	if names := w.rawFiles(); len(names) != 0 {
		t.Errorf("raw files %v", names)
	}
}

func TestSweepAtStart(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows = nil
	w.run(cfg)
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Units", Rows: 2})
	w.settle()
	w.shut()
	in := func(name string) string { return filepath.Join(w.state, rawFolder, name) }
	write := func(name string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(in(name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(in(name), time.Now().Add(-age), time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	// What a ledger restored from an old copy does not know may be the only
	// copy there is: it stays as long as raw files stay.
	write("sh_0000000000000000", time.Hour)
	write("sh_1111111111111111", DefaultRetainRaw+time.Hour)
	write("sh_2222222222222222.part", time.Hour)
	write("notes.txt", time.Hour)
	if err := os.MkdirAll(in("folder/with"), 0o700); err != nil { // must not keep the server from starting
		t.Fatal(err)
	}
	w.run(cfg)
	w.untilLogged("without owner removed")
	want := map[string]bool{"sh_0000000000000000": true, receipt.ShipmentID: true, "folder": true, "notes.txt": true}
	for _, name := range w.rawFiles() {
		if !want[name] {
			t.Errorf("%s was left", name)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s was removed", name)
	}
}

// A stop that comes while the start still tidies up is no failure.
func TestStopAtOnce(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.open(w.takesAll())
	for range 20 {
		w.start()
		w.stop()
	}
}

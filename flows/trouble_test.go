package flows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// refuse makes the ledger refuse what a WHEN clause on a table's update says,
// as a full disk does, until allow is called.
func (w *rig) refuse(table, when string) (allow func()) {
	w.sql(`CREATE TRIGGER refuse BEFORE UPDATE ON ` + table + ` WHEN ` + when + ` BEGIN SELECT RAISE(ABORT, 'disk is full'); END`)
	return func() { w.sql(`DROP TRIGGER refuse`) }
}

// Work that is done but cannot be recorded for a moment must not be claimed
// for ever: nobody would look at it until the next start.
func TestLedgerThatRefusesForAMoment(t *testing.T) {
	for _, c := range []struct{ name, table, when string }{
		{"fetched", "shipments", "NEW.state = 'fetched' AND OLD.state = 'fetching'"},
		{"opened", "shipments", "NEW.opened_at IS NOT NULL AND OLD.opened_at IS NULL"},
		{"delivered", "deliveries", "NEW.state = 'delivered'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			w.run(w.takesAll())
			allow := w.refuse(c.table, c.when)
			receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
			w.untilLogged("disk is full")
			allow()
			w.settle()
			w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
			if n := len(w.fo.Requests()); n != 1 {
				t.Errorf("%d requests for one file", n)
			}
		})
	}
	t.Run("waits", func(t *testing.T) {
		t.Parallel()
		w := newRig(t)
		w.run(w.takesAll())
		allow := w.refuse("shipments", "NEW.state = 'expired'")
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Link: sim.LinkOptions{Life: -time.Minute}})
		w.untilLogged("disk is full")
		allow()
		w.settle()
		w.wantShipment(receipt.ShipmentID, state.Expired, state.ReasonLinkExpired, AtRisk)
	})
	t.Run("and a stop does not wait for it", func(t *testing.T) {
		t.Parallel()
		w := newRig(t)
		w.run(w.takesAll())
		allow := w.refuse("deliveries", "NEW.state = 'delivered'")
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
		w.untilLogged("disk is full")
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the stop took %v", took)
		}
		allow()
		w.start()
		w.settle()
		w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
	})
}

// untilLogged waits for a line of the log.
func (w *rig) untilLogged(text string) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(w.logged.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%q was not logged\n%s", text, w.picture())
		}
	}
}

// A raw file that cannot be read for the moment is tried again at a due time,
// not at once and for ever; and it goes on when it can be read.
func TestRawFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	away := filepath.Join(w.state, "away")
	moved := make(chan struct{})
	w.onTrace(func(step string) {
		if step == "fetched" {
			err := os.Rename(filepath.Join(w.state, rawFolder), away)
			if err == nil { // a file where the folder was: not gone, but not readable
				err = os.WriteFile(filepath.Join(w.state, rawFolder), nil, 0o600)
			}
			if err != nil {
				w.t.Error(err)
			}
			close(moved)
		}
	})
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
	<-moved
	w.onTrace(nil)
	w.untilLogged("not a directory")
	commits := w.db.Commits()
	time.Sleep(300 * time.Millisecond) // measured: that nothing happens
	if n := w.db.Commits() - commits; n > 2 {
		t.Errorf("%d commits in 300 ms about a file that cannot be read", n)
	}
	if err := os.Remove(filepath.Join(w.state, rawFolder)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, filepath.Join(w.state, rawFolder)); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

// A raw file that somebody removed does not come back by waiting: a person
// has to know.
func TestRawFileThatIsGone(t *testing.T) {
	t.Run("before it was opened", func(t *testing.T) {
		t.Parallel()
		w := newRig(t)
		w.run(w.takesAll())
		w.onTrace(func(step string) {
			if step == "fetched-recorded" || step == "fetched" {
				w.removeRaw()
			}
		})
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
		w.settle()
		if s := w.shipment(receipt.ShipmentID); s.State != state.Parked || !strings.Contains(s.Detail, "raw file") {
			t.Errorf("%+v", s)
		}
	})
	t.Run("before it was delivered", func(t *testing.T) {
		t.Parallel()
		w := newRig(t)
		w.run(w.takesAll())
		w.onTrace(func(step string) {
			if step == "open" {
				w.removeRaw()
			}
		})
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
		w.settle()
		if e := w.only(receipt.ShipmentID); e.State != state.Parked || !strings.Contains(e.Detail, "raw file") {
			t.Errorf("%+v", e)
		}
	})
}

func (w *rig) removeRaw() {
	if err := os.RemoveAll(filepath.Join(w.state, rawFolder)); err != nil {
		w.t.Error(err)
	}
	if err := os.MkdirAll(filepath.Join(w.state, rawFolder), 0o700); err != nil {
		w.t.Error(err)
	}
}

// An output that is away holds its exports; they land when it is back.
func TestOutputThatIsAway(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	if err := os.WriteFile(w.out, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	w.run(w.takesAll())
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
	w.until("waiting for the output", func() bool {
		for _, e := range w.exports(receipt.ShipmentID) {
			d, err := w.db.Deliveries(t.Context(), e.ID)
			return err == nil && d[0].State == state.Waiting
		}
		return false
	})
	e := w.only(receipt.ShipmentID)
	w.wantExport(e, state.Open, "", SafeHere)
	if at := w.where(e); !strings.Contains(at.Next, "tries again") || !strings.Contains(at.Next, Advice(state.ReasonOutput)) {
		t.Errorf("what to do: %q", at.Next)
	}
	if err := os.Remove(w.out); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Minute)
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

// A fault of ours on one file parks that one.
func TestPanicParks(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"fetch", "convert", "commit"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			w.run(w.takesAll())
			w.onTrace(func(s string) {
				if s == step {
					panic("poisonous file")
				}
			})
			receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
			w.settle()
			if s := w.shipment(receipt.ShipmentID); s.State == state.Settled {
				w.wantExport(w.only(s.ID), state.Parked, state.ReasonInternal, SafeHere)
			} else {
				w.wantShipment(s.ID, state.Parked, state.ReasonInternal, AtRisk)
			}
			w.onTrace(nil)
			if done, err := w.relay.RerunMatching(t.Context(), state.Filter{}, false, "me"); err != nil || len(done) != 1 || !done[0].Queued {
				t.Fatalf("rerun: %+v, %v", done, err)
			}
			w.settle()
			w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
		})
	}
}

func TestPathTaken(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	f, err := outputs.NewFiles(outputs.FilesOptions{Name: "files", Folder: w.out, Template: "{entity}.jsonl"})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Outputs["files"] = f
	w.run(cfg)
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
	w.settle()
	before := w.tree()
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 6})
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Parked, state.ReasonPathTaken, SafeHere)
	for path, data := range w.tree() {
		if before[path] != data {
			t.Errorf("%s was changed", path)
		}
	}
}

// What was routed to an output that a new configuration lost waits for it, and
// does not hold its export for ever: a person has it routed anew.
func TestOutputLeavesTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	if err := os.WriteFile(w.out, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
	w.until("waiting for the output", func() bool {
		all := w.exports(receipt.ShipmentID)
		if len(all) == 0 {
			return false
		}
		d, err := w.db.Deliveries(t.Context(), all[0].ID)
		return err == nil && d[0].State == state.Waiting
	})
	cfg := w.takesAll()
	cfg.Flows, cfg.Outputs = nil, nil
	w.run(cfg)
	w.advance(time.Minute)
	id := w.only(receipt.ShipmentID).ID
	w.until("waiting as for an output that is gone", func() bool {
		d, err := w.db.Deliveries(t.Context(), id)
		return err == nil && d[0].Reason == state.ReasonOutputRemoved
	})
	res, err := w.relay.RerunIDs(t.Context(), []string{id}, false, "eve")
	if err != nil || res[0].Queued || !strings.Contains(res[0].Refusal, "no flow takes it") {
		t.Errorf("rerun: %+v, %v", res, err)
	}
	w.wantExport(w.only(receipt.ShipmentID), state.Parked, state.ReasonNoFlow, SafeHere)
}

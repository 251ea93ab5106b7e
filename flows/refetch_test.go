package flows

import (
	"os"
	"strings"
	"testing"

	"finrelay/dmf"
	"finrelay/dmf/sim"
	"finrelay/state"
)

// spoil flips the raw file of a shipment into something that cannot be read.
func (w *rig) spoil(shipmentID string) {
	w.t.Helper()
	if err := os.WriteFile(w.relay.inFolder(rawFile(shipmentID)), []byte("PK\x03\x04 and nothing of the sort"), 0o600); err != nil {
		w.t.Error(err)
	}
}

// A raw file that the disk spoils between download and opening is fetched again
// while its link lives, and lands. A disk that spoils each copy is not served
// for ever: then a person is told.
func TestSpoiledRawFileIsFetchedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		times int
		want  state.State
	}{{"once", 1, state.Settled}, {"each time", 99, state.Parked}} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg := w.takesAll()
			w.open(cfg)
			table := w.fo.SampleEntity("Customer groups", 5)
			r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &table})
			left := c.times
			w.onTrace(func(step string) {
				if step == "fetched" && left > 0 {
					left--
					w.spoil(r.ShipmentID)
				}
			})
			w.start()
			w.until("at rest", func() bool { s := w.shipment(r.ShipmentID); return s.State == c.want })
			w.settle()
			w.wantStory(r.ShipmentID, "shipment pending raw_damaged the raw file is damaged: it was fetched with")
			if c.want == state.Parked {
				if n := strings.Count(w.story(r.ShipmentID), "raw_damaged"); n != mostRefetches {
					t.Errorf("fetched again %d times; want %d", n, mostRefetches)
				}
				return
			}
			w.wantExport(w.only(r.ShipmentID), state.Landed, "", LandedHere)
			w.wantRows(w.only(r.ShipmentID), table)
			if _, err := os.Stat(w.relay.inFolder(rawFile(r.ShipmentID) + asideSuffix)); err != nil {
				t.Errorf("the damaged file is not kept: %v", err)
			}
		})
	}
}

// A raw file that is spoiled between opening and landing: the export is parked
// for that reason, whatever was read in it, and rerun has it fetched again.
func TestRawFileSpoiledBeforeLanding(t *testing.T) {
	w := newRig(t)
	w.run(w.signedIn(dmf.MethodV1))
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}}})
	run := w.fo.RunProject("Nightly", "usmf")
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", ExecutionID: run.ID})
	e.DownloadURL = w.fo.Link(run.Blob, sim.LinkOptions{})
	spoiled := false
	w.onTrace(func(step string) {
		if all, err := w.db.Shipments(t.Context(), state.Filter{}); step == "open" && err == nil && !spoiled {
			spoiled = true
			w.spoil(all[0].ID)
		}
	})
	r := w.post(w.fo.Payload(e))[0]
	w.settle()
	w.wantExport(w.only(r.ShipmentID), state.Parked, state.ReasonRawDamaged, AtRisk)
	if res, err := w.relay.RerunIDs(t.Context(), []string{r.ShipmentID}, false, "eve"); err != nil || len(res) != 1 || !res[0].Queued {
		t.Fatalf("rerun gave %+v, %v", res, err)
	}
	w.untilPassing("landed", func() bool { return w.shipment(r.ShipmentID).State == state.Settled })
	w.settle()
	w.wantExport(w.only(r.ShipmentID), state.Landed, "", LandedHere)
	w.wantRows(w.only(r.ShipmentID), run.Tables[0])
}

// A parked export whose raw file was spoiled since: rerun has it fetched again,
// on the ladder, since its link was forgotten; the exports of its shipment that
// landed stay as they are.
func TestRerunOfASpoiledRawFile(t *testing.T) {
	for _, gone := range []bool{false, true} {
		w := newRig(t)
		cfg := w.signedIn(dmf.MethodV1)
		cfg.Flows[0].Entities = []string{"Vendor groups"}
		w.run(cfg)
		w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}}})
		run := w.fo.RunProject("Nightly", "usmf")
		r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &run.Tables[0], ExecutionID: run.ID})
		w.settle()
		parked := w.only(r.ShipmentID)
		w.wantExport(parked, state.Parked, state.ReasonNoFlow, SafeHere)
		w.spoil(r.ShipmentID)
		if gone {
			if err := os.Remove(w.relay.inFolder(rawFile(r.ShipmentID))); err != nil {
				t.Fatal(err)
			}
		}
		cfg.Flows[0].Entities = nil
		cfg.Outputs["files"] = w.files()
		w.run(cfg)
		for _, dry := range []bool{true, false} {
			res, err := w.relay.RerunIDs(t.Context(), []string{parked.ID}, dry, "eve")
			if err != nil || len(res) != 1 || !res[0].Queued {
				t.Fatalf("rerun (dry %t) gave %+v, %v", dry, res, err)
			}
			if dry && w.shipment(r.ShipmentID).State != state.Settled {
				t.Fatal("a dry run moved the shipment")
			}
		}
		w.untilPassing("landed", func() bool { return w.shipment(r.ShipmentID).State == state.Settled })
		w.settle()
		w.wantStory(r.ShipmentID, "shipment expired raw_damaged by eve; the raw file is", "FinOps gave a fresh link")
		landed, rows := 0, 0
		for _, e := range w.exports(r.ShipmentID) {
			if e.State == state.Landed {
				landed, rows = landed+1, len(w.rows(e))
			}
		}
		if landed != 1 || rows != 9 || len(w.tree()) != 2 {
			t.Errorf("%d exports landed with %d rows, %d files; want 1, 9 and 2\n%s", landed, rows, len(w.tree()), w.picture())
		}
		if s, err := w.db.Status(t.Context(), ""); err != nil || s.NeedPerson != 0 {
			t.Errorf("%d still need a person, %v", s.NeedPerson, err)
		}
	}
}

// A parked shipment, which has its link still, is fetched by that.
func TestRerunOfASpoiledShipment(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 4})
	reached := make(chan string, 1)
	var id string
	w.onTrace(func(step string) {
		if step == "fetched-recorded" {
			reached <- step
		}
	})
	id = w.post(w.fo.Payload(e))[0].ShipmentID
	<-reached
	w.settle()
	w.stop()
	// As if its opening had been interrupted three times.
	w.sql(`DELETE FROM deliveries; DELETE FROM exports; DELETE FROM journal WHERE kind IN ('export', 'delivery')`)
	w.sql(`UPDATE shipments SET state = 'parked', reason = 'interrupted', opened_at = NULL, settled_at = NULL`)
	w.sql(`INSERT INTO links (seq, url) SELECT seq, '` + e.DownloadURL + `' FROM shipments`)
	w.spoil(id)
	w.onTrace(nil)
	w.start()
	if res, err := w.relay.RerunIDs(t.Context(), []string{id}, false, "eve"); err != nil || !res[0].Queued {
		t.Fatalf("rerun gave %+v, %v", res, err)
	}
	w.until("landed", func() bool { return w.shipment(id).State == state.Settled })
	w.wantExport(w.only(id), state.Landed, "", LandedHere)
	w.wantStory(id, "shipment pending raw_damaged by eve; the raw file is damaged")
}

// A stop between the steps of a refetch leaves nothing half: the file that was
// put aside is never taken for a download, and the rows land once.
func TestStopWhileARawFileIsPutAside(t *testing.T) {
	w := newRig(t)
	cfg := w.signedIn(dmf.MethodV1)
	cfg.Flows[0].Entities = []string{"Vendor groups"}
	w.run(cfg)
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}}})
	run := w.fo.RunProject("Nightly", "usmf")
	r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &run.Tables[0], ExecutionID: run.ID})
	w.settle()
	parked := w.only(r.ShipmentID)
	w.spoil(r.ShipmentID)
	// Killed after the file was put aside and before the ledger knew.
	if err := w.relay.setAside(w.shipment(r.ShipmentID)); err != nil {
		t.Fatal(err)
	}
	cfg.Flows[0].Entities = nil
	cfg.Outputs["files"] = w.files()
	w.run(cfg)
	if at := w.where(parked); at.Place != AtRisk || !strings.Contains(at.Next, "finrelay rerun "+parked.ID) {
		t.Errorf("rows are %s, next %q", at.Place, at.Next)
	}
	if res, err := w.relay.RerunIDs(t.Context(), []string{parked.ID}, false, "eve"); err != nil || !res[0].Queued {
		t.Fatalf("rerun gave %+v, %v", res, err)
	}
	w.untilPassing("landed", func() bool { return w.shipment(r.ShipmentID).State == state.Settled })
	w.settle()
	w.wantStory(r.ShipmentID, "the raw file is gone")
	if n := len(w.tree()); n != 2 {
		t.Errorf("%d files, want data and manifest", n)
	}
}

package flows

import (
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// A mended output is tried as soon as a person says so, not when its turn
// comes; what there is nothing to try for is said.
func TestRetryNow(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	out := &downOutput{Output: w.files()}
	cfg.Outputs["files"] = out
	w.run(cfg)
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	waitsAfter := func(attempts int) {
		w.until("waiting", func() bool {
			for _, e := range w.exportsOf(receipt.ShipmentID) {
				all, err := w.db.Deliveries(t.Context(), e.ID)
				return err == nil && all[0].State == state.Waiting && all[0].Attempts >= attempts && all[0].DueAt.After(w.now())
			}
			return false
		})
	}
	for n := range 3 { // the fourth wait is longer than this test takes
		waitsAfter(n + 1)
		w.retry("files")
	}
	waitsAfter(4)
	out.back.Store(true)
	if res := w.retry("files"); len(res.Queued) != 1 || res.Queued[0].Output != "files" || res.Queued[0].Entity != "Customer groups" {
		t.Errorf("%+v; want the one export", res)
	}
	w.settle()
	e := w.only(receipt.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)

	for target, want := range map[string]string{
		e.ID:               "it is landed and waits for no try; finrelay rerun " + e.ID,
		receipt.ShipmentID: "it is settled and waits for no try; finrelay rerun " + receipt.ShipmentID,
		receipt.EventID:    "it is settled and waits",
		"lake":             "there are: environment prod, output files",
		"ex_nothing":       "not in the ledger",
	} {
		if res := w.retry(target); len(res.Queued)+res.Trying != 0 || len(res.Refused) != 1 || !strings.Contains(res.Refused[0].Refusal, want) {
			t.Errorf("%s: %+v; want %q", target, res, want)
		}
	}
	if res := w.retry(); len(res.Queued)+res.Trying+len(res.Refused) != 0 {
		t.Errorf("all: %+v; want nothing", res)
	}
}

func (w *rig) exportsOf(shipmentID string) []state.Export {
	w.t.Helper()
	all, err := w.db.Exports(w.t.Context(), state.Filter{ShipmentID: shipmentID})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *rig) retry(targets ...string) Retry {
	w.t.Helper()
	res, err := w.relay.RetryNow(w.t.Context(), targets, "eve", false)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

// rerun of what only waits is the same wish.
func TestRerunOfWhatWaits(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	out := &downOutput{Output: w.files()}
	cfg.Outputs["files"] = out
	w.run(cfg)
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	w.until("waiting", func() bool {
		all, err := w.db.Exports(t.Context(), state.Filter{States: []state.State{state.Waiting}, Reason: state.ReasonOutput})
		return err == nil && len(all) == 1
	})
	w.stop()
	out.back.Store(true)
	id := w.only(receipt.ShipmentID).ID
	for _, dry := range []bool{true, false} {
		res, err := w.relay.RerunMatching(t.Context(), state.Filter{States: []state.State{state.Waiting}}, dry, "eve")
		if err != nil || len(res) != 1 || !res[0].Queued || res[0].ID != id || res[0].Was != state.Waiting || res[0].Reason != state.ReasonOutput {
			t.Errorf("dry %t: %+v, %v", dry, res, err)
		}
	}
	if all, err := w.db.Waits(t.Context(), ""); err != nil || len(all) != 1 || all[0].NextTry.After(w.now()) {
		t.Errorf("%+v, %v; want it due", all, err)
	}
	w.start()
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

package flows

import (
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// What a person skips with flags is what stands still and is meant by them: of
// runs those with the reason, and nothing for which a fresh link is on its way.
func TestSkipByFilter(t *testing.T) {
	w := newRig(t)
	cfg := w.runs(sim.ExecutionScript{Refuse: "Entity Nosuch does not exist"})
	cfg.Flows[0].Entities = []string{"Units"}
	w.fo.Fault(sim.Fault{Route: sim.RouteURL, Times: sim.Always, Status: 503}) // nobody knows yet whether there is a fresh link
	w.run(cfg)
	run := w.ask("usmf")[0]
	w.untilExecution(run, state.Failed)
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 2})
	w.export(sim.ExportSpec{Entity: "Customers V3", Rows: 2})
	w.export(sim.ExportSpec{Entity: "Units", Rows: 2})
	w.post([]byte("nonsense"))
	renewing, _, _ := w.export(sim.ExportSpec{Entity: "Vendors", ExecutionID: "run-1", DefinitionGroup: "Other", Link: sim.LinkOptions{Life: -time.Minute}})
	w.until("all stands", func() bool {
		st, err := w.db.Status(t.Context(), "")
		return err == nil && st.NeedPerson == 4 && w.shipment(renewing.ShipmentID).State == state.Expired
	})
	skip := func(f state.Filter, dry bool, want int) {
		t.Helper()
		got, err := w.relay.SkipMatching(t.Context(), f, dry, "me", "not needed")
		if err != nil || len(got) != want {
			t.Fatalf("%+v finds %+v, %v; want %d", f, got, err, want)
		}
		for _, s := range got {
			if !s.Skipped || s.ID == renewing.ShipmentID {
				t.Errorf("%+v of %+v", s, f)
			}
		}
	}
	skip(state.Filter{}, true, 4) // two exports, the event, the run
	skip(state.Filter{Entity: "customer*"}, true, 2)
	skip(state.Filter{Reason: state.ReasonNotStarted}, true, 1)
	skip(state.Filter{Reason: state.ReasonLinkExpired}, true, 0)
	skip(state.Filter{Since: w.db.Now().Add(time.Hour)}, true, 0)
	skip(state.Filter{Environment: "uat"}, true, 0)
	if x := w.execution(run); x.State != state.Failed {
		t.Errorf("a dry run made it %s", x.State)
	}
	skip(state.Filter{Reason: state.ReasonNoFlow, Entity: "CUSTOMER GROUPS"}, false, 1)
	skip(state.Filter{Reason: state.ReasonNoFlow}, false, 1)
	skip(state.Filter{}, false, 2)
	if x := w.execution(run); x.State != state.Skipped {
		t.Errorf("the run is %s", x.State)
	}
}

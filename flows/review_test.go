package flows

import (
	"sync"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// The link to the package of an own run dies before it is fetched: the fresh
// link brings all of its entities, since no events bring them.
func TestExpiredPackageOfOwnRunIsRenewedWhole(t *testing.T) {
	w := newRig(t)
	w.run(w.runs(sim.ExecutionScript{}))
	w.fo.Fault(sim.Fault{Route: sim.RouteBlob, Status: 403, Code: "AuthenticationFailed", Message: "Signature not valid in the specified time frame", Times: 1})
	x := w.untilExecution(w.ask("usmf")[0], state.Done)
	w.untilPassing("at rest", func() bool { s := w.shipment(x.ShipmentID); return s.State == state.Settled })
	for _, e := range w.exports(x.ShipmentID) {
		w.wantExport(e, state.Landed, "", LandedHere)
	}
	if n := len(w.exports(x.ShipmentID)); n != 2 {
		t.Errorf("%d exports, want 2", n)
	}
	w.wantStory(x.ShipmentID, "fresh link")
}

// A start whose answer was lost after minutes: FinOps may not know the
// execution yet, and one such answer starts no second run.
func TestStartThatTookLong(t *testing.T) {
	w := newRig(t)
	cfg := w.runs(sim.ExecutionScript{Statuses: sim.Polls(3, 0, 1, sim.StatusSucceeded)})
	w.fo.Fault(sim.Fault{Route: sim.RouteExport, Lost: true})
	late := sync.OnceFunc(func() { w.pass(9 * time.Minute) })
	w.onTrace(func(step string) {
		if step == "called" {
			late()
		}
	})
	w.run(cfg)
	w.untilExecution(w.ask("usmf")[0], state.Done)
	if n := w.countRoute("export"); n != 1 {
		t.Errorf("FinOps was asked %d times to start one execution", n)
	}
}

// A status that says nothing for a moment ends no run, however old the run is.
func TestUnknownForAMoment(t *testing.T) {
	for _, doubt := range []string{sim.StatusUnknown, sim.StatusNotFound} {
		w := newRig(t)
		w.run(w.runs(sim.ExecutionScript{Statuses: []string{sim.StatusExecuting, sim.StatusExecuting, sim.StatusExecuting, sim.StatusExecuting,
			sim.StatusExecuting, sim.StatusExecuting, doubt, sim.StatusExecuting, sim.StatusSucceeded}, Lasts: time.Hour}))
		id := w.ask("usmf")[0]
		w.untilPassing("executing", func() bool { return w.execution(id).Status == sim.StatusExecuting })
		w.pass(40 * time.Minute)
		w.untilPassing("ended", func() bool { x := w.execution(id); return !x.EndedAt.IsZero() })
		if x := w.execution(id); x.State != state.Done {
			t.Errorf("after one %q it is %s: %s", doubt, x.State, x.Detail)
		}
	}
}

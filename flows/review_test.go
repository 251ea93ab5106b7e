package flows

import (
	"testing"

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

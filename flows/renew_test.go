package flows

import (
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// execution runs a data project of two entities in the simulator and posts the
// event of one of them, whose link is dead already.
func (w *rig) expiredOf(executionID string) (Receipt, sim.Execution) {
	w.t.Helper()
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{
		{Label: "Customer groups", Rows: 9}, {Label: "Vendor groups", Rows: 4},
	}})
	run := w.fo.RunProject("Nightly", "usmf")
	if executionID == "" {
		executionID = run.ID
	}
	e, _ := w.fo.Export(sim.ExportSpec{
		Entity: "Customer groups", LegalEntity: "usmf", Format: sim.CSVUTF8, Rows: 9,
		ExecutionID: executionID, Link: sim.LinkOptions{Life: -time.Minute},
	})
	return w.post(w.fo.Payload(e))[0], run
}

// An expired link whose event names the execution comes back by itself: FinOps
// gives a fresh link to the package, and only this event's entity is taken
// from it. No execution is started.
func TestExpiredLinkIsRenewed(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, _ := w.polls(BacklogLand)
	w.run(cfg)
	receipt, run := w.expiredOf("")
	w.untilPassing("landed", func() bool { return w.shipment(receipt.ShipmentID).State == state.Settled })
	e := w.only(receipt.ShipmentID)
	w.wantExport(e, state.Landed, "", LandedHere)
	if e.Entity != "Customer groups" || e.Rows != int64(len(run.Tables[0].Rows)) {
		t.Errorf("landed %d rows of %q; want %d of Customer groups", e.Rows, e.Entity, len(run.Tables[0].Rows))
	}
	if n := w.countRoute("export"); n != 0 {
		t.Errorf("%d executions were started; an incremental one would hide the loss", n)
	}
	story, err := w.db.Story(t.Context(), receipt.ShipmentID)
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, s := range story {
		told = told || s.Reason == state.ReasonFreshLink && strings.Contains(s.Detail, run.ID)
	}
	if !told {
		t.Errorf("the story does not say where the fresh link came from: %+v", story)
	}
}

// What cannot be renewed stands on the list, says so, and does not turn green:
// an incremental project's rows do not come again by themselves.
func TestNoFreshLink(t *testing.T) {
	t.Parallel()
	t.Run("execution unknown", func(t *testing.T) {
		w := newRig(t)
		cfg, _ := w.polls(BacklogLand)
		w.run(cfg)
		receipt, _ := w.expiredOf("Nightly-of-another-life")
		w.wantNoFreshLink(receipt, "were not found")
	})
	t.Run("no sign-in", func(t *testing.T) {
		w := newRig(t)
		w.run(w.takesAll())
		receipt, _ := w.expiredOf("")
		w.wantNoFreshLink(receipt, "no url and sign_in")
	})
	t.Run("package gone", func(t *testing.T) {
		w := newRig(t)
		cfg, _ := w.polls(BacklogLand)
		w.run(cfg)
		w.fo.Fault(sim.Fault{Route: sim.RouteURL, Status: 400, Message: "gone for good", Times: sim.Always})
		receipt, _ := w.expiredOf("")
		w.wantNoFreshLink(receipt, "gone for good")
	})
}

func (w *rig) wantNoFreshLink(receipt Receipt, why string) {
	w.t.Helper()
	w.untilPassing("given up", func() bool {
		s := w.shipment(receipt.ShipmentID)
		return s.State == state.Expired && s.RenewAt.IsZero()
	})
	s := w.wantShipment(receipt.ShipmentID, state.Expired, state.ReasonLinkExpired, AtRisk)
	if next := w.relay.ShipmentWhereabouts(s).Next; !strings.Contains(next, "full push") {
		w.t.Errorf("advice is %q; want the full push named", next)
	}
	story, err := w.db.Story(w.t.Context(), s.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	told := false
	for _, e := range story {
		told = told || e.Reason == state.ReasonNoFreshLink && strings.Contains(e.Detail, why)
	}
	if !told {
		w.t.Errorf("the story does not say %q: %+v", why, story)
	}
	if st, err := w.db.Status(w.t.Context(), ""); err != nil || st.NeedPerson != 1 || st.OnTheWay != 0 {
		w.t.Errorf("status %+v, %v; want one that needs a person", st, err)
	}
	if n := w.countRoute("export"); n != 0 {
		w.t.Errorf("%d executions were started", n)
	}
}

// A server that calls each fresh link expired is not asked for ever; a person
// may open the ladder again.
func TestRenewalIsBounded(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, _ := w.polls(BacklogLand)
	w.run(cfg)
	w.fo.Fault(sim.Fault{Route: "blob", Times: sim.Always, Status: 403, Code: "AuthenticationFailed",
		Detail: "Signature not valid in the specified time frame: Start [Mon, 02 Mar 2026 09:10:42 GMT] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 10:20:00 GMT]"})
	receipt, run := w.expiredOf("")
	w.untilPassing("given up", func() bool {
		s := w.shipment(receipt.ShipmentID)
		return s.State == state.Expired && s.RenewAt.IsZero() && s.Renewals >= state.MaxRenewals
	})
	if n := w.countRoute(sim.RouteURL); n > state.MaxRenewals+1 {
		t.Errorf("asked %d times for a link", n)
	}
	w.fo.ClearFaults()
	if _, err := w.relay.RerunIDs(t.Context(), []string{receipt.ShipmentID}, false, "eve"); err != nil {
		t.Fatal(err)
	}
	w.untilPassing("landed", func() bool { return w.shipment(receipt.ShipmentID).State == state.Settled })
	if e := w.only(receipt.ShipmentID); e.Rows != int64(len(run.Tables[0].Rows)) {
		t.Errorf("landed %d rows", e.Rows)
	}
}

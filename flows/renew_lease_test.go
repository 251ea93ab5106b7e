package flows

import (
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// A queue that takes ten minutes to drain for a dead link: no second worker
// takes the shipment, though its lease is two minutes.
func TestLongDrainForADeadLink(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, _ := w.withEvents()
	w.run(cfg)
	w.fo.Fault(sim.Fault{Route: sim.RouteURL, Status: 400, Message: "gone for good", Times: sim.Always})
	in, out := make(chan struct{}, 99), make(chan struct{})
	w.onTrace(func(step string) {
		if step == "dequeue" {
			in <- struct{}{}
			<-out
		}
	})
	receipt, _ := w.expiredOfQueued()
	select {
	case <-in:
	case <-time.After(15 * time.Second):
		t.Fatal("the queue is not drained\n" + w.picture())
	}
	for range 10 {
		w.pass(time.Minute)
		time.Sleep(5 * time.Millisecond) // a worker that would take it has looked
	}
	w.pass(time.Second)
	s := w.shipment(receipt.ShipmentID)
	if s.Rung != state.RungQueue || s.Renewals != 1 {
		t.Errorf("rung %s, %d attempts; want the queue, and one", s.Rung, s.Renewals)
	}
	if story := w.story(s.ID); strings.Contains(story, ErrPolling.Error()) {
		t.Errorf("a second worker took it:\n%s", story)
	}
	close(out)
	w.until("closed", func() bool { return w.shipment(receipt.ShipmentID).State == state.Settled })
	w.settle()
	w.wantShipment(receipt.ShipmentID, state.Settled, state.ReasonSameExport, SameElsewhere)
}

// While work goes on its claim is kept, by the ledger's own clock.
func TestClaimIsKept(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.takesAll())
	receipt, _ := w.expiredOf("")
	w.until("given up", func() bool {
		s := w.shipment(receipt.ShipmentID)
		return s.State == state.Expired && s.RenewAt.IsZero()
	})
	w.stop()
	w.sql(`UPDATE shipments SET renew_at = 1 WHERE id = '` + receipt.ShipmentID + `'`)
	if claimed, err := w.db.ClaimRenewals(t.Context(), 1); err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	until := w.shipment(receipt.ShipmentID).RenewAt
	w.ahead.Add(int64(time.Minute))
	stop := w.relay.keepClaim(t.Context(), receipt.ShipmentID, time.Millisecond)
	w.until("kept", func() bool { return w.shipment(receipt.ShipmentID).RenewAt.After(until.Add(50 * time.Second)) })
	stop()
	until = w.shipment(receipt.ShipmentID).RenewAt
	w.ahead.Add(int64(time.Minute))
	time.Sleep(10 * time.Millisecond)
	if now := w.shipment(receipt.ShipmentID).RenewAt; !now.Equal(until) {
		t.Errorf("kept until %v after the work had ended; want %v", now, until)
	}
}

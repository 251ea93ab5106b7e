package state

import (
	"testing"
	"time"
)

// An event that carried no link is no original of the same one with its link
// found; one that a person has skipped, or that was a test, is.
func TestRepeatWithItsLinkFound(t *testing.T) {
	for name, c := range map[string]struct {
		was   Arrival
		skip  bool
		taken bool
	}{
		"unreadable":             {was: unreadable("a"), taken: true},
		"ignored without a link": {was: Arrival{State: Ignored, Reason: ReasonNoLink}, taken: true},
		"skipped":                {was: unreadable("a"), skip: true},
		"an endpoint test":       {was: Arrival{State: Ignored, Reason: ReasonEndpointTest}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			c.was.Environment, c.was.Identity = "prod", "a"
			first := l.accept(c.was)[0]
			if c.skip {
				l.must(l.Skip(bg, first.EventID, "eve", ""))
			}
			l.pass(time.Minute)
			again := arrival("a")
			r := l.accept(again)[0]
			if r.EventID != first.EventID || r.Duplicate == c.taken || (r.ShipmentID != "") != c.taken {
				t.Fatalf("%+v", r)
			}
			if !c.taken {
				return
			}
			e, err := l.Event(bg, r.EventID)
			l.must(err)
			if e.State != Accepted || e.ShipmentID != r.ShipmentID || e.Entity != again.Entity || e.Timeless || !e.EventAt.Equal(again.EventAt) || e.Duplicates != 1 {
				t.Errorf("%+v", e)
			}
			if s := l.shipment(r.ShipmentID); s.State != Pending || s.EventID != e.ID || l.link(s.ID) != again.Shipment.Link {
				t.Errorf("%+v", s)
			}
			if third := l.accept(arrival("a"))[0]; !third.Duplicate || third.ShipmentID != r.ShipmentID {
				t.Errorf("a third time: %+v", third)
			}
			checkInvariants(t, l.DB, "the repeat")
		})
	}
}

// What is read in a body and has no link of its own goes on the list beside it.
func TestRereadLeavesAnotherOnTheList(t *testing.T) {
	l := newLedger(t)
	whole := l.accept(unreadable("whole"))[0]
	linkless := unreadable("no-link:1")
	linkless.Reason, linkless.Entity = ReasonNoLinkFound, "Units"
	receipts, err := l.Reread(bg, whole.EventID, []Arrival{linkless, arrival("b")})
	l.must(err)
	e, err := l.Event(bg, receipts[0].EventID)
	if err != nil || e.State != Unreadable || e.Reason != ReasonNoLinkFound {
		t.Errorf("beside it: %+v, %v", e, err)
	}
	if e, err = l.Event(bg, whole.EventID); err != nil || e.State != Accepted || e.ShipmentID != receipts[1].ShipmentID {
		t.Errorf("the body: %+v, %v", e, err)
	}
	checkInvariants(t, l.DB, "reread")
}

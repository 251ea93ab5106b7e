package state

import (
	"testing"
	"time"
)

func init() {
	transitions["refetch"] = func(l *ledger, s subject) error { return l.Refetch(bg, s.shipment, "it is damaged") }
}

// A damaged raw file is fetched again, by its link or without one by the
// ladder. What is parked goes on with the new file, what landed stays.
func TestRefetch(t *testing.T) {
	l := newLedger(t)
	id := l.fetched("a")
	l.must(l.Opened(bg, id, "", []NewExport{newExport("good", "out"), newExport("bad", "out")}))
	l.running()
	l.running()
	good, bad := ExportID(id, "good"), ExportID(id, "bad")
	l.deliver(good, "out", 1)
	l.must(l.ParkDelivery(bg, DeliveryKey{bad, "out"}, ReasonMalformed, "it breaks off", Counts{}))
	l.must(l.Refetch(bg, id, "sha256 differs"))
	s := l.shipment(id)
	if s.State != Expired || s.RawHere() || s.RenewAt.IsZero() || s.Rung != RungLink {
		t.Fatalf("it is %s, raw file %q, asks at %v; want it on the ladder", s.State, s.RawFile, s.RenewAt)
	}
	checkInvariants(t, l.DB, "refetch")
	l.must(l.RerunShipment(bg, id, "by eve")) // without a link there is nothing to try but the ladder
	if s := l.shipment(id); s.State != Expired || s.RenewAt.IsZero() {
		t.Fatalf("rerun, it is %s, asks at %v", s.State, s.RenewAt)
	}
	l.must(l.Renewed(bg, id, FreshLink{Link: "https://a.example/x?sig=n", LinkPath: "a.example/x", Deadline: l.Now().Add(time.Hour)}, "fresh"))
	l.claim(9)
	l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id}))
	l.must(l.Opened(bg, id, "", []NewExport{newExport("good", "out"), newExport("bad", "out")}))
	if g, b := l.export(good), l.export(bad); g.State != Landed || b.State != Open {
		t.Fatalf("they are %s and %s; want landed, and open again", g.State, b.State)
	}
	checkInvariants(t, l.DB, "opened again")
	l.running()
	l.deliver(bad, "out", 1)
	if s := l.shipment(id); s.State != Settled {
		t.Errorf("all landed, it is %s", s.State)
	}
	checkInvariants(t, l.DB, "landed")
}

// The file that the ladder brings may be the whole package: its member takes
// the place of what was parked, and none of what had landed.
func TestRefetchedAsAPackage(t *testing.T) {
	for _, landed := range []bool{true, false} {
		l := newLedger(t)
		id := l.fetched("a")
		l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out"), {Member: "other", Entity: "Other", Reason: ReasonNoFlow}}))
		l.running()
		if landed {
			l.deliver(ExportID(id, ""), "out", 1)
		} else {
			l.must(l.ParkDelivery(bg, DeliveryKey{ExportID(id, ""), "out"}, ReasonMalformed, "it breaks off", Counts{}))
		}
		l.must(l.Refetch(bg, id, "sha256 differs"))
		l.must(l.Renewed(bg, id, FreshLink{Link: "https://a.example/p?sig=n", LinkPath: "a.example/p", Package: true}, "fresh"))
		l.claim(9)
		l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id}))
		l.must(l.Opened(bg, id, "", []NewExport{newExport("groups.csv", "out")}))
		was, is := l.export(ExportID(id, "")), l.export(ExportID(id, "groups.csv"))
		if landed && (was.State != Landed || is.State != Skipped || is.Twin != was.ID) {
			t.Errorf("it had landed: %s, and the package's is %s (%s); want landed and skipped", was.State, is.State, is.Detail)
		}
		if !landed && (was.State != Skipped || is.State != Open) {
			t.Errorf("it was parked: %s, and the package's is %s (%s); want skipped and open", was.State, is.State, is.Detail)
		}
		checkInvariants(t, l.DB, "package")
	}
}

// A queue's message that FinOps may have forgotten is not let go of.
func TestRefetchOfAMessage(t *testing.T) {
	l := newLedger(t)
	e := l.export(l.openedMessage("c1", ""))
	l.running()
	l.must(l.ParkDelivery(bg, DeliveryKey{e.ID, "out"}, ReasonMalformed, "it breaks off", Counts{}))
	if err := l.Refetch(bg, e.ShipmentID, "sha256 differs"); err == nil || !l.shipment(e.ShipmentID).RawHere() {
		t.Errorf("refetch gave %v; want it refused and the file kept", err)
	}
}

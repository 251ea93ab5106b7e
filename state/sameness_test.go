package state

import (
	"errors"
	"testing"
	"time"
)

// What FinOps' identities do not tell apart is never dropped: the package may
// hold rows that no event brought.
func TestAmbiguousExecutionsLandTwice(t *testing.T) {
	event := func(l *ledger, identity, company string) (shipmentID string) {
		a := arrival(identity)
		a.LegalEntity, a.Shipment.ExecutionID = company, "run"
		return l.accept(a)[0].ShipmentID
	}
	lands := func(l *ledger, id string) {
		l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofWhole}))
		l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
	}
	for name, come := range map[string]func(l *ledger) (exportIDs []string){
		"another company's link died": func(l *ledger) []string {
			one, other := event(l, "a", "usmf"), event(l, "b", "demf")
			l.claim(9)
			lands(l, one)
			l.must(l.Expire(bg, other, l.shipment(other).Deadline, "dead"))
			export := l.openedMessage("c1", "run")
			if s := l.shipment(other); s.State != Expired {
				t.Errorf("the other company's shipment is closed by a package that may not hold it: %s %s", s.State, s.Reason)
			}
			return []string{export}
		},
		"another company's event is on its way": func(l *ledger) []string {
			one := event(l, "a", "usmf")
			event(l, "b", "demf")
			l.claim(9)
			lands(l, one)
			return []string{l.openedMessage("c1", "run")}
		},
		"two files of the entity in the package": func(l *ledger) []string {
			one := event(l, "a", "usmf")
			l.claim(9)
			lands(l, one)
			l.must(l.PollBegun(bg, "prod", "a1"))
			r, err := l.AcceptMessage(bg, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c1", Body: []byte("receipt"), ExecutionID: "run"})
			l.must(err)
			l.claim(9)
			l.must(l.Fetched(bg, r.ShipmentID, RawFile{File: "raw/" + r.ShipmentID, Proof: ProofWhole}))
			l.must(l.Opened(bg, r.ShipmentID, "", []NewExport{newExport("groups.csv", "out"), newExport("groups_2.csv", "out")}))
			return []string{ExportID(r.ShipmentID, "groups.csv"), ExportID(r.ShipmentID, "groups_2.csv")}
		},
		"the environment was reset between them": func(l *ledger) []string {
			one := event(l, "a", "usmf")
			l.claim(9)
			lands(l, one)
			l.pass(time.Minute)
			_, err := l.ResetEnvironment(bg, "prod", "restored")
			l.must(err)
			return []string{l.openedMessage("c1", "run")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			for _, id := range come(l) {
				if e := l.export(id); e.State != Open {
					t.Errorf("%s is %s (%s: %s); want it to land", e.Member, e.State, e.Reason, e.Detail)
				}
			}
			checkInvariants(t, l.DB, name)
		})
	}
}

// Two copies are opened in one commit that does not come to be; then the second
// is opened alone. It is no copy of what is not there.
func TestCopyOfWhatWasUndone(t *testing.T) {
	l := newLedger(t)
	id := l.fetchingOf("a", "run")
	l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofWhole}))
	l.must(l.PollBegun(bg, "prod", "a1"))
	r, err := l.AcceptMessage(bg, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c1", Body: []byte("receipt"), ExecutionID: "run"})
	l.must(err)
	l.claim(9)
	l.must(l.Fetched(bg, r.ShipmentID, RawFile{File: "raw/" + r.ShipmentID, Proof: ProofWhole}))
	copies := []NewExport{newExport("groups.csv", "out")}
	tries := 0
	results := make(chan error, 3)
	release := l.hold()
	for i, do := range []func() error{
		func() error {
			return l.update(bg, func(t *tx) error {
				if tries++; tries > 1 {
					return errors.New("the disk is full")
				}
				return t.opened(id, "", []NewExport{newExport("", "out")})
			})
		},
		func() error { return l.Opened(bg, r.ShipmentID, "", copies) },
		func() error { return l.update(bg, func(*tx) error { return errors.New("the group's bad one") }) },
	} {
		go func() { results <- do() }()
		l.queued(i + 1)
	}
	release()
	failed := 0
	for range 3 {
		if <-results != nil {
			failed++
		}
	}
	if failed != 2 || tries != 2 {
		t.Fatalf("%d failed, the first ran %d times; want 2 and 2", failed, tries)
	}
	if e := l.export(ExportID(r.ShipmentID, "groups.csv")); e.State != Open || copies[0].Reason != "" {
		t.Errorf("it is %s %s (%s); want it open, as nothing else has its rows", e.State, e.Reason, e.Detail)
	}
	checkInvariants(t, l.DB, "undone")
}

// FinOps forgets a message whose rows came another way only when those are in
// the outputs, or on a person's list beside the copy.
func TestAckOfACopyWaitsForItsOriginal(t *testing.T) {
	for _, lands := range []bool{true, false} {
		l := newLedger(t)
		id := l.fetchingOf("a", "run")
		l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofWhole}))
		l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
		copied := l.export(l.openedMessage("c1", "run"))
		message := func() State {
			m, err := l.Message(bg, copied.ShipmentID)
			l.must(err)
			return m.State
		}
		if copied.State != Skipped || message() != Held {
			t.Fatalf("the copy is %s, its message %s; want it held while the original is on its way", copied.State, message())
		}
		l.running()
		if lands {
			l.deliver(ExportID(id, ""), "out", 1)
		} else {
			l.must(l.ParkDelivery(bg, DeliveryKey{ExportID(id, ""), "out"}, ReasonMalformed, "it breaks off", Counts{}))
		}
		if message() != Due {
			t.Errorf("the original at rest (landed %t), the message is %s; want it acked", lands, message())
		}
		checkInvariants(t, l.DB, "ack of a copy")
	}
}

// A copy that was dropped for one that then cannot be landed is on the list
// beside it, and can be landed.
func TestCopyOfWhatDoesNotLand(t *testing.T) {
	l := newLedger(t)
	id := l.fetchingOf("a", "run")
	l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofWhole}))
	l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
	dropped := l.openedMessage("c1", "run")
	if e := l.export(dropped); e.State != Skipped {
		t.Fatalf("the copy is %s", e.State)
	}
	_, err := l.ClaimDeliveries(bg, "w", time.Minute, 1)
	l.must(err)
	l.must(l.ParkDelivery(bg, DeliveryKey{ExportID(id, ""), "out"}, ReasonMalformed, "it breaks off", Counts{}))
	if e := l.export(dropped); e.State != Parked || e.Reason != ReasonTwin {
		t.Errorf("the copy is %s, %s; want it on the list", e.State, e.Reason)
	}
	l.must(l.RerunExport(bg, dropped, "all", []NewDelivery{{Output: "out", Flow: "all"}}, "by eve"))
	if e := l.export(dropped); e.State != Open {
		t.Errorf("rerun, the copy is %s", e.State)
	}
	checkInvariants(t, l.DB, "copy")
}

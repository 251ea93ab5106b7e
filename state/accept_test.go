package state

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAcceptStoresOnce(t *testing.T) {
	l := newLedger(t)
	first := l.accept(arrival("one"))[0]
	if first.Duplicate || first.State != Accepted || KindOf(first.EventID) != KindEvent || KindOf(first.ShipmentID) != KindShipment {
		t.Fatalf("new event gave %+v", first)
	}
	l.pass(time.Minute)
	again := l.accept(arrival("one"))[0]
	if !again.Duplicate || again.EventID != first.EventID || again.ShipmentID != first.ShipmentID || again.Woken {
		t.Fatalf("its repeat gave %+v; want a duplicate of %+v", again, first)
	}
	e, err := l.Event(bg, first.EventID)
	l.must(err)
	if e.Duplicates != 1 || !e.LastSeenAt.Equal(l.Now()) || !e.ReceivedAt.Equal(testTime) {
		t.Errorf("event after its repeat: %+v", e)
	}
	if n := l.count(`SELECT count(*) FROM shipments`); n != 1 {
		t.Errorf("%d shipments; want 1", n)
	}
	story, err := l.Story(bg, first.EventID)
	l.must(err)
	if len(story) != 2 || story[0].To != Pending || story[1].Reason != ReasonDuplicateEvent {
		t.Errorf("the event's story: %+v; want its shipment's arrival and the repeat", story)
	}
}

func TestAcceptSeveralInOneCall(t *testing.T) {
	l := newLedger(t)
	before := l.Commits()
	got := l.accept(arrival("one"), arrival("two"), arrival("one"))
	if l.Commits()-before != 1 {
		t.Errorf("%d commits for one call; want 1", l.Commits()-before)
	}
	if len(got) != 3 || got[0].Duplicate || got[1].Duplicate || !got[2].Duplicate || got[2].EventID != got[0].EventID {
		t.Errorf("receipts %+v; want new, new, duplicate of the first", got)
	}
}

func TestAcceptKeepsEnvironmentsApart(t *testing.T) {
	l := newLedger(t)
	other := arrival("one")
	other.Environment = "uat"
	got := l.accept(arrival("one"), other)
	if got[1].Duplicate || got[0].EventID == got[1].EventID || got[0].ShipmentID == got[1].ShipmentID {
		t.Errorf("the same identity in two environments: %+v", got)
	}
}

func TestAcceptRefusesHalfAnEvent(t *testing.T) {
	l := newLedger(t)
	bare := arrival("accepted without a shipment")
	bare.Shipment = nil
	odd := arrival("ignored with a shipment")
	odd.State = Ignored
	stranger := arrival("of no state")
	stranger.State, stranger.Shipment = "gone", nil
	for _, a := range []Arrival{bare, odd, stranger} {
		// Beside a good one: the call is one transaction.
		if _, err := l.Accept(bg, []Arrival{arrival("good"), a}); err == nil {
			t.Errorf("%s: accepted", a.Identity)
		}
	}
	if n := l.count(`SELECT count(*) FROM events`); n != 0 {
		t.Errorf("%d events stored by refused calls", n)
	}
}

func TestDeadlineAndOrderOfAnEventThatSaysLittle(t *testing.T) {
	l := newLedger(t)
	rec := int64(77)
	a := arrival("one")
	a.EventAt, a.ControlNumber, a.RecID, a.Shipment.Deadline, a.Body = time.Time{}, nil, &rec, time.Time{}, nil
	s := l.shipment(l.accept(a)[0].ShipmentID)
	if !s.Deadline.Equal(testTime.Add(DefaultLinkLife)) || s.Order != (OrderKey{testTime, 77}) {
		t.Errorf("deadline %s, order %s; want an hour from now, and now/77", s.Deadline, s.Order)
	}
}

// What stands still takes a link of the same deadline too, if it is signed
// anew; the very same link does not wake it.
func TestLinkSignedAnew(t *testing.T) {
	for _, situation := range []string{"shipment expired", "shipment parked"} {
		l := newLedger(t)
		id := situations[situation](l).shipment
		a := arrival("a")
		if r := l.accept(a)[0]; r.Woken {
			t.Errorf("%s: woken by the same link", situation)
		}
		a.Shipment.Link += "anew"
		if r := l.accept(a)[0]; !r.Woken || l.shipment(id).State != Pending {
			t.Errorf("%s: not woken by a link that is signed anew", situation)
		}
	}
}

// A duplicate's fresher link is lent to what has no raw file yet, and wakes
// what stands still; an older one never.
func TestDuplicateLendsItsLink(t *testing.T) {
	for _, c := range []struct {
		situation   string
		lent, woken bool
	}{
		{"shipment pending", true, false},
		{"shipment fetching", true, false},
		{"shipment waiting", true, true},
		{"shipment expired", true, true},
		{"shipment parked", true, true},
		{"shipment parked with its raw file", false, false},
		{"shipment fetched", false, false},
		{"export open, delivery running", false, false},
		{"export parked, delivery parked", false, false},
		{"export landed, delivery delivered", false, false},
	} {
		t.Run(c.situation, func(t *testing.T) {
			l := newLedger(t)
			id := situations[c.situation](l).shipment
			was := l.shipment(id)
			repeat := func(deadline time.Time, sig string) Receipt {
				a := arrival("a")
				a.Shipment.Deadline, a.Shipment.Link = deadline, "https://a.example/dmf/x?sig="+sig
				return l.accept(a)[0]
			}
			for _, d := range []time.Duration{-time.Minute, 0, 999 * time.Microsecond} {
				if d >= 0 && (c.situation == "shipment expired" || c.situation == "shipment parked") {
					continue // see TestLinkSignedAnew
				}
				if r := repeat(was.Deadline.Add(d), "older"); r.Woken || l.shipment(id).Deadline != was.Deadline {
					t.Errorf("a link that dies %s later was lent", d)
				}
			}
			r := repeat(was.Deadline.Add(time.Hour), "fresh")
			now := l.shipment(id)
			if r.Woken != c.woken || now.Deadline.After(was.Deadline) != c.lent {
				t.Errorf("woken %t, deadline %s → %s; want woken %t, lent %t", r.Woken, was.Deadline, now.Deadline, c.woken, c.lent)
			}
			if c.lent && l.link(id) != "https://a.example/dmf/x?sig=fresh" {
				t.Error("the deadline was lent but not the link")
			}
			if c.woken && (now.State != Pending || now.DueAt.After(l.Now()) || now.Reason != "") {
				t.Errorf("woken to %s, due %s, %q; want pending now", now.State, now.DueAt, now.Reason)
			}
			if !c.woken && now.State != was.State {
				t.Errorf("%s became %s", was.State, now.State)
			}
			checkInvariants(t, l.DB, "lending")
		})
	}
}

// Links that do not say when they die: a repeat of the same bytes is no news,
// other bytes are.
func TestLinkWithoutDeadlineIsLentOnce(t *testing.T) {
	l := newLedger(t)
	a := arrival("a")
	a.EventAt, a.Shipment.Deadline = time.Time{}, time.Time{}
	id := l.accept(a)[0].ShipmentID
	l.claim(1)
	l.must(l.Expire(bg, id, l.shipment(id).Deadline, ""))
	l.pass(time.Minute)
	if r := l.accept(a)[0]; r.Woken {
		t.Error("the same dead link woke its shipment")
	}
	a.Shipment.Link += "2"
	if r := l.accept(a)[0]; !r.Woken {
		t.Error("a later link did not wake its shipment")
	}
}

// A link that is lent while the old one is being tried must not be lost when
// the old one fails.
func TestFreshLinkDuringAFetch(t *testing.T) {
	for name, fail := range map[string]func(*ledger, Shipment) error{
		"expired": func(l *ledger, s Shipment) error { return l.Expire(bg, s.ID, s.Deadline, "dead") },
		"refused": func(l *ledger, s Shipment) error { return l.ParkShipment(bg, s.ID, ReasonLinkRefused, "403") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			claimed := l.shipment(l.fetching("a"))
			fresh := arrival("a")
			fresh.Shipment.Deadline, fresh.Shipment.Link = claimed.Deadline.Add(time.Hour), "https://a.example/dmf/x?sig=fresh"
			l.accept(fresh)
			l.must(fail(l, claimed))
			jobs := l.claim(1)
			if len(jobs) != 1 || jobs[0].Link != fresh.Shipment.Link {
				t.Fatalf("after the old link failed, claimed %+v; want the fresh link", jobs)
			}
			// The fresh one has had its turn: now it counts.
			l.must(fail(l, jobs[0].Shipment))
			if s := l.shipment(claimed.ID); s.State == Pending {
				t.Error("the fresh link failed too, and the shipment goes round in circles")
			}
		})
	}
}

func TestUnreadableIsKeptApartAndReadAgain(t *testing.T) {
	l := newLedger(t)
	r := l.accept(unreadable("body:1"))[0]
	body, err := l.Body(bg, r.EventID)
	l.must(err)
	unread, err := l.UnreadBody(bg, r.EventID)
	l.must(err)
	if strings.Contains(string(body), "secret") || !strings.Contains(string(unread), "secret") {
		t.Errorf("body %q, unread %q; the signature belongs into the second only", body, unread)
	}
	if again := l.accept(unreadable("body:1"))[0]; !again.Duplicate || again.State != Unreadable {
		t.Errorf("its repeat gave %+v", again)
	}
	got, err := l.Reread(bg, r.EventID, []Arrival{{Environment: "prod", Identity: "test", State: Ignored, Reason: ReasonEndpointTest}, arrival("one"), arrival("two")})
	l.must(err)
	e, err := l.Event(bg, r.EventID)
	l.must(err)
	if len(got) != 3 || e.State != Accepted || e.ShipmentID != got[1].ShipmentID {
		t.Errorf("read again: %+v, receipts %+v; want accepted, with the first shipment", e, got)
	}
	if _, err := l.UnreadBody(bg, r.EventID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the raw body is kept after it was read: %v", err)
	}
	if jobs := l.claim(9); len(jobs) != 2 {
		t.Errorf("%d links to fetch; want 2", len(jobs))
	}
	checkInvariants(t, l.DB, "reread")
}

// An event that has no id of its own is known by its body, and so is the
// unreadable one that it was: it must not become its own duplicate.
func TestRereadOfItsOwnIdentity(t *testing.T) {
	l := newLedger(t)
	r := l.accept(unreadable("body:1"))[0]
	_, err := l.ResetEnvironment(bg, "uat", "another's affair")
	l.must(err)
	a := arrival("body:1")
	got, err := l.Reread(bg, r.EventID, []Arrival{a})
	l.must(err)
	if len(got) != 1 || got[0].EventID != r.EventID || got[0].Duplicate || got[0].State != Accepted {
		t.Fatalf("read again: %+v", got)
	}
	if jobs := l.claim(9); len(jobs) != 1 || jobs[0].Link != a.Shipment.Link || jobs[0].Shipment.ID != got[0].ShipmentID {
		t.Fatalf("to fetch: %+v; want the link that was read", jobs)
	}
	if e, err := l.Event(bg, r.EventID); err != nil || e.State != Accepted || e.Entity != "Customer groups" || e.ShipmentID != got[0].ShipmentID {
		t.Errorf("event %+v, %v", e, err)
	}
	if again := l.accept(a)[0]; !again.Duplicate || again.ShipmentID != got[0].ShipmentID {
		t.Errorf("its repeat gave %+v; want a duplicate", again)
	}
	checkInvariants(t, l.DB, "reread")
}

func TestRereadThatReadsNothingKeepsTheBody(t *testing.T) {
	l := newLedger(t)
	r := l.accept(unreadable("body:1"))[0]
	for name, arrivals := range map[string][]Arrival{"none": nil, "unreadable again": {arrival("x"), unreadable("body:1")}} {
		if _, err := l.Reread(bg, r.EventID, arrivals); err == nil {
			t.Errorf("%s: taken for read", name)
		}
	}
	if e, err := l.Event(bg, r.EventID); err != nil || e.State != Unreadable {
		t.Errorf("event is %s, %v; want unreadable", e.State, err)
	}
	if _, err := l.Reread(bg, "ev_nobody", []Arrival{arrival("x")}); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown event: %v; want ErrNotFound", err)
	}
	checkInvariants(t, l.DB, "refused rereads")
}

func TestNewEpochMakesTheSameIdentityNew(t *testing.T) {
	l := newLedger(t)
	first := l.accept(arrival("one"))[0]
	epoch, err := l.ResetEnvironment(bg, "prod", "copy of Tuesday restored")
	l.must(err)
	second := l.accept(arrival("one"))[0]
	if epoch != 1 || second.Duplicate || second.EventID == first.EventID || second.ShipmentID == first.ShipmentID {
		t.Errorf("epoch %d, the same identity gave %+v after %+v; want a new one", epoch, second, first)
	}
	if again := l.accept(arrival("one"))[0]; !again.Duplicate || again.EventID != second.EventID {
		t.Errorf("its repeat gave %+v; want a duplicate of the second", again)
	}
	// The epoch outlives the process.
	l.must(l.Close())
	l = openLedger(t, l.Folder())
	if again := l.accept(arrival("one"))[0]; !again.Duplicate || again.EventID != second.EventID {
		t.Errorf("after a restart its repeat gave %+v; want a duplicate of the second", again)
	}
}

// Resets that overlap each other and arrivals leave one truth: the epoch on disk.
func TestOverlappingResets(t *testing.T) {
	l := newLedger(t)
	done := make(chan error)
	for range 40 {
		go func() {
			_, err := l.ResetEnvironment(bg, "prod", "")
			done <- err
		}()
		go func() {
			_, err := l.Accept(bg, []Arrival{arrival("one")})
			done <- err
		}()
		go func() { // fails in the middle of a group
			_, err := l.ResetEnvironment(bg, "prod", "")
			if err == nil {
				err = l.update(bg, func(t *tx) error {
					if _, err := t.exec(`UPDATE environments SET epoch = epoch + 1000`); err != nil {
						return err
					}
					clear(t.db.epochs)
					if _, err := t.epoch("prod"); err != nil {
						return err
					}
					return errors.New("undone")
				})
				if err.Error() == "undone" {
					err = nil
				}
			}
			done <- err
		}()
	}
	for range 120 {
		l.must(<-done)
	}
	if epoch := l.count(`SELECT epoch FROM environments WHERE name = 'prod'`); epoch != 80 {
		t.Errorf("epoch %d after 80 resets", epoch)
	}
	id := l.accept(arrival("last"))[0].EventID
	if epoch := l.count(`SELECT epoch FROM events WHERE id = ?1`, id); epoch != 80 {
		t.Errorf("an event after 80 resets went into epoch %d", epoch)
	}
}

// A ledger that is lost and fed the same arrivals gives the same ids, and so
// the same file names.
func TestIdsComeFromWhatFinOpsSent(t *testing.T) {
	ids := func(later time.Duration) []string {
		l := newLedger(t)
		l.pass(later)
		l.accept(arrival("other")) // ids are no counters either
		l.claim(1)
		id := l.opened("one", "out")
		e := l.export(id)
		return []string{l.shipment(e.ShipmentID).EventID, e.ShipmentID, e.ID}
	}
	first, second := ids(0), ids(100*time.Hour)
	for i := range first {
		if first[i] != second[i] || len(first[i]) != IDLength {
			t.Errorf("ids %v and, in a second ledger, %v", first, second)
		}
	}
	// Written down, because names that change between versions would land twice.
	if got := NewID("ev", "prod", "0", "one"); got != "ev_a7t0p6n605gwjryj" {
		t.Errorf("NewID gives %s", got)
	}
	if NewID("ev", "a", "bc") == NewID("ev", "ab", "c") {
		t.Error("parts run into each other")
	}
}

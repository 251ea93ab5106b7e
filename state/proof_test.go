package state

import (
	"errors"
	"testing"
	"time"
)

func init() {
	seen := func(as Doubt, then func(l *ledger, id string)) func(*ledger) subject {
		return func(l *ledger) subject {
			l.must(l.PollBegun(bg, "prod", "a1"))
			id := l.message("c1")
			l.claim(1)
			l.must(l.doubted(id, as, time.Minute))
			then(l, id)
			return subject{shipment: id}
		}
	}
	situations["message whose file is in doubt"] = seen(DoubtUnknown, func(*ledger, string) {})
	situations["message answered by a page"] = seen(DoubtNoExport, func(*ledger, string) {})
	situations["message whose file is fetched again"] = seen(DoubtUnframed, func(l *ledger, _ string) {
		l.clock.Add(time.Hour.Milliseconds())
		l.claim(1)
	})
	situations["message taken by a person while it is fetched"] = seen(DoubtUnframed, func(l *ledger, id string) {
		l.clock.Add(time.Hour.Milliseconds())
		l.claim(1)
		_, err := l.TakeAsIs(bg, id, "eve", "it is")
		l.must(err)
	})
	transitions["doubted"] = func(l *ledger, s subject) error { return l.doubted(s.shipment, DoubtUnknown, time.Minute) }
	transitions["a page came"] = func(l *ledger, s subject) error { return l.doubted(s.shipment, DoubtNoExport, 0) }
	transitions["taken as it is"] = func(l *ledger, s subject) error {
		_, err := l.TakeAsIs(bg, s.shipment, "eve", "it is")
		return err
	}
}

func (l *ledger) doubted(id string, as Doubt, after time.Duration) error {
	due := time.Time{}
	if after > 0 {
		due = l.Now().Add(after)
	}
	return l.Doubted(bg, id, Seen{File: "raw/" + id + ".doubted", As: as, SHA256: "ab", Bytes: 7}, due, ReasonUnproved, "why")
}

// Nothing is acked before its file is proved: not what waits, not what is
// parked, and not what FinOps hands out again. The redelivery's link is tried at
// once.
func TestNoAckWithoutProof(t *testing.T) {
	l := newLedger(t)
	l.must(l.PollBegun(bg, "prod", "a1"))
	id := l.message("c1")
	held := func(when string) {
		t.Helper()
		if acks, err := l.ClaimAcks(bg, 9); err != nil || len(acks) != 0 || messageState(t, l.DB, id) != Held {
			t.Fatalf("%s: message is %s, acks %v, %v", when, messageState(t, l.DB, id), acks, err)
		}
		checkInvariants(t, l.DB, when)
	}
	l.claim(1)
	l.must(l.doubted(id, DoubtUnknown, 10*time.Minute))
	held("in doubt")
	l.clock.Add((11 * time.Minute).Milliseconds())
	l.claim(1)
	l.must(l.doubted(id, DoubtNoExport, 0))
	if s := l.shipment(id); s.State != Parked || s.RawHere() || s.Seen.As != DoubtUnknown {
		t.Errorf("%+v; want it parked, with what may be the export", s)
	}
	held("parked")
	r, err := l.AcceptMessage(bg, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c1", Body: []byte("receipt 2")})
	if err != nil || !r.Again || r.New || l.shipment(id).State != Pending {
		t.Fatalf("redelivery: %+v, %v, shipment %s", r, err, l.shipment(id).State)
	}
	held("handed out again")
	l.claim(1)
	l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofTwice}))
	l.must(l.Opened(bg, id, "", []NewExport{{Entity: "E", Reason: ReasonNoFlow}}))
	if s := l.shipment(id); messageState(t, l.DB, id) != Due || s.Proof != ProofTwice || s.Seen != (Seen{}) {
		t.Errorf("message is %s, shipment %+v; want it due", messageState(t, l.DB, id), s)
	}
	if err := l.Fetched(bg, id, RawFile{File: "raw/x"}); err == nil {
		t.Error("a raw file without proof was recorded")
	}
}

// The time that counts is that of the first of equal downloads in a row.
func TestSeenAt(t *testing.T) {
	l := newLedger(t)
	l.must(l.PollBegun(bg, "prod", "a1"))
	id := l.message("c1")
	first := l.Now()
	for _, c := range []struct {
		sha   string
		since time.Duration
	}{{"ab", 0}, {"ab", 0}, {"cd", 10 * time.Minute}, {"ab", 15 * time.Minute}} {
		l.claim(1)
		l.must(l.Doubted(bg, id, Seen{File: "raw/x", As: DoubtUnknown, SHA256: c.sha}, l.Now().Add(5*time.Minute), ReasonUnproved, ""))
		if at := l.shipment(id).Seen.At.Sub(first); at != c.since {
			t.Errorf("%s: seen after %v, want %v", c.sha, at, c.since)
		}
		l.clock.Add((5 * time.Minute).Milliseconds())
	}
}

// What a person takes is opened as it is; a page is not, and closes the
// shipment. Either way FinOps may forget the message, with a receipt that is
// fresh.
func TestTakeAsIs(t *testing.T) {
	for _, c := range []struct {
		as    Doubt
		state State
	}{{DoubtUnframed, Fetched}, {DoubtUnknown, Fetched}, {DoubtNoExport, Settled}} {
		l := newLedger(t)
		l.must(l.PollBegun(bg, "prod", "a1"))
		id := l.message("c1")
		l.claim(1)
		l.must(l.doubted(id, c.as, time.Minute))
		l.clock.Add(time.Hour.Milliseconds()) // the receipt is old
		res, err := l.TakeAsIs(bg, id, "eve", "I have looked")
		s := l.shipment(id)
		if err != nil || s.State != c.state || s.Proof != ProofPerson || (res.File != "") != (c.state == Fetched) || res.File != s.RawFile {
			t.Fatalf("%s: %+v, %v, shipment %+v", c.as, res, err, s)
		}
		if s.State == Fetched {
			l.must(l.Opened(bg, id, "", []NewExport{{Entity: "E", Reason: ReasonNoFlow}}))
		}
		if acks, err := l.ClaimAcks(bg, 9); err != nil || len(acks) != 0 || messageState(t, l.DB, id) != Stale {
			t.Errorf("%s: acks with an old receipt: %v, %v", c.as, acks, err)
		}
		if at, err := l.NextRedelivery(bg, "prod", "a1"); err != nil || at.IsZero() || at.After(l.Now()) {
			t.Errorf("%s: the queue is looked at next %v, %v; want at once", c.as, at, err)
		}
		dequeue(t, l.DB, "c1", "receipt 2")
		if acks, err := l.ClaimAcks(bg, 9); err != nil || len(acks) != 1 || string(acks[0].Body) != "receipt 2" {
			t.Errorf("%s: acks %v, %v; want one with the newer receipt", c.as, acks, err)
		}
		if _, err := l.TakeAsIs(bg, id, "eve", "again"); !errors.As(err, new(*TransitionError)) {
			t.Errorf("%s: taken twice: %v", c.as, err)
		}
		checkInvariants(t, l.DB, "taken as it is")
	}
	l := newLedger(t)
	id := l.fetching("a")
	l.must(l.ParkShipment(bg, id, ReasonLinkGone, ""))
	if _, err := l.TakeAsIs(bg, id, "eve", "nothing is here"); !errors.As(err, new(*TransitionError)) {
		t.Errorf("a link that brought nothing was taken: %v", err)
	}
}

// A queue is looked at again for what FinOps hands out again, and for nothing
// else.
func TestNextRedelivery(t *testing.T) {
	l := newLedger(t)
	l.must(l.PollBegun(bg, "prod", "a1"))
	next := func() time.Time {
		t.Helper()
		at, err := l.NextRedelivery(bg, "prod", "a1")
		l.must(err)
		return at
	}
	if at := next(); !at.IsZero() {
		t.Errorf("of an empty ledger: %v", at)
	}
	began := l.Now()
	id := l.message("c1")
	if at := next(); !at.Equal(began.Add(RedeliveryAfter)) {
		t.Errorf("of a message just taken: %v", at)
	}
	landMessage(t, l.DB, id)
	acks, err := l.ClaimAcks(bg, 9)
	if err != nil || len(acks) != 1 {
		t.Fatalf("acks %v, %v", acks, err)
	}
	if at := next(); at.IsZero() {
		t.Error("of a message whose ack may fail: never")
	}
	l.must(l.Acked(bg, id, acks[0].DequeuedAt))
	if at := next(); !at.IsZero() {
		t.Errorf("of a message that is acked: %v", at)
	}
}

func TestShipmentsOfMessage(t *testing.T) {
	l := newLedger(t)
	l.must(l.PollBegun(bg, "prod", "a1"))
	id := l.message("7d9a2f10-5f0e")
	l.message("7d9a2f10-5f0f")
	for name, want := range map[string]int{"7d9a2f10-5f0e": 1, "7d9a": 0, "": 0} {
		got, err := l.ShipmentsOfMessage(bg, name)
		if err != nil || len(got) != want || want == 1 && got[0] != id {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// What a download brings after a person has decided does not count, however it
// ends.
func TestDecidedWhileItIsFetched(t *testing.T) {
	for _, kept := range []bool{true, false} {
		l := newLedger(t)
		l.must(l.PollBegun(bg, "prod", "a1"))
		id := l.message("c1")
		l.claim(1)
		if kept {
			l.must(l.doubted(id, DoubtUnframed, time.Minute))
			l.clock.Add(time.Hour.Milliseconds())
			l.claim(1)
		}
		res, err := l.TakeAsIs(bg, id, "eve", "why")
		if err != nil || (res.File != "") != kept {
			t.Fatalf("%+v, %v", res, err)
		}
		before := l.shipment(id)
		for what, end := range map[string]func() error{
			"fetched": func() error { return l.Fetched(bg, id, RawFile{File: "raw/x", Proof: ProofWhole}) },
			"doubted": func() error { return l.doubted(id, DoubtUnknown, time.Minute) },
			"waits":   func() error { return l.WaitFetch(bg, id, l.Now(), ReasonBusy, "") },
			"parks":   func() error { return l.ParkFetch(bg, id, ReasonNoExport, "") },
			"expires": func() error { return l.Expire(bg, id, time.Time{}, "") },
		} {
			if err := end(); !errors.As(err, new(*TransitionError)) {
				t.Errorf("%s: %v, want it refused", what, err)
			}
		}
		if after := l.shipment(id); after != before {
			t.Errorf("%+v became %+v", before, after)
		}
		checkInvariants(t, l.DB, "decided while it is fetched")
	}
}

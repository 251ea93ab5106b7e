package state

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// due accepts an event of an environment whose link dies in so many minutes.
func (l *ledger) due(environment, identity string, minutes int) string {
	l.t.Helper()
	a := arrival(identity)
	a.Environment, a.Shipment.Deadline = environment, testTime.Add(time.Duration(minutes)*time.Minute)
	return l.accept(a)[0].ShipmentID
}

func (l *ledger) claimWith(c FetchClaims) (identities []string) {
	l.t.Helper()
	c.Owner, c.Lease = "me", time.Minute
	jobs, err := l.ClaimFetches(bg, c)
	l.must(err)
	for _, j := range jobs {
		var identity string
		l.must(l.readRow(bg, `SELECT identity FROM shipments WHERE id = ?1`, []any{j.Shipment.ID}, &identity))
		identities = append(identities, identity)
	}
	return identities
}

func TestFetchesAreClaimedFairlyAndByDeadline(t *testing.T) {
	for _, c := range []struct {
		name   string
		claims FetchClaims
		want   []string
	}{
		{"earliest deadline first, the environments in turn", FetchClaims{Limit: 9}, []string{"p1", "u1", "p2", "u2", "p3", "p4"}},
		{"no more than asked for", FetchClaims{Limit: 2}, []string{"p1", "u1"}},
		{"fewest in flight first", FetchClaims{Limit: 3, InFlight: map[string]int{"prod": 2}}, []string{"u1", "u2", "p1"}},
		{"an environment's own limit", FetchClaims{Limit: 9, InFlight: map[string]int{"prod": 1}, Most: map[string]int{"prod": 2}}, []string{"u1", "p1", "u2"}},
		{"a full environment gets none", FetchClaims{Limit: 9, InFlight: map[string]int{"prod": 2}, Most: map[string]int{"prod": 2, "uat": 0}}, nil},
		{"only the urgent", FetchClaims{Limit: 9, Before: testTime.Add(20 * time.Minute)}, []string{"p1", "u1"}},
		{"nothing", FetchClaims{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			l.due("prod", "p3", 30)
			l.due("uat", "u2", 50)
			l.due("prod", "p1", 5)
			l.due("uat", "u1", 15)
			l.due("prod", "p4", 40)
			l.due("prod", "p2", 20)
			if got := l.claimWith(c.claims); !slices.Equal(got, c.want) {
				t.Errorf("claimed %v; want %v", got, c.want)
			}
		})
	}
}

// Every link gets its attempt, even one that our clock thinks dead, and of
// equal deadlines the first that came.
func TestDeadLinksAreClaimedToo(t *testing.T) {
	l := newLedger(t)
	l.due("prod", "dead", -600)
	l.due("prod", "a", 5)
	l.due("prod", "b", 5)
	if got := l.claimWith(FetchClaims{Limit: 9}); !slices.Equal(got, []string{"dead", "a", "b"}) {
		t.Errorf("claimed %v", got)
	}
}

// A claim commits the attempt, owner and lease before it returns.
func TestAttemptsAreCommittedBeforeWork(t *testing.T) {
	l := newLedger(t)
	id := l.fetching("a")
	var attempts, lease int
	var owner, state string
	reader := outside(t, l.Folder(), "ro")
	l.must(reader.QueryRow(`SELECT state, attempts, owner, lease_until FROM shipments WHERE id = ?1`, id).Scan(&state, &attempts, &owner, &lease))
	if state != "fetching" || attempts != 1 || owner != "test" || int64(lease) != testTime.Add(time.Minute).UnixMilli() {
		t.Errorf("on disk: %s, %d attempts, owner %q until %d", state, attempts, owner, lease)
	}
	l.must(l.Fetched(bg, id, RawFile{File: "raw/x", Proof: ProofWhole}))
	l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
	jobs := l.running()
	l.must(reader.QueryRow(`SELECT state, attempts, owner FROM deliveries`).Scan(&state, &attempts, &owner))
	if len(jobs) != 1 || state != "running" || attempts != 1 || owner != "test" || jobs[0].Delivery.Attempts != 1 ||
		jobs[0].Shipment.ID != id || jobs[0].Export.ShipmentID != id || jobs[0].Event.ShipmentID != id {
		t.Errorf("on disk: %s, %d attempts, owner %q; job %+v", state, attempts, owner, jobs)
	}
}

func TestWaitingIsNotClaimedBeforeItIsDue(t *testing.T) {
	l := newLedger(t)
	id := l.fetching("a")
	due := testTime.Add(30 * time.Second)
	l.must(l.WaitFetch(bg, id, due, ReasonBusy, "503"))
	if next, err := l.NextFetch(bg, time.Time{}); err != nil || !next.Equal(due) {
		t.Errorf("next fetch %s, %v; want %s", next, err, due)
	}
	if next, err := l.NextFetch(bg, testTime); err != nil || !next.IsZero() {
		t.Errorf("next urgent fetch %s, %v; want none", next, err)
	}
	l.pass(29 * time.Second)
	if jobs := l.claim(9); len(jobs) != 0 {
		t.Errorf("claimed %d s early", 1)
	}
	l.pass(time.Second)
	if jobs := l.claim(9); len(jobs) != 1 || jobs[0].Shipment.Attempts != 2 {
		t.Errorf("due, but claimed %+v", jobs)
	}
	if next, err := l.NextFetch(bg, time.Time{}); err != nil || !next.IsZero() {
		t.Errorf("next fetch %s, %v; want none", next, err)
	}
}

func TestOpeningsAndDeliveriesAreFirstInFirstOut(t *testing.T) {
	l := newLedger(t)
	var shipments []string
	for _, name := range []string{"a", "b", "c"} {
		shipments = append(shipments, l.fetched(name))
	}
	if next, err := l.NextDelivery(bg); err != nil || next.IsZero() || next.After(l.Now()) {
		t.Errorf("openings are due, but next is %s, %v", next, err)
	}
	var got []string
	for _, s := range append(l.claimOpenings(2), l.claimOpenings(9)...) {
		got = append(got, s.ID)
	}
	if !slices.Equal(got, shipments) {
		t.Errorf("openings in the order %v; want %v, each once", got, shipments)
	}
	l.must(l.ReleaseOpening(bg, shipments[1]))
	if again := l.claimOpenings(9); len(again) != 1 || again[0].ID != shipments[1] {
		t.Errorf("after a release: %v", again)
	}
	for _, i := range []int{2, 0} { // deliveries queue up when they are made
		l.must(l.Opened(bg, shipments[i], "", []NewExport{newExport("", "out", "other")}))
	}
	jobs, err := l.ClaimDeliveries(bg, "me", time.Minute, 3)
	l.must(err)
	got = nil
	for _, j := range jobs {
		got = append(got, j.Shipment.ID+j.Delivery.Output)
	}
	if want := []string{shipments[2] + "out", shipments[2] + "other", shipments[0] + "out"}; !slices.Equal(got, want) {
		t.Errorf("deliveries in the order %v; want %v", got, want)
	}
	due := testTime.Add(time.Minute)
	l.must(l.WaitDelivery(bg, DeliveryKey{jobs[0].Export.ID, "out"}, due, ReasonOutput, ""))
	if jobs := l.running(); len(jobs) != 1 {
		t.Errorf("%d claimed; the waiting one is not due", len(jobs))
	}
	if next, err := l.NextDelivery(bg); err != nil || !next.Equal(due) {
		t.Errorf("next delivery %s, %v; want %s", next, err, due)
	}
	l.pass(time.Minute)
	if jobs := l.running(); len(jobs) != 1 || jobs[0].Delivery.Attempts != 2 {
		t.Errorf("due, but claimed %+v", jobs)
	}
}

// A shipment that lost its link must not hold up the others: it is handed out,
// and the fetch of nothing parks it.
func TestAMissingLinkDoesNotStopItsEnvironment(t *testing.T) {
	l := newLedger(t)
	broken := l.due("prod", "broken", 1)
	l.due("prod", "good", 2)
	l.must(l.update(bg, func(t *tx) error { return t.dropLink(broken) }))
	if got := l.claimWith(FetchClaims{Limit: 9}); !slices.Equal(got, []string{"broken", "good"}) {
		t.Errorf("claimed %v", got)
	}
}

func TestWorkInFlightHasOneWorker(t *testing.T) {
	l := newLedger(t)
	id := l.fetching("a")
	if err := l.RerunShipment(bg, id, "by eve"); err == nil {
		t.Error("a download in flight was run again")
	}
	if err := l.Skip(bg, id, "eve", ""); err == nil {
		t.Error("a download in flight was skipped")
	}
	l.must(l.ReleaseFetch(bg, id))
	if s := l.shipment(id); s.Attempts != 1 {
		t.Errorf("a shutdown leaves %d attempts; want 1", s.Attempts)
	}
	if err := l.ReleaseFetch(bg, id); err == nil {
		t.Error("released twice")
	}
}

// interrupt claims and recovers until the work is not given back any more.
func interrupt(l *ledger, claim func() int) (times int) {
	for times = 1; times < 10; times++ {
		if claim() != 1 {
			return times - 1
		}
		l.recover()
	}
	return times
}

func TestThreeInterruptionsPark(t *testing.T) {
	l := newLedger(t)
	a := l.pending("a")
	if n := interrupt(l, func() int { return len(l.claim(9)) }); n != MaxInterruptions {
		t.Errorf("a download was parked after %d interruptions; want %d", n, MaxInterruptions)
	}
	if s := l.shipment(a); s.State != Parked || s.Reason != ReasonInterrupted || s.Detail == "" || s.Attempts != 3 {
		t.Errorf("download: %+v", s)
	}
	b := l.fetched("b")
	if n := interrupt(l, func() int { return len(l.claimOpenings(9)) }); n != MaxInterruptions {
		t.Errorf("an opening was parked after %d interruptions; want %d", n, MaxInterruptions)
	}
	if s := l.shipment(b); s.State != Parked || s.Reason != ReasonInterrupted || !s.RawHere() {
		t.Errorf("opening: %+v", s)
	}
	c := l.opened("c", "out")
	if n := interrupt(l, func() int { return len(l.running()) }); n != MaxInterruptions {
		t.Errorf("a delivery was parked after %d interruptions; want %d", n, MaxInterruptions)
	}
	if d, e := l.delivery(c, "out"), l.export(c); d.State != Parked || d.Reason != ReasonInterrupted || e.State != Parked || e.Reason != ReasonInterrupted {
		t.Errorf("delivery %+v, export %+v", d, e)
	}
	// A person may try each again, with a clean count.
	l.must(l.RerunShipment(bg, a, "by eve"))
	if s := l.shipment(a); s.Attempts != 0 {
		t.Errorf("a rerun begins with %d attempts; want 0", s.Attempts)
	}
	if n := interrupt(l, func() int { return len(l.claim(9)) }); n != MaxInterruptions {
		t.Errorf("after a rerun a download was parked after %d interruptions", n)
	}
	l.must(l.RerunShipment(bg, b, "by eve"))
	if n := interrupt(l, func() int { return len(l.claimOpenings(9)) }); n != MaxInterruptions {
		t.Errorf("after a rerun an opening was parked after %d interruptions", n)
	}
	l.must(l.RerunExport(bg, c, "all", []NewDelivery{{"out", "all"}}, "by eve"))
	if d := l.delivery(c, "out"); d.Attempts != 0 {
		t.Errorf("a rerun begins with %d attempts; want 0", d.Attempts)
	}
	if n := interrupt(l, func() int { return len(l.running()) }); n != MaxInterruptions {
		t.Errorf("after a rerun a delivery was parked after %d interruptions", n)
	}
	checkInvariants(t, l.DB, "interruptions")
}

func TestRecoverCounts(t *testing.T) {
	l := newLedger(t)
	l.opened("d", "out")
	l.running()
	l.fetched("o")
	l.claimOpenings(1)
	l.fetching("f")
	l.pending("rest")
	if returned, parked := l.recover(); returned != 3 || parked != 0 {
		t.Errorf("returned %d, parked %d; want 3 and 0", returned, parked)
	}
	if returned, parked := l.recover(); returned+parked != 0 {
		t.Errorf("a second time returned %d, parked %d; want none", returned, parked)
	}
}

func TestProgressClearsTheCountOfInterruptions(t *testing.T) {
	l := newLedger(t)
	id := l.pending("a")
	for i := range 2 * MaxInterruptions {
		if len(l.claim(1)) != 1 {
			t.Fatalf("parked after %d interruptions, each with progress", i)
		}
		l.must(l.Mark(bg, id, "etag", int64(i+1)<<24))
		l.recover()
	}
	s := l.shipment(id)
	if s.MarkETag != "etag" || s.MarkOffset != 2*MaxInterruptions<<24 || s.State != Pending {
		t.Errorf("after progress: %+v", s)
	}
	// The same place again is no progress.
	if n := interrupt(l, func() int {
		jobs := l.claim(1)
		for range jobs {
			l.must(l.Mark(bg, id, "etag", s.MarkOffset))
		}
		return len(jobs)
	}); n != MaxInterruptions-1 {
		t.Errorf("parked after %d interruptions more; want %d", n, MaxInterruptions-1)
	}
}

// A claim must not read the whole backlog: events wait for the same goroutine.
func TestClaimsOfManyEnvironments(t *testing.T) {
	l := newLedger(t)
	var arrivals []Arrival
	for i := range 50 {
		for j := range 4 {
			a := arrival(fmt.Sprint(i, "/", j))
			a.Environment, a.Shipment.Deadline = fmt.Sprintf("env%02d", i), testTime.Add(time.Duration(i+j*100)*time.Second)
			arrivals = append(arrivals, a)
		}
	}
	l.accept(arrivals...)
	jobs := l.claim(51)
	for i, j := range jobs[:50] {
		if want := fmt.Sprintf("env%02d", i); j.Shipment.Environment != want {
			t.Fatalf("claim %d went to %s; want %s", i, j.Shipment.Environment, want)
		}
	}
	if jobs[50].Shipment.Environment != "env00" {
		t.Errorf("the second round began with %s", jobs[50].Shipment.Environment)
	}
}

// Links that are past their time by our clock and were tried stand back behind
// those that live; each new one gets its attempt at once, however dead it looks.
func TestTriedDeadLinksStandBack(t *testing.T) {
	l := newLedger(t)
	l.clock.Store(testTime.Add(2 * time.Hour).UnixMilli())
	link := func(identity string, dies time.Duration) string {
		a := arrival(identity)
		a.Shipment.Deadline = testTime.Add(dies)
		return l.accept(a)[0].ShipmentID
	}
	tried := link("tried", time.Minute)
	l.claim(1)
	l.must(l.WaitFetch(bg, tried, l.Now(), ReasonNetwork, ""))
	lives, fresh := link("lives", 3*time.Hour), link("dead but new", time.Hour)
	var order []string
	for _, j := range l.claim(3) {
		order = append(order, j.Shipment.ID)
	}
	if want := []string{fresh, lives, tried}; !slices.Equal(order, want) {
		t.Errorf("claimed %v; want the new one, the one that lives, then the one that was tried: %v", order, want)
	}
}

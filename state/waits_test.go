package state

import (
	"fmt"
	"testing"
	"time"
)

// waiting brings n exports to an output that fails.
func (l *ledger) waiting(n int, output string, reason Reason) (ids []string) {
	l.t.Helper()
	for i := range n {
		ids = append(ids, l.opened(fmt.Sprintf("%s %s %d", output, reason, i), output))
	}
	for len(l.running()) > 0 {
	}
	for i, id := range ids {
		l.must(l.WaitDelivery(bg, DeliveryKey{id, output}, l.Now().Add(time.Duration(i+1)*time.Minute), reason, fmt.Sprintf("try of %d", i)))
	}
	return ids
}

// However many wait, there is one group for each output and reason, and one for
// each environment and reason of links.
func TestWaitsAreGrouped(t *testing.T) {
	l := newLedger(t)
	began := l.Now()
	lake := l.waiting(300, "lake", ReasonOutput)
	l.pass(time.Second)
	full := l.waiting(2, "lake", ReasonDisk)
	l.waiting(1, "other", ReasonOutput)
	link := l.fetching("link")
	deadline := l.shipment(link).Deadline
	l.must(l.WaitFetch(bg, link, l.Now().Add(time.Minute), ReasonNetwork, "no route"))

	got, err := l.Waits(bg, "")
	l.must(err)
	if len(got) != 4 {
		t.Fatalf("%d groups, want 4: %+v", len(got), got)
	}
	want := Wait{Kind: KindDelivery, Output: "lake", Reason: ReasonOutput, Count: 300, Since: began, NextTry: began.Add(time.Minute), ID: lake[0], Detail: "try of 0"}
	if got[0] != want {
		t.Errorf("%+v\nwant %+v", got[0], want)
	}
	if w := got[1]; w.Reason != ReasonDisk || w.Count != 2 || w.ID != full[0] || !w.Since.Equal(began.Add(time.Second)) {
		t.Errorf("%+v", w)
	}
	if w := got[3]; w.Kind != KindShipment || w.Environment != "prod" || w.ID != link || w.Detail != "no route" || !w.Deadline.Equal(deadline) || w.Count != 1 {
		t.Errorf("%+v", w)
	}
	l.pass(deadline.Sub(l.Now()) + time.Second)
	if got, err := l.Waits(bg, "prod"); err != nil || got[3].Overdue != 1 || got[0].Overdue != 0 {
		t.Errorf("after the link's time: %+v, %v", got, err)
	}
	if got, err := l.Waits(bg, "uat"); err != nil || len(got) != 0 {
		t.Errorf("of another environment: %+v, %v", got, err)
	}

	// The list has each of them, under the words that the groups use.
	for _, c := range []struct {
		f    Filter
		want int
	}{
		{Filter{States: []State{Waiting}, Limit: -1}, 303},
		{Filter{States: []State{Waiting}, Reason: ReasonDisk, Limit: -1}, 2},
		{Filter{Reason: ReasonDisk, Limit: -1}, 2},
		{Filter{States: []State{Waiting, Parked}, Entity: "CUSTOMER groups", Limit: -1}, 303},
		{Filter{States: []State{Parked}, Reason: ReasonDisk}, 0},
	} {
		if all, err := l.Exports(bg, c.f); err != nil || len(all) != c.want {
			t.Errorf("%+v: %d exports, %v; want %d", c.f, len(all), err, c.want)
		}
	}
}

// Since is told of the trouble of now, not of one that ended.
func TestWaitsSince(t *testing.T) {
	l := newLedger(t)
	id := l.waiting(1, "out", ReasonOutput)[0]
	l.pass(time.Hour)
	l.running()
	l.deliver(id, "out", 1)
	l.pass(time.Hour)
	l.must(l.RerunExport(bg, id, "all", []NewDelivery{{"out", "all"}}, "by eve"))
	l.running()
	began := l.Now()
	l.must(l.WaitDelivery(bg, DeliveryKey{id, "out"}, began.Add(time.Minute), ReasonOutput, "down"))
	l.pass(2 * time.Minute)
	l.running()
	l.must(l.WaitDelivery(bg, DeliveryKey{id, "out"}, l.Now().Add(time.Minute), ReasonOutput, "down"))
	got, err := l.Waits(bg, "prod")
	if err != nil || len(got) != 1 || !got[0].Since.Equal(began) {
		t.Errorf("%+v, %v; want since %v", got, err, began)
	}
}

// What waits is due now, and says in its story who wanted it; a repeat, and a
// worker that is at it, change nothing.
func TestRetry(t *testing.T) {
	l := newLedger(t)
	ids := l.waiting(retryChunk+5, "lake", ReasonOutput) // more than one transaction takes
	other := l.waiting(1, "other", ReasonOutput)[0]
	link := l.fetching("link")
	l.must(l.WaitFetch(bg, link, l.Now().Add(time.Hour), ReasonNetwork, "no route"))
	l.must(errOf(l.Retry(bg, RetryScope{ExportID: ids[0]}, "by ann")))
	held := l.running() // a worker is trying it
	if len(held) != 1 || held[0].Export.ID != ids[0] {
		t.Fatalf("claimed %d; want %s alone", len(held), ids[0])
	}

	got, err := l.Retry(bg, RetryScope{Output: "lake"}, "by eve")
	if err != nil || len(got) != len(ids)-1 || got[0].ID != ids[1] || got[0].Reason != ReasonOutput || got[0].Subject() != ids[1]+"/lake" {
		t.Fatalf("%d, %v; want %d", len(got), err, len(ids)-1)
	}
	if d := l.delivery(ids[0], "lake"); d.State != Running {
		t.Errorf("the one in a worker's hands is %s", d.State)
	}
	if d := l.delivery(other, "other"); !d.DueAt.After(l.Now()) {
		t.Error("another output's export is due")
	}
	before := len(l.journal())
	if again, err := l.Retry(bg, RetryScope{Output: "lake"}, "by eve"); err != nil || len(again) != 0 || len(l.journal()) != before {
		t.Errorf("a repeat takes %d, %v, and writes %d rows", len(again), err, len(l.journal())-before)
	}
	if due, err := l.Retry(bg, RetryScope{ExportID: ids[1], Due: true}, "by eve"); err != nil || len(due) != 1 {
		t.Errorf("with nobody at work %d are taken, %v; want 1", len(due), err)
	}
	if n, err := l.Trying(bg, RetryScope{Output: "lake"}); err != nil || n != len(ids) {
		t.Errorf("%d are being tried, %v; want %d", n, err, len(ids))
	}
	last := l.journal()[before]
	if last.Reason != ReasonRetry || last.Detail != "by eve" || last.From != Waiting || last.To != Waiting || last.ShipmentID == "" {
		t.Errorf("journal: %+v", last)
	}
	// What the worker finds stands: its wait is not undone by the wish.
	l.must(l.WaitDelivery(bg, DeliveryKey{ids[0], "lake"}, l.Now().Add(time.Minute), ReasonOutput, "still down"))
	if d := l.delivery(ids[0], "lake"); d.State != Waiting || d.Attempts != 2 {
		t.Errorf("after the worker's try: %s, %d attempts; want waiting, 2", d.State, d.Attempts)
	}
	if n := len(l.claim(9)); n != 0 {
		t.Errorf("%d links due that nobody asked for", n)
	}
	rest, err := l.Retry(bg, RetryScope{Environment: "prod"}, "by ann")
	if err != nil || len(rest) != 3 || rest[2].Kind != KindShipment || rest[2].ID != link {
		t.Errorf("%+v, %v; want the worker's, the other output's and the link", rest, err)
	}
	if jobs := l.claim(9); len(jobs) != 1 || jobs[0].Shipment.ID != link {
		t.Errorf("claimed %+v; want the link", jobs)
	}
}

// A link past its time is late whether it was tried, is being tried, or was
// never tried at all.
func TestLinksLate(t *testing.T) {
	l := newLedger(t)
	tried, trying := l.fetching("tried"), l.fetching("trying")
	l.must(l.WaitFetch(bg, tried, l.Now().Add(24*time.Hour), ReasonNetwork, "no route"))
	l.fetched("here")
	untried := l.pending("untried")
	late := func(environment string, want int64) {
		t.Helper()
		if n, err := l.LinksLate(bg, environment); err != nil || n != want {
			t.Errorf("%d links late in %q, %v; want %d", n, environment, err, want)
		}
	}
	late("", 0)
	l.pass(3 * time.Hour)
	for id, want := range map[string]State{tried: Waiting, trying: Fetching, untried: Pending} {
		if s := l.shipment(id); s.State != want {
			t.Errorf("%s is %s, want %s", id, s.State, want)
		}
	}
	late("", 3)
	late("prod", 3)
	late("uat", 0)
}

package state

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func (l *ledger) checkpoint() Checkpoint {
	l.t.Helper()
	all, err := l.Checkpoints(bg, Filter{})
	l.must(err)
	if len(all) != 1 {
		l.t.Fatalf("%d checkpoints; want 1", len(all))
	}
	return all[0]
}

// at is an arrival whose order key is so many minutes after the first.
func at(identity string, minutes int) Arrival {
	a := arrival(identity)
	a.EventAt = testTime.Add(time.Duration(minutes) * time.Minute)
	return a
}

func (l *ledger) landedAt(identity string, minutes int, rows int64) string {
	l.t.Helper()
	l.accept(at(identity, minutes))
	return l.finish(rows)
}

// finish walks the one pending shipment to its end.
func (l *ledger) finish(rows int64) string {
	l.t.Helper()
	id := l.claim(1)[0].Shipment.ID
	l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofWhole}))
	l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
	l.running()
	l.deliver(ExportID(id, ""), "out", rows)
	return ExportID(id, "")
}

func TestCheckpointOnlyMovesUp(t *testing.T) {
	l := newLedger(t)
	newest := ""
	for i, c := range []struct {
		minutes int
		highest int
	}{{10, 10}, {5, 10}, {20, 20}, {0, 20}, {20, 20}} {
		l.pass(time.Minute)
		id := l.landedAt(fmt.Sprint(i), c.minutes, 3)
		if c.minutes == c.highest {
			newest = id
		}
		cp := l.checkpoint()
		if !cp.Highest.At.Equal(testTime.Add(time.Duration(c.highest)*time.Minute)) || cp.ExportID != newest {
			t.Errorf("after %d min: highest %s of %s; want %d min of %s", c.minutes, cp.Highest, cp.ExportID, c.highest, newest)
		}
		if cp.Exports != int64(i+1) || cp.Rows != int64(3*(i+1)) || !cp.DeliveredAt.Equal(l.Now()) || cp.OldestOpen != nil || cp.OpenCount != 0 {
			t.Errorf("after %d deliveries: %+v", i+1, cp)
		}
	}
}

// At one time the number decides, and more digits are more.
func TestCheckpointOrdersByNumberToo(t *testing.T) {
	l := newLedger(t)
	for _, c := range []struct{ no, highest int64 }{{9, 9}, {10, 10}, {8, 10}} {
		a := arrival(fmt.Sprint(c.no))
		a.ControlNumber = &c.no
		l.accept(a)
		l.finish(1)
		if cp := l.checkpoint(); cp.Highest.No != c.highest {
			t.Errorf("after %d the highest is %d; want %d", c.no, cp.Highest.No, c.highest)
		}
	}
}

// The oldest open key sees what is anywhere on the way or on the list, and the
// highest one does not wait for it.
func TestOldestOpen(t *testing.T) {
	l := newLedger(t)
	l.landedAt("landed", 100, 1)
	oldest := func(where string, minutes int, open int64) {
		t.Helper()
		cp := l.checkpoint()
		if minutes < 0 {
			if cp.OldestOpen != nil || cp.OpenCount != 0 {
				t.Errorf("%s: oldest open %v of %d; want none", where, cp.OldestOpen, cp.OpenCount)
			}
		} else if cp.OldestOpen == nil || !cp.OldestOpen.At.Equal(testTime.Add(time.Duration(minutes)*time.Minute)) || cp.OpenCount != open {
			t.Errorf("%s: oldest open %v of %d; want %d min of %d", where, cp.OldestOpen, cp.OpenCount, minutes, open)
		}
		if !cp.Highest.At.Equal(testTime.Add(100 * time.Minute)) {
			t.Errorf("%s: highest is %s", where, cp.Highest)
		}
	}
	oldest("all landed", -1, 0)
	id := l.accept(at("late", 50))[0].ShipmentID
	oldest("pending", 50, 1)
	l.claim(1)
	l.accept(at("later", 60))
	oldest("fetching", 50, 2)
	l.must(l.Fetched(bg, id, RawFile{File: "raw/x", Proof: ProofWhole}))
	oldest("fetched", 50, 2)
	l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
	oldest("open", 50, 2)
	l.running()
	key := DeliveryKey{ExportID(id, ""), "out"}
	l.must(l.ParkDelivery(bg, key, ReasonBadRows, "line 7", Counts{Rows: 5, BadRows: 1}))
	oldest("parked", 50, 2)
	l.must(l.Skip(bg, key.ExportID, "eve", "corrected by hand"))
	oldest("skipped", 60, 1)
	l.finish(1)
	oldest("all at rest", -1, 0)
}

func TestExportLandsWithItsLastDelivery(t *testing.T) {
	l := newLedger(t)
	sh := l.fetched("a")
	l.must(l.Opened(bg, sh, "Sales", []NewExport{newExport("a.csv", "out", "lake"), newExport("b.csv", "out")}))
	a, b := ExportID(sh, "a.csv"), ExportID(sh, "b.csv")
	l.running()
	steps := []struct {
		export, output      string
		landed, other       State
		shipment            State
		link, landedHasTime bool
	}{
		{a, "lake", Open, Open, Fetched, true, false},
		{b, "out", Open, Landed, Fetched, true, false},
		{a, "out", Landed, Landed, Settled, false, true},
	}
	for _, s := range steps {
		if !l.hasLink(sh) {
			t.Fatal("the link went before the shipment settled")
		}
		l.deliver(s.export, s.output, 4)
		if ea, eb, es := l.export(a), l.export(b), l.shipment(sh); ea.State != s.landed || eb.State != s.other || es.State != s.shipment ||
			l.hasLink(sh) != s.link || ea.LandedAt.IsZero() == s.landedHasTime {
			t.Errorf("after %s to %s: %s and %s, shipment %s, link %t; want %+v", s.export, s.output, ea.State, eb.State, es.State, l.hasLink(sh), s)
		}
	}
	if e := l.export(a); e.Rows != 4 || e.Project != "Sales" || e.Member != "a.csv" {
		t.Errorf("export %+v", e)
	}
	checkInvariants(t, l.DB, "landing")
}

// The checkpoint moves in the transaction that marks the delivery. When the
// last write of that transaction fails, nothing of it has happened.
func TestDeliveredIsOneTransaction(t *testing.T) {
	for _, at := range []string{"UPDATE ON deliveries", "INSERT ON checkpoints", "UPDATE ON checkpoints", "UPDATE ON exports", "UPDATE ON shipments", "DELETE ON links", "INSERT ON journal"} {
		t.Run(at, func(t *testing.T) {
			l := newLedger(t)
			if at == "UPDATE ON checkpoints" {
				l.landed("before", 1)
			}
			id := l.opened("a", "out")
			l.running()
			before := l.dump()
			_, err := l.conn.ExecContext(bg, `CREATE TRIGGER broken BEFORE `+at+` BEGIN SELECT raise(FAIL, 'broken here'); END`)
			l.must(err)
			if err := l.Delivered(bg, DeliveryKey{id, "out"}, Landing{Path: "p", Counts: Counts{Rows: 1}}); err == nil {
				t.Fatal("delivered in spite of a failed write")
			}
			if l.dump() != before {
				t.Error("half of the transaction is in the ledger")
			}
			_, err = l.conn.ExecContext(bg, `DROP TRIGGER broken`)
			l.must(err)
			l.deliver(id, "out", 1)
			if e := l.export(id); e.State != Landed || l.shipment(e.ShipmentID).State != Settled {
				t.Errorf("export is %s afterwards", e.State)
			}
		})
	}
}

func TestOpenedIsRecordedOnce(t *testing.T) {
	l := newLedger(t)
	sh := l.fetched("a")
	if err := l.Opened(bg, sh, "", nil); err == nil {
		t.Error("a shipment without an export settled in silence")
	}
	both := []NewExport{newExport("same.csv", "out"), newExport("same.csv", "out")}
	if err := l.Opened(bg, sh, "", both); err == nil || l.count(`SELECT count(*) FROM exports`) != 0 {
		t.Errorf("one data file twice: %v; want a refusal that leaves nothing", err)
	}
	for range 2 { // a worker that was cut off behind the commit says it again
		l.must(l.Opened(bg, sh, "", []NewExport{
			newExport("a.csv", "out"),
			{Member: "b.csv", Entity: "B"}, // no flow, and no reason given
			{Member: "c.csv", Entity: "C", Reason: ReasonUnsafeName, Detail: "../c", Deliveries: []NewDelivery{{"out", "all"}}},
		}))
	}
	for member, want := range map[string]struct {
		state  State
		reason Reason
	}{"a.csv": {Open, ""}, "b.csv": {Parked, ReasonNoFlow}, "c.csv": {Parked, ReasonUnsafeName}} {
		if e := l.export(ExportID(sh, member)); e.State != want.state || e.Reason != want.reason {
			t.Errorf("%s is %s, %q; want %+v", member, e.State, e.Reason, want)
		}
	}
	if jobs := l.running(); len(jobs) != 1 || jobs[0].Export.Member != "a.csv" {
		t.Errorf("to deliver: %+v; want a.csv only", jobs)
	}
	l.deliver(ExportID(sh, "a.csv"), "out", 1)
	if s := l.shipment(sh); s.State != Settled {
		t.Errorf("shipment is %s; want settled, the rest is on a person's list", s.State)
	}
	checkInvariants(t, l.DB, "opening")
}

func TestParkedExportRunsAgain(t *testing.T) {
	all := func(outputs ...string) (list []NewDelivery) {
		for _, o := range outputs {
			list = append(list, NewDelivery{o, "new"})
		}
		return list
	}
	for _, c := range []struct {
		name   string
		wanted []NewDelivery
		states map[string]State // of the deliveries afterwards; "" is gone
		export State
	}{
		{"as it was", all("done", "bad"), map[string]State{"done": Delivered, "bad": Ready}, Open},
		{"the bad output removed", all("done"), map[string]State{"done": Delivered, "bad": ""}, Landed},
		{"the done output removed", all("bad"), map[string]State{"done": Delivered, "bad": Ready}, Open},
		{"an output added", all("done", "bad", "new"), map[string]State{"done": Delivered, "bad": Ready, "new": Ready}, Open},
		{"another output instead", all("new"), map[string]State{"done": Delivered, "bad": "", "new": Ready}, Open},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			id := l.opened("a", "done", "bad")
			l.running()
			l.deliver(id, "done", 5)
			l.must(l.ParkDelivery(bg, DeliveryKey{id, "bad"}, ReasonBadRows, "line 7", Counts{Rows: 4, BadRows: 1}))
			if e := l.export(id); e.State != Parked || e.Reason != ReasonBadRows || e.BadRows != 1 || l.shipment(e.ShipmentID).State != Settled {
				t.Fatalf("parked: %+v", e)
			}
			l.must(l.RerunExport(bg, id, "new", c.wanted, "by eve"))
			for output, want := range c.states {
				d := l.delivery(id, output)
				if d.State != want || want == Ready && (d.Flow != "new" || d.Reason != "" || d.DueAt.After(l.Now())) {
					t.Errorf("%s: %+v; want %q", output, d, want)
				}
			}
			if e := l.export(id); e.State != c.export || e.Flow != "new" || e.Reason != "" {
				t.Errorf("export %+v; want %s", e, c.export)
			}
			checkInvariants(t, l.DB, c.name)
			for _, j := range l.running() {
				l.deliver(id, j.Delivery.Output, 5)
			}
			if e := l.export(id); e.State != Landed {
				t.Errorf("export is %s at the end", e.State)
			}
			checkInvariants(t, l.DB, c.name)
		})
	}
}

func TestLandedExportRunsAgain(t *testing.T) {
	l := newLedger(t)
	id := l.opened("a", "out", "old")
	l.running()
	l.deliver(id, "out", 5)
	l.deliver(id, "old", 5)
	before := l.checkpointOf("out")
	l.must(l.RerunExport(bg, id, "all", []NewDelivery{{"out", "all"}, {"new", "all"}}, "by eve"))
	if d := l.delivery(id, "old"); d.State != Delivered {
		t.Errorf("what an output that is not named any more has is %s", d.State)
	}
	if jobs := l.running(); len(jobs) != 2 {
		t.Fatalf("to deliver again: %+v; want out and new", jobs)
	}
	l.deliver(id, "out", 5)
	if e := l.export(id); e.State != Open || !e.LandedAt.IsZero() {
		t.Errorf("export %+v; want open until new is done too", e)
	}
	l.deliver(id, "new", 5)
	if e := l.export(id); e.State != Landed || e.LandedAt.IsZero() {
		t.Errorf("export %+v; want landed", e)
	}
	if after := l.checkpointOf("out"); after.Highest != before.Highest || after.Exports != before.Exports || after.Rows != before.Rows || after.DeliveredAt != before.DeliveredAt {
		t.Errorf("checkpoint %+v after %+v; want it as it was: a repeat is no news", after, before)
	}
	checkInvariants(t, l.DB, "rerun")
}

func (l *ledger) checkpointOf(output string) Checkpoint {
	l.t.Helper()
	all, err := l.Checkpoints(bg, Filter{})
	l.must(err)
	for _, c := range all {
		if c.Output == output {
			return c
		}
	}
	l.t.Fatalf("no checkpoint for %s", output)
	return Checkpoint{}
}

func TestRerunsThatCannotBe(t *testing.T) {
	l := newLedger(t)
	id := l.landed("a", 1)
	if err := l.RerunExport(bg, id, "all", nil, "by eve"); err == nil {
		t.Error("a rerun to no output would land nowhere")
	}
	l.pass(time.Hour)
	if spent, err := l.ReleaseRaw(bg, l.Now(), 9); err != nil || len(spent) != 1 {
		t.Fatalf("released %v, %v", spent, err)
	}
	if err := l.RerunExport(bg, id, "all", []NewDelivery{{"out", "all"}}, "by eve"); !errors.As(err, new(*TransitionError)) {
		t.Errorf("rerun without the raw file: %v; want a TransitionError", err)
	}
	if e := l.export(id); e.State != Landed {
		t.Errorf("export is %s", e.State)
	}
	// A delivery that is done can be made ready by a rerun only.
	if err := l.ReleaseDelivery(bg, DeliveryKey{id, "out"}); !errors.As(err, new(*TransitionError)) {
		t.Errorf("release of a done delivery: %v; want a TransitionError", err)
	}
}

// One output that parks does not stop the export's others.
func TestOtherOutputsGoOn(t *testing.T) {
	l := newLedger(t)
	id := l.opened("a", "bad", "good")
	l.running()
	l.must(l.ParkDelivery(bg, DeliveryKey{id, "bad"}, ReasonOutput, "denied", Counts{}))
	l.deliver(id, "good", 3)
	if e, d := l.export(id), l.delivery(id, "good"); e.State != Parked || d.State != Delivered || l.checkpointOf("good").Rows != 3 {
		t.Errorf("export %s, good %s", e.State, d.State)
	}
	l.must(l.RerunExport(bg, id, "all", []NewDelivery{{"bad", "all"}, {"good", "all"}}, "by eve"))
	if jobs := l.running(); len(jobs) != 1 || jobs[0].Delivery.Output != "bad" {
		t.Errorf("to run again: %+v; want bad only", jobs)
	}
}

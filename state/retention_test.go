package state

import (
	"testing"
	"time"
)

const (
	keepRaw        = 14 * 24 * time.Hour
	keepIdentities = 400 * 24 * time.Hour
)

// atRest are situations in which nobody needs the raw file any more; in all
// others it must stay, however old it is.
var atRest = map[string]bool{
	"export landed, delivery delivered": true,
	"export skipped":                    true,
}

func TestRawFilesStayWhileTheyAreNeeded(t *testing.T) {
	for situation, build := range situations {
		t.Run(situation, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			s := build(l)
			release := func() (files []SpentRaw) {
				files, err := l.ReleaseRaw(bg, l.Now().Add(-keepRaw), 10)
				l.must(err)
				return files
			}
			l.pass(keepRaw)
			if files := release(); len(files) != 0 {
				t.Errorf("released after exactly the time: %v", files)
			}
			l.pass(time.Millisecond)
			files := release()
			if !atRest[situation] {
				if len(files) != 0 {
					t.Errorf("released %v", files)
				}
				return
			}
			if len(files) != 1 || files[0].ShipmentID != s.shipment || files[0].File != "raw/"+s.shipment {
				t.Fatalf("released %v; want the one raw file", files)
			}
			if sh := l.shipment(s.shipment); sh.RawHere() || !sh.RawRemovedAt.Equal(l.Now()) {
				t.Errorf("shipment %+v", sh)
			}
			if wanted, err := l.RawWanted(bg, s.shipment); err != nil || wanted {
				t.Errorf("the sweep would keep the file: %t, %v", wanted, err)
			}
			if again := release(); len(again) != 0 {
				t.Errorf("released twice: %v", again)
			}
			checkInvariants(t, l.DB, "release")
		})
	}
}

// The time counts from the last need: a late rerun or skip begins it anew.
func TestRawRetentionCountsFromTheLastNeed(t *testing.T) {
	l := newLedger(t)
	sh := l.fetched("a")
	l.must(l.Opened(bg, sh, "", []NewExport{newExport("a", "out"), {Member: "b", Entity: "B", Reason: ReasonNoFlow}}))
	l.running()
	l.deliver(ExportID(sh, "a"), "out", 1)
	l.pass(2 * keepRaw)
	release := func() int {
		files, err := l.ReleaseRaw(bg, l.Now().Add(-keepRaw), 10)
		l.must(err)
		return len(files)
	}
	if release() != 0 {
		t.Fatal("released while one of the shipment's exports is parked")
	}
	l.must(l.Skip(bg, ExportID(sh, "b"), "eve", ""))
	if release() != 0 {
		t.Error("released at the moment of the skip")
	}
	l.pass(keepRaw - time.Minute)
	l.must(l.RerunExport(bg, ExportID(sh, "a"), "all", []NewDelivery{{"out", "all"}}, "by eve"))
	l.pass(time.Hour)
	if release() != 0 {
		t.Fatal("released during a rerun")
	}
	l.running()
	l.deliver(ExportID(sh, "a"), "out", 1)
	l.pass(keepRaw)
	if release() != 0 {
		t.Error("released before the time after the rerun")
	}
	l.pass(time.Millisecond)
	if release() != 1 {
		t.Error("not released after the time")
	}
}

func TestRawWanted(t *testing.T) {
	l := newLedger(t)
	cut := l.fetching("cut")
	l.must(l.ParkShipment(bg, cut, ReasonNetwork, ""))
	for id, want := range map[string]bool{cut: true, l.fetched("here"): true, "sh_nobody": false, "": false} {
		if got, err := l.RawWanted(bg, id); err != nil || got != want {
			t.Errorf("%q wanted: %t, %v; want %t", id, got, err, want)
		}
	}
	l.must(l.Skip(bg, cut, "eve", ""))
	if got, err := l.RawWanted(bg, cut); err != nil || got {
		t.Errorf("the partial file of a skipped download is wanted: %t, %v", got, err)
	}
}

func (l *ledger) forget() int {
	l.t.Helper()
	n, err := l.Forget(bg, l.Now().Add(-keepIdentities), 100)
	l.must(err)
	return n
}

func (l *ledger) release() {
	l.t.Helper()
	_, err := l.ReleaseRaw(bg, l.Now().Add(-keepRaw), 100)
	l.must(err)
}

func TestIdentitiesAreForgottenOnlyAtRest(t *testing.T) {
	forgettable := map[string]bool{"event ignored": true, "event ignored, without a link": true, "export landed, delivery delivered": true, "export skipped": true}
	for situation, build := range situations {
		t.Run(situation, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			build(l)
			l.pass(keepIdentities)
			if atRest[situation] && l.forget() != 0 {
				t.Error("forgotten while the raw file is here")
			}
			l.release()
			if n := l.forget(); n != 0 {
				t.Errorf("%d forgotten after exactly the time", n)
			}
			l.pass(time.Millisecond)
			l.release()
			n := l.forget()
			if !forgettable[situation] {
				if n != 0 {
					t.Errorf("%d forgotten", n)
				}
				return
			}
			if n != 1 {
				t.Errorf("%d forgotten; want 1", n)
			}
			for _, table := range []string{"events", "bodies", "links", "unread", "shipments", "exports", "deliveries", "journal"} {
				if n := l.count(`SELECT count(*) FROM ` + table); n != 0 {
					t.Errorf("%d rows left in %s", n, table)
				}
			}
		})
	}
}

func TestWhatIsForgottenLandsAgain(t *testing.T) {
	l := newLedger(t)
	first := l.landed("a", 3)
	checkpoint := l.checkpoint()
	l.pass(keepIdentities + time.Hour)
	l.release()
	if n := l.forget(); n != 1 {
		t.Fatalf("%d forgotten", n)
	}
	if got := l.checkpoint(); got.Highest != checkpoint.Highest {
		t.Errorf("checkpoint %+v; forgetting is not to move it", got)
	}
	if again := l.landed("a", 3); again != first {
		t.Errorf("landed again as %s; want %s, the same file", again, first)
	}
}

func TestARepeatKeepsAnIdentity(t *testing.T) {
	l := newLedger(t)
	l.landed("a", 1)
	l.pass(keepIdentities - time.Hour)
	l.release()
	l.accept(arrival("a"))
	l.pass(2 * time.Hour)
	if n := l.forget(); n != 0 {
		t.Error("forgotten two hours after it was last seen")
	}
	if !l.accept(arrival("a"))[0].Duplicate {
		t.Error("landed again")
	}
}

// What was skipped without a raw file has nothing to wait for.
func TestASkippedLinkIsForgottenInTheEnd(t *testing.T) {
	l := newLedger(t)
	s := situations["shipment expired"](l)
	l.must(l.Skip(bg, s.shipment, "eve", ""))
	l.pass(keepIdentities + time.Hour)
	l.release()
	if n := l.forget(); n != 1 {
		t.Errorf("%d forgotten; want 1", n)
	}
}

// An event that was read again speaks for a shipment that came with another
// one; to forget it must not take that shipment along.
func TestForgettingAReadEventLeavesItsShipment(t *testing.T) {
	l := newLedger(t)
	body := l.accept(unreadable("body:1"))[0]
	l.pass(keepIdentities - 10*time.Hour)
	if _, err := l.Reread(bg, body.EventID, []Arrival{arrival("a")}); err != nil {
		t.Fatal(err)
	}
	id := l.finish(1)
	l.pass(11 * time.Hour)
	if n, err := l.Forget(bg, l.Now().Add(-keepIdentities), 100); err != nil || n != 0 {
		t.Fatalf("%d forgotten, %v, while the raw file is here", n, err)
	}
	l.pass(keepRaw)
	l.release()
	if n := l.forget(); n != 1 {
		t.Fatalf("%d forgotten; want the unreadable body only", n)
	}
	if e := l.export(id); e.State != Landed {
		t.Errorf("export %+v", e)
	}
	if !l.accept(arrival("a"))[0].Duplicate {
		t.Error("landed again")
	}
	checkInvariants(t, l.DB, "forget")
}

func TestRetentionTakesAFewAtATime(t *testing.T) {
	l := newLedger(t)
	for _, name := range []string{"a", "b", "c"} {
		l.landed(name, 1)
	}
	l.pass(keepIdentities + time.Hour)
	for _, want := range []int{2, 1, 0} {
		if files, err := l.ReleaseRaw(bg, l.Now().Add(-keepRaw), 2); err != nil || len(files) != want {
			t.Errorf("released %v, %v; want %d", files, err, want)
		}
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := l.Forget(bg, l.Now().Add(-keepIdentities), 2); err != nil || n != want {
			t.Errorf("forgot %d, %v; want %d", n, err, want)
		}
	}
}

package state

import (
	"testing"
	"time"
)

func init() {
	watched := func(to State) func(*ledger) subject {
		return func(l *ledger) subject {
			l.must(l.Watch(bg, "all", "prod"))
			if to != Punctual {
				l.silent(to, "so")
			}
			return subject{shipment: l.fetched("a")}
		}
	}
	situations["flow watched"] = watched(Punctual)
	situations["flow quiet"] = watched(Quiet)
	situations["flow late"] = watched(Late)
	transitions["watch"] = func(l *ledger, _ subject) error { return l.Watch(bg, "all", "prod") }
	transitions["heard"] = func(l *ledger, _ subject) error { return l.Heard(bg, "all", "prod") }
	for _, to := range []State{Quiet, Late} {
		transitions["silent, "+string(to)] = func(l *ledger, _ subject) error {
			c, err := l.Cadence(bg, "all", "prod")
			if err != nil {
				return err
			}
			return l.Silent(bg, Silence{Flow: "all", Environment: "prod", HeardAt: c.HeardAt, To: to})
		}
	}
}

func (l *ledger) cadence() Cadence {
	l.t.Helper()
	c, err := l.Cadence(bg, "all", "prod")
	l.must(err)
	return c
}

func (l *ledger) silent(to State, detail string) {
	l.t.Helper()
	l.must(l.Silent(bg, Silence{Flow: "all", Environment: "prod", HeardAt: l.cadence().HeardAt, To: to, Detail: detail}))
}

// A flow is heard of when one of its exports is opened, whatever becomes of it;
// what was found out before that about its silence counts no more.
func TestCadenceHears(t *testing.T) {
	l := newLedger(t)
	l.must(l.Watch(bg, "all", "prod"))
	began := l.cadence().HeardAt
	l.pass(time.Hour)
	l.must(l.Watch(bg, "all", "prod"))
	if c := l.cadence(); !c.HeardAt.Equal(began) || c.State != Punctual {
		t.Errorf("watched again, it is %+v", c)
	}
	l.must(l.Silent(bg, Silence{Flow: "all", Environment: "prod", HeardAt: began, To: Quiet, Detail: "0 rows", ExplainedAt: l.Now()}))
	if c := l.cadence(); c.State != Quiet || !c.Since().Equal(l.Now()) || !c.LookedAt.Equal(l.Now()) {
		t.Errorf("quiet, it is %+v", c)
	}
	l.pass(time.Hour)
	l.opened("a", "out")
	heard := l.Now()
	if c := l.cadence(); c.State != Punctual || !c.HeardAt.Equal(heard) || !c.Since().Equal(heard) || c.Detail != "" {
		t.Errorf("heard of, it is %+v", c)
	}
	l.must(l.Silent(bg, Silence{Flow: "all", Environment: "prod", HeardAt: began, To: Late, Detail: "asked before it came"}))
	if c := l.cadence(); c.State != Punctual {
		t.Errorf("an answer older than the export made it %s", c.State)
	}
	l.pass(time.Hour)
	l.must(l.Heard(bg, "all", "prod"))
	if c := l.cadence(); !c.HeardAt.Equal(l.Now()) {
		t.Errorf("begun anew, it is %+v", c)
	}
	l.must(l.Heard(bg, "another", "prod")) // not watched: nothing to do
	l.pass(time.Hour)
	l.must(l.PollBegun(bg, "prod", "a1"))
	m := NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c1", Body: []byte("receipt"), Flow: "all", NoFile: "none"}
	l.must(errOf(l.AcceptMessage(bg, m)))
	heard = l.Now()
	l.pass(time.Hour)
	l.must(errOf(l.AcceptMessage(bg, m))) // again: nothing new
	if c := l.cadence(); !c.HeardAt.Equal(heard) {
		t.Errorf("a message without a file is heard of at %v; want %v", c.HeardAt, heard)
	}
}

// Only news are told: a look that finds the same again adds nothing.
func TestSilenceIsToldOnce(t *testing.T) {
	l := newLedger(t)
	l.must(l.Watch(bg, "all", "prod"))
	before := len(l.journal())
	l.silent(Late, "nothing ran")
	l.silent(Late, "nothing ran")
	l.silent(Late, "it failed")
	if got := len(l.journal()) - before; got != 2 {
		t.Errorf("%d journal entries for two different findings; want 2", got)
	}
}

// A flow that landed exports before it was watched was heard of then.
func TestWatchKnowsThePast(t *testing.T) {
	l := newLedger(t)
	id := l.landed("a", 1)
	landed := l.delivery(id, "out").DeliveredAt
	l.pass(time.Hour)
	l.must(l.Watch(bg, "all", "prod"))
	if c := l.cadence(); !c.HeardAt.Equal(landed) {
		t.Errorf("heard at %v; want %v", c.HeardAt, landed)
	}
}

// A slot is taken with its runs in one transaction, once, and starts nothing
// beside a run that is open.
func TestScheduleSlots(t *testing.T) {
	l := newLedger(t)
	first, err := l.Slot(bg, "prod", "Nightly")
	l.must(err)
	if !first.Equal(l.Now()) {
		t.Errorf("first seen at %v, not %v", first, l.Now())
	}
	l.pass(time.Hour)
	take := func(execution string) []string {
		t.Helper()
		ids, err := l.RequestSlot(bg, "prod", "Nightly", l.Now(), []NewExecution{{Environment: "prod", Project: "Nightly", ExecutionID: execution, By: "schedule"}})
		l.must(err)
		if slot, err := l.Slot(bg, "prod", "Nightly"); err != nil || !slot.Equal(l.Now()) {
			t.Errorf("slot %v, %v; want %v", slot, err, l.Now())
		}
		return ids
	}
	ids := take("one")
	if len(ids) != 1 {
		t.Fatalf("%d runs", len(ids))
	}
	l.pass(time.Hour)
	if beside := take("two"); len(beside) != 0 {
		t.Error("a run beside an open one")
	}
	story, err := l.Story(bg, ids[0])
	l.must(err)
	if last := story[len(story)-1]; last.Reason != ReasonStillRunning {
		t.Errorf("nobody is told that a slot passed: %+v", last)
	}
	_, err = l.ClaimExecutions(bg, 9)
	l.must(err)
	l.must(l.EndExecution(bg, ids[0], Failed, "", ReasonNotStarted, "no"))
	l.pass(time.Hour)
	if after := take("three"); len(after) != 1 {
		t.Error("no run after a failed one")
	}
}

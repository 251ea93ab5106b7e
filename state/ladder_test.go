package state

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func init() {
	situations["expired, a full run started for it"] = func(l *ledger) subject {
		id := l.expired("a")
		_, err := l.Supersede(bg, l.shipment(id), NewExecution{Environment: "prod", Project: "Nightly", ExecutionID: "x"}, "")
		l.must(err)
		return subject{shipment: id}
	}
	situations["fetching what came by the queue already"] = func(l *ledger) subject {
		id := l.fetchingOf("a", "run")
		l.openedMessage("c1", "run")
		return subject{shipment: id}
	}
	situations["fetched what came by the queue already"] = func(l *ledger) subject {
		id := l.fetchingOf("a", "run")
		l.openedMessage("c1", "run")
		l.must(l.Fetched(bg, id, RawFile{File: "raw/x", Proof: ProofWhole}))
		return subject{shipment: id, export: ExportID(id, "")}
	}
	situations["running, its copy skipped"] = func(l *ledger) subject {
		id := l.fetchingOf("a", "run")
		l.must(l.Fetched(bg, id, RawFile{File: "raw/x", Proof: ProofWhole}))
		l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
		l.openedMessage("c1", "run")
		l.running()
		return subject{shipment: id, export: ExportID(id, ""), output: "out"}
	}
	transitions["renewed"] = func(l *ledger, s subject) error {
		return l.Renewed(bg, s.shipment, FreshLink{Link: "https://a.example/y?sig=new", LinkPath: "a.example/y"}, "")
	}
	transitions["wait renewal"] = func(l *ledger, s subject) error { return l.WaitRenewal(bg, s.claimed(l), l.Now(), "") }
	transitions["next rung"] = func(l *ledger, s subject) error { return l.NextRung(bg, s.claimed(l), RungQueue, "") }
	transitions["claim renewals"] = func(l *ledger, _ subject) error { return errOf(l.ClaimRenewals(bg, 9)) }
	transitions["supersede"] = func(l *ledger, s subject) error {
		_, err := l.Supersede(bg, s.claimed(l), NewExecution{Environment: "prod", Project: "Nightly", ExecutionID: "x"}, "")
		return err
	}
	transitions["superseded"] = func(l *ledger, s subject) error { return l.Superseded(bg, s.shipment, "ex_1") }
}

// claimed is the shipment as a worker of its ladder holds it; of what is no
// shipment, none.
func (s subject) claimed(l *ledger) Shipment {
	shipment, err := l.Shipment(bg, s.shipment)
	if err != nil && !errors.Is(err, ErrNotFound) {
		l.t.Fatal(err)
	}
	return shipment
}

func (l *ledger) expired(identity string) string {
	l.t.Helper()
	id := l.fetching(identity)
	l.must(l.Expire(bg, id, l.shipment(id).Deadline, "dead"))
	return id
}

// fetchingOf is a download whose event names its execution.
func (l *ledger) fetchingOf(identity, execution string) string {
	l.t.Helper()
	a := arrival(identity)
	a.Shipment.ExecutionID = execution
	id := l.accept(a)[0].ShipmentID
	l.claim(9)
	return id
}

// openedMessage is a message of an execution, fetched and opened; its export is
// of the same entity as that of arrival.
func (l *ledger) openedMessage(correlation, execution string) (exportID string) {
	l.t.Helper()
	l.must(l.PollBegun(bg, "prod", "a1"))
	r, err := l.AcceptMessage(bg, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: correlation, Body: []byte("receipt"), ExecutionID: execution})
	l.must(err)
	l.claim(9)
	l.must(l.Fetched(bg, r.ShipmentID, RawFile{File: "raw/" + r.ShipmentID, Proof: ProofWhole}))
	l.must(l.Opened(bg, r.ShipmentID, "", []NewExport{newExport("groups.csv", "out")}))
	return ExportID(r.ShipmentID, "groups.csv")
}

// One execution and entity that come by event and by queue land once, whichever
// is first, and what FinOps does not tell apart lands twice rather than never.
func TestOneExecutionByTwoWays(t *testing.T) {
	event := func(l *ledger, identity, execution string) string {
		id := l.fetchingOf(identity, execution)
		l.must(l.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofWhole}))
		l.must(l.Opened(bg, id, "", []NewExport{newExport("", "out")}))
		return ExportID(id, "")
	}
	for _, c := range []struct {
		name   string
		come   func(l *ledger) []string
		states []State
	}{
		{"event, then message", func(l *ledger) []string { return []string{event(l, "a", "run"), l.openedMessage("c1", "run")} }, []State{Open, Skipped}},
		{"message, then event", func(l *ledger) []string { return []string{l.openedMessage("c1", "run"), event(l, "a", "run")} }, []State{Open, Skipped}},
		{"two runs", func(l *ledger) []string { return []string{event(l, "a", "run 1"), l.openedMessage("c1", "run 2")} }, []State{Open, Open}},
		{"runs unknown", func(l *ledger) []string { return []string{event(l, "a", ""), l.openedMessage("c1", "")} }, []State{Open, Open}},
		{"two events of one run are two files", func(l *ledger) []string { return []string{event(l, "a", "run"), event(l, "b", "run")} }, []State{Open, Open}},
		{"an id that the job keeps for all its runs", func(l *ledger) []string {
			return []string{l.openedMessage("c1", "job"), l.openedMessage("c2", "job"), event(l, "a", "job")}
		}, []State{Open, Open, Open}},
		{"the same, events first", func(l *ledger) []string {
			return []string{event(l, "a", "job"), event(l, "b", "job"), l.openedMessage("c1", "job")}
		}, []State{Open, Open, Open}},
		{"the other stands on the list", func(l *ledger) []string {
			id := l.fetchingOf("a", "run")
			l.must(l.Fetched(bg, id, RawFile{File: "raw/x", Proof: ProofWhole}))
			l.must(l.Opened(bg, id, "", []NewExport{{Entity: "Customer groups", LegalEntity: "usmf", Reason: ReasonDamaged}}))
			return []string{ExportID(id, ""), l.openedMessage("c1", "run")}
		}, []State{Parked, Open}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			for i, id := range c.come(l) {
				e := l.export(id)
				if e.State != c.states[i] {
					t.Errorf("export %d is %s (%s %s); want %s", i, e.State, e.Reason, e.Detail, c.states[i])
				}
				if e.State == Skipped && (e.Reason != ReasonSameExport || e.Twin == "" || !strings.Contains(e.Detail, "run")) {
					t.Errorf("skipped without saying why: %+v", e)
				}
			}
			checkInvariants(t, l.DB, c.name)
		})
	}
}

// A shipment whose link is dead goes off the list when its rows are proven to
// have come by the queue, before it died or after.
func TestQueueClosesAnExpiredShipment(t *testing.T) {
	for name, come := range map[string]func(l *ledger, id string) (exportID string){
		"after": func(l *ledger, id string) string {
			l.must(l.Expire(bg, id, l.shipment(id).Deadline, "dead"))
			return l.openedMessage("c1", "run")
		},
		"before": func(l *ledger, id string) string {
			export := l.openedMessage("c1", "run")
			l.must(l.Expire(bg, id, l.shipment(id).Deadline, "dead"))
			return export
		},
		"refused, after": func(l *ledger, id string) string {
			l.must(l.ParkShipment(bg, id, ReasonLinkRefused, "no"))
			return l.openedMessage("c1", "run")
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			id := l.fetchingOf("a", "run")
			export := come(l, id)
			s := l.shipment(id)
			if s.State != Settled || s.Reason != ReasonSameExport || !strings.Contains(s.Detail, export) {
				t.Errorf("it is %s, %s %q; want it closed by %s", s.State, s.Reason, s.Detail, export)
			}
			if l.hasLink(id) {
				t.Error("its signature is kept")
			}
		})
	}
	t.Run("not of another entity", func(t *testing.T) {
		l := newLedger(t)
		a := arrival("a")
		a.Shipment.ExecutionID, a.Entity = "run", "Vendors"
		id := l.accept(a)[0].ShipmentID
		l.claim(9)
		l.must(l.Expire(bg, id, l.shipment(id).Deadline, "dead"))
		l.openedMessage("c1", "run")
		if s := l.shipment(id); s.State != Expired {
			t.Errorf("it is %s", s.State)
		}
	})
}

// One full run serves all shipments that were lost before it; a later loss
// takes a run of its own.
func TestSupersede(t *testing.T) {
	l := newLedger(t)
	first, second := l.expired("a"), l.expired("b")
	ask := func(id, execution string) string {
		t.Helper()
		x, err := l.Supersede(bg, l.shipment(id), NewExecution{Environment: "prod", Project: "Nightly", LegalEntity: "usmf", ExecutionID: execution, By: "finrelay"}, "nothing in the queue")
		l.must(err)
		return x
	}
	run := ask(first, "x1")
	if again := ask(second, "x2"); again != run {
		t.Errorf("two runs %s and %s for losses before both", run, again)
	}
	if s := l.shipment(first); s.Rung != RungRun || s.Superseding != run || s.RenewAt.IsZero() {
		t.Errorf("it waits for nothing: %+v", s)
	}
	l.must(l.Superseded(bg, first, "ex_full"))
	if s := l.shipment(first); s.State != Settled || s.Reason != ReasonSuperseded || !strings.Contains(s.Detail, "ex_full") {
		t.Errorf("closed as %s %s %q", s.State, s.Reason, s.Detail)
	}
	l.pass(time.Hour)
	a := arrival("c")
	a.EventAt = l.Now()
	third := l.accept(a)[0].ShipmentID
	l.claim(9)
	l.must(l.Expire(bg, third, l.shipment(third).Deadline, "dead"))
	if late := ask(third, "x3"); late == run {
		t.Error("a run that was over when the rows were lost is said to bring them")
	}
}

// A person who looked opens the whole way again.
func TestRerunBeginsWithTheFirstRung(t *testing.T) {
	l := newLedger(t)
	id := l.expired("a")
	l.must(l.NextRung(bg, l.shipment(id), RungQueue, "no link"))
	l.must(l.WaitRenewal(bg, l.shipment(id), time.Time{}, "nothing in the queue"))
	l.must(l.RerunShipment(bg, id, "by eve"))
	l.claim(9)
	l.must(l.Expire(bg, id, l.shipment(id).Deadline, "dead"))
	if s := l.shipment(id); s.Rung != RungLink || s.RenewAt.IsZero() {
		t.Errorf("it begins with %q at %v", s.Rung, s.RenewAt)
	}
}

// A person runs a dead shipment again while a worker of the old ladder is still
// at it, and the link turns out dead again: what the worker comes to is not the
// end of the new ladder.
func TestOldTryDoesNotEndARestartedLadder(t *testing.T) {
	run := NewExecution{Environment: "prod", Project: "Nightly", ExecutionID: "x"}
	for name, end := range map[string]func(*ledger, Shipment) error{
		"gives up":    func(l *ledger, s Shipment) error { return l.WaitRenewal(bg, s, time.Time{}, "drained, nothing") },
		"waits":       func(l *ledger, s Shipment) error { return l.WaitRenewal(bg, s, l.Now().Add(time.Hour), "not yet") },
		"goes on":     func(l *ledger, s Shipment) error { return l.NextRung(bg, s, RungRun, "drained, nothing") },
		"looks later": func(l *ledger, s Shipment) error { return l.LaterRenewal(bg, s, l.Now().Add(time.Hour)) },
		"starts a run": func(l *ledger, s Shipment) error {
			_, err := l.Supersede(bg, s, run, "drained, nothing")
			if _, moved := errors.AsType[*TransitionError](err); !moved {
				return fmt.Errorf("supersede gave %w; want a TransitionError", err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			id := l.expired("a")
			l.must(l.NextRung(bg, l.shipment(id), RungQueue, "no link"))
			claimed, err := l.ClaimRenewals(bg, 9)
			l.must(err)
			l.must(l.RerunShipment(bg, id, "by eve"))
			l.claim(9)
			l.must(l.Expire(bg, id, l.shipment(id).Deadline, "dead"))
			restarted := l.shipment(id)
			l.must(end(l, claimed[0]))
			if s := l.shipment(id); s.Rung != RungLink || !s.RenewAt.Equal(restarted.RenewAt) || s.Superseding != "" {
				t.Errorf("rung %s, due %v, superseded by %q; want the new ladder untouched, due %v", s.Rung, s.RenewAt, s.Superseding, restarted.RenewAt)
			}
			claimed, err = l.ClaimRenewals(bg, 9)
			l.must(err)
			if len(claimed) != 1 {
				t.Fatalf("%d claimed; want the new ladder's first try", len(claimed))
			}
			l.must(l.WaitRenewal(bg, claimed[0], time.Time{}, "no way"))
			if s := l.shipment(id); !s.RenewAt.IsZero() {
				t.Errorf("the new ladder's own try does not end it: due %v", s.RenewAt)
			}
		})
	}
}

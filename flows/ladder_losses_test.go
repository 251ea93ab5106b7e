package flows

import (
	"sync"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// The link to the package of an own run dies before it is fetched: the fresh
// link brings all of its entities, since no events bring them.
func TestExpiredPackageOfOwnRunIsRenewedWhole(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.runs(sim.ExecutionScript{}))
	w.fo.Fault(sim.Fault{Route: sim.RouteBlob, Status: 403, Code: "AuthenticationFailed", Message: "Signature not valid in the specified time frame", Times: 1})
	x := w.untilExecution(w.ask("usmf")[0], state.Done)
	w.untilPassing("at rest", func() bool { s := w.shipment(x.ShipmentID); return s.State == state.Settled })
	for _, e := range w.exports(x.ShipmentID) {
		w.wantExport(e, state.Landed, "", LandedHere)
	}
	if n := len(w.exports(x.ShipmentID)); n != 2 {
		t.Errorf("%d exports, want 2", n)
	}
	w.wantStory(x.ShipmentID, "fresh link")
}

// A start whose answer was lost after minutes: FinOps may not know the
// execution yet, and one such answer starts no second run.
func TestStartThatTookLong(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.runs(sim.ExecutionScript{Statuses: sim.Polls(3, 0, 1, sim.StatusSucceeded)})
	w.fo.Fault(sim.Fault{Route: sim.RouteExport, Lost: true})
	late := sync.OnceFunc(func() { w.pass(9 * time.Minute) })
	w.onTrace(func(step string) {
		if step == "called" {
			late()
		}
	})
	w.run(cfg)
	w.untilExecution(w.ask("usmf")[0], state.Done)
	if n := w.countRoute("export"); n != 1 {
		t.Errorf("FinOps was asked %d times to start one execution", n)
	}
}

// A status that says nothing for a moment ends no run, however old the run is.
func TestUnknownForAMoment(t *testing.T) {
	t.Parallel()
	for _, doubt := range []string{sim.StatusUnknown, sim.StatusNotFound} {
		t.Run(doubt, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			w.run(w.runs(sim.ExecutionScript{Statuses: []string{sim.StatusExecuting, sim.StatusExecuting, sim.StatusExecuting, sim.StatusExecuting,
				sim.StatusExecuting, sim.StatusExecuting, doubt, sim.StatusExecuting, sim.StatusSucceeded}, Lasts: time.Hour}))
			id := w.ask("usmf")[0]
			w.untilPassing("executing", func() bool { return w.execution(id).Status == sim.StatusExecuting })
			w.pass(40 * time.Minute)
			w.untilPassing("ended", func() bool { x := w.execution(id); return !x.EndedAt.IsZero() })
			if x := w.execution(id); x.State != state.Done {
				t.Errorf("after one %q it is %s: %s", doubt, x.State, x.Detail)
			}
		})
	}
}

// A full run that was started for lost rows closes the loss only when all that
// it holds of the entity has landed, and all of it was in it.
func TestFullRunThatMayNotHoldAll(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.losable(true)
	cfg.Projects[0].LandPartial = true
	w.fo.ScriptNext("Nightly", sim.ExecutionScript{Statuses: sim.Polls(0, 0, 1, sim.StatusPartiallySucceeded)})
	w.run(cfg)
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 3, ExecutionID: "gone", Link: sim.LinkOptions{Life: -time.Minute}})
	id := w.post(w.fo.Payload(e))[0].ShipmentID
	w.untilPassing("decided", func() bool {
		s := w.shipment(id)
		return s.State == state.Settled || s.Rung == state.RungRun && s.RenewAt.IsZero()
	})
	w.wantShipment(id, state.Expired, state.ReasonLinkExpired, AtRisk)
	w.wantStory(id, "only partly succeeded")
}

// The full run's own event may be here before its package: its rows close the
// loss all the same.
func TestFullRunWhoseEventCameFirst(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.losable(true))
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 3, ExecutionID: "gone", Link: sim.LinkOptions{Life: -time.Minute}})
	id := w.post(w.fo.Payload(e))[0].ShipmentID
	w.untilPassing("running", func() bool { s := w.shipment(id); return s.Superseding != "" })
	x := w.execution(w.shipment(id).Superseding)
	w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 9, ExecutionID: x.ExecutionID})
	w.untilPassing("decided", func() bool { s := w.shipment(id); return s.State == state.Settled || s.RenewAt.IsZero() })
	w.wantShipment(id, state.Settled, state.ReasonSuperseded, SameElsewhere)
}

// A run that does not end explains no silence; when it should have ended its
// project says.
func TestRunThatDoesNotEndIsNoExplanation(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Projects = []Project{
		{Flow: "all", Environment: "prod", Name: "Quick", MaxAge: 30 * time.Minute},
		{Flow: "all", Environment: "prod", Name: "Slow", MaxAge: 4 * 24 * time.Hour},
		{Flow: "all", Environment: "uat", Name: "Nightly", MaxAge: time.Minute}, // another environment's
	}
	w.open(cfg)
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	all := func(pastRun, pastEntity) claim { return isOurs }
	maxAge := func(run pastRun) time.Duration { return w.relay.maxAge("prod", run.project) }
	for _, c := range []struct {
		project string
		age     time.Duration
		want    state.State
	}{
		{"Nightly", time.Hour, state.Quiet},
		{"Nightly", 3 * 24 * time.Hour, state.Late},
		{"Quick", 20 * time.Minute, state.Quiet},
		{"quick", time.Hour, state.Late},
		{"Slow", 3 * 24 * time.Hour, state.Quiet},
	} {
		run := pastRun{id: "x", project: c.project, started: now.Add(-c.age), entities: []pastEntity{{label: "Customer groups", fate: fateRunning}}}
		if s, _ := explainSilence([]pastRun{run}, all, maxAge, now.Add(-2*time.Hour), now); s.To != c.want {
			t.Errorf("a run of %v of %s makes it %s (%s); want %s", c.age, c.project, s.To, s.Detail, c.want)
		}
	}
}

// One project is one project, however a person spells it: FinOps does not run
// it twice at a time.
func TestProjectSpelledOtherwise(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.losable(true))
	ids, err := w.relay.Export(t.Context(), ExportRequest{Environment: "prod", Project: "nightly", By: "eve"})
	if err != nil {
		t.Fatal(err)
	}
	if x := w.execution(ids[0]); x.Project != "Nightly" {
		t.Errorf("it runs under the lock of project %q", x.Project)
	}
}

// A clock that was ahead by a year and is set right stops neither polls nor
// schedules nor the watch for a year.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.expects()
	w.run(cfg)
	watched := w.watch()
	w.poll(q)
	year := 365 * 24 * time.Hour
	w.advance(year)
	w.poll(q)
	if err := w.db.Heard(t.Context(), "all", "prod"); err != nil {
		t.Fatal(err)
	}
	w.advance(-year)
	if due, err := w.relay.NextPoll(t.Context(), q); err != nil || due.After(w.db.Now().Add(time.Hour)) {
		t.Errorf("the queue is polled next at %v, %v; now is %v", due, err, w.db.Now())
	}
	if due, err := w.relay.lookDue(t.Context(), watched); err != nil || !due.After(w.db.Now()) || due.After(w.db.Now().Add(3*time.Hour)) {
		t.Errorf("the flow is looked at next at %v, %v; now is %v", due, err, w.db.Now())
	}
}

// After hours without a poll the message is as old as the event: the pair is
// shown, and held where the flow says so.
func TestTwinAfterHoursWithoutPolls(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.withEvents()
	cfg.Flows[0].HoldTwins = true
	w.run(cfg)
	w.poll(q)
	table := w.fo.SampleEntity("Customer groups", 5)
	w.fo.Enqueue(testActivity, w.fo.Package("Nightly", w.fo.Member(sim.CSVUTF8, table)), sim.MessageOptions{})
	w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &table})
	w.settle()
	w.pass(4 * time.Hour)
	w.poll(q)
	all, err := w.db.Exports(t.Context(), state.Filter{Limit: -1})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d exports, %v", len(all), err)
	}
	if m := all[0]; m.State != state.Parked || m.Reason != state.ReasonTwin || m.Twin != all[1].ID {
		t.Errorf("the message's export is %s %q, twin %q; want it held beside %s", m.State, m.Reason, m.Twin, all[1].ID)
	}
}

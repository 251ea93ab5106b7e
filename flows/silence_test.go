package flows

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"finrelay/dmf/sim"
	"finrelay/flows/cadence"
	"finrelay/state"
)

// expects is a flow that expects an export every two hours, and has a queue.
func (w *rig) expects() (Config, Queue) {
	w.t.Helper()
	cfg, q := w.withEvents()
	every2h, err := cadence.Parse("2h", "", 30*time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Flows[0].Cadence = every2h
	q.Schedule = cron.Every(30 * time.Minute)
	cfg.Queues = []Queue{q}
	cfg.Projects = []Project{{Flow: "all", Environment: "prod", Name: "Nightly"}}
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 1}}})
	return cfg, q
}

func (w *rig) watch() watch {
	w.t.Helper()
	all := w.relay.watched()
	if len(all) != 1 || all[0].environment != "prod" {
		w.t.Fatalf("watched: %+v; want prod alone", all)
	}
	if err := w.db.Watch(w.t.Context(), all[0].flow.Name, all[0].environment); err != nil {
		w.t.Fatal(err)
	}
	return all[0]
}

func (w *rig) stands() CadenceStands {
	w.t.Helper()
	all, err := w.relay.Cadences(w.t.Context())
	if err != nil || len(all) != 1 {
		w.t.Fatalf("cadences %+v, %v; want one", all, err)
	}
	return all[0]
}

// Before anybody is alarmed, the queue is drained and FinOps' history read.
func TestSilenceIsLookedInto(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		finop func(w *rig)
		want  state.State
		says  string
	}{
		{"nothing ran", func(w *rig) {}, state.Late, "has run nothing"},
		{"a run of no rows", func(w *rig) {
			w.fo.RunProject("Nightly", "usmf") // its one row
			// Of the first run something has been heard; only the second is to be explained.
			if err := w.db.Heard(w.t.Context(), "all", "prod"); err != nil {
				w.t.Fatal(err)
			}
			w.pass(2 * time.Hour)
			w.fo.RunProject("Nightly", "usmf")
			w.pass(-2 * time.Hour)
		}, state.Quiet, "exported 0 rows"},
		{"a run of no rows, and none after it", func(w *rig) {
			w.fo.RunProject("Nightly", "usmf")
			if err := w.db.Heard(w.t.Context(), "all", "prod"); err != nil {
				w.t.Fatal(err)
			}
			w.pass(time.Second)
			w.fo.RunProject("Nightly", "usmf")
			w.pass(time.Hour)
		}, state.Late, "0 rows"},
		{"rows that did not come", func(w *rig) { w.fo.RunProject("Nightly", "usmf") }, state.Late, "exported 1 rows of Customer groups"},
		{"it waits in the queue", func(w *rig) {
			w.fo.Enqueue(testActivity, nil, sim.MessageOptions{Blob: w.fo.RunProject("Nightly", "usmf").Blob})
		}, state.Punctual, ""},
		{"the queue says that there is nothing", func(w *rig) { w.fo.Enqueue(testActivity, nil, sim.MessageOptions{NoFile: true}) }, state.Punctual, ""},
		{"FinOps does not answer", func(w *rig) {
			w.fo.Fault(sim.Fault{Route: sim.RouteHistory, Status: 403, Times: sim.Always})
		}, state.Late, "history could not be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg, _ := w.expects()
			w.run(cfg)
			watched := w.watch()
			w.pass(time.Minute)
			c.finop(w)
			w.pass(2*time.Hour + 31*time.Minute)
			if due, err := w.relay.lookDue(t.Context(), watched); err != nil || due.After(w.db.Now()) {
				t.Fatalf("looked into at %v (now %v), %v", due, w.db.Now(), err)
			}
			if err := w.relay.look(t.Context(), watched); err != nil {
				t.Fatal(err)
			}
			s := w.stands()
			if s.State != c.want || !strings.Contains(s.Detail, c.says) {
				t.Errorf("it is %s: %s; want %s, %q", s.State, s.Detail, c.want, c.says)
			}
			due, err := w.relay.lookDue(t.Context(), watched)
			if err != nil || !due.After(w.db.Now()) {
				t.Errorf("it is looked into again at once: %v, %v", due, err)
			}
			if s.State == state.Quiet && s.DueAt.Before(w.db.Now().Add(-31*time.Minute)) {
				t.Errorf("explained until now, the next is due at %v", s.DueAt)
			}
		})
	}
}

// A flow without sign-in is late in plain words.
func TestSilenceWithoutSignIn(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows[0].Cadence, _ = cadence.Parse("15m", "", time.Minute)
	w.run(cfg)
	watched := w.watch()
	w.pass(17 * time.Minute)
	if err := w.relay.look(t.Context(), watched); err != nil {
		t.Fatal(err)
	}
	if s := w.stands(); s.State != state.Late || !strings.Contains(s.Detail, "no sign_in") {
		t.Errorf("%s: %s", s.State, s.Detail)
	}
	w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 1})
	w.settle()
	if s := w.stands(); s.State != state.Punctual || s.Detail != "" {
		t.Errorf("heard of, it is %s: %s", s.State, s.Detail)
	}
}

// The watch runs by itself.
func TestWatchLoop(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, _ := w.expects()
	cfg.Polling = true
	w.open(cfg)
	w.watch()
	w.pass(3 * time.Hour)
	w.start()
	w.until("late", func() bool { return w.stands().State == state.Late })
}

// While exports are overdue the queue is drained every five minutes.
func TestSilenceShortensTheInterval(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.expects()
	w.run(cfg)
	w.watch()
	w.poll(q)
	polled := w.db.Now()
	after := func() time.Duration {
		t.Helper()
		next, err := w.relay.NextPoll(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return next.Sub(polled).Round(time.Minute)
	}
	if d := after(); d != 30*time.Minute {
		t.Errorf("polled again after %v; want 30 minutes", d)
	}
	w.pass(2*time.Hour + time.Minute)
	w.poll(q)
	polled = w.db.Now()
	if d := after(); d != silentPoll {
		t.Errorf("overdue, polled again after %v; want %v", d, silentPoll)
	}
}

// Three days of events, then silence. Every run's rows go into the queue too;
// the queue is drained all the while, so nothing older is ever delivered after
// newer rows, whether FinOps says which run a message is of or not.
func TestEventsThenSilence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		proven bool
		copies int // of each run that an event announced
	}{{"runs are told", true, 1}, {"runs are not told", false, 2}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			cfg, q := w.expects()
			w.run(cfg)
			watched := w.watch()
			const step, announced, silent = 10 * time.Minute, 36, 6
			runOf := map[string]int{} // by the first row's account
			var stale time.Duration
			for run := range announced + silent {
				w.fo.Grow("Nightly", "Customer groups", 1)
				x := w.fo.RunProject("Nightly", "usmf")
				runOf[x.Tables[0].Rows[0][0]] = run
				m := sim.MessageOptions{Blob: x.Blob}
				if c.proven {
					m.ExecutionID = x.ID
				}
				w.fo.Enqueue(testActivity, nil, m)
				if run < announced {
					spec := sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &x.Tables[0]}
					if c.proven {
						spec.ExecutionID = x.ID
					}
					w.export(spec)
					w.settle()
				}
				ended := w.db.Now()
				for range int(2 * time.Hour / step) {
					w.pass(step)
					before := w.fo.Waiting(testActivity)
					w.turn(q, watched)
					if before > 0 && w.fo.Waiting(testActivity) == 0 {
						stale = max(stale, w.db.Now().Sub(ended))
					}
				}
			}
			w.settle()
			landed, last := map[int]int{}, -1
			for _, e := range w.inLandingOrder() {
				run := runOf[w.rows(e)[0]["CUSTOMERGROUPID"].(string)]
				landed[run]++
				if run < last {
					t.Errorf("run %d landed after run %d", run, last)
				}
				last = run
			}
			for run := range announced + silent {
				want := c.copies
				if run >= announced {
					want = 1
				}
				if landed[run] != want {
					t.Errorf("run %d landed %d times; want %d", run, landed[run], want)
				}
			}
			if stale > 40*time.Minute {
				t.Errorf("a message waited for %v", stale)
			}
			if n := w.fo.Waiting(testActivity); n != 0 {
				t.Errorf("%d messages are left in the queue", n)
			}
		})
	}
}

// turn does what the loops of a running server would do by now.
func (w *rig) turn(q Queue, watched watch) {
	w.t.Helper()
	if due, err := w.relay.NextPoll(w.t.Context(), q); err != nil {
		w.t.Fatal(err)
	} else if !due.After(w.db.Now()) {
		w.poll(q)
	}
	if due, err := w.relay.lookDue(w.t.Context(), watched); err != nil {
		w.t.Fatal(err)
	} else if !due.After(w.db.Now()) {
		if err := w.relay.look(w.t.Context(), watched); err != nil {
			w.t.Fatal(err)
		}
	}
}

// inLandingOrder gives the exports that landed, in the order they did.
func (w *rig) inLandingOrder() []state.Export {
	w.t.Helper()
	entries, err := w.db.Journal(context.Background(), 0, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []state.Export
	for _, j := range entries {
		if j.Kind == state.KindExport && j.To == state.Landed {
			e, err := w.db.Export(context.Background(), j.Subject)
			if err != nil {
				w.t.Fatal(err)
			}
			all = append(all, e)
		}
	}
	return all
}

// What a flow does with an export of no rows.
func TestZeroRows(t *testing.T) {
	t.Parallel()
	for policy, want := range map[Policy]struct {
		state  state.State
		reason state.Reason
		files  int
	}{
		"":     {state.Landed, "", 2},
		LandIt: {state.Landed, "", 2},
		OmitIt: {state.Landed, "", 0},
		ParkIt: {state.Parked, state.ReasonZeroRows, 0},
	} {
		t.Run(string(policy), func(t *testing.T) {
			w := newRig(t)
			cfg := w.takesAll()
			cfg.Flows[0].OnZeroRows = policy
			w.run(cfg)
			for range 2 { // quarter of an hour apart, alike to the byte: both settle
				r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 0})
				w.settle()
				e := w.only(r.ShipmentID)
				if e.State != want.state || e.Reason != want.reason {
					t.Errorf("%s %s (%s); want %s %s", e.State, e.Reason, e.Detail, want.state, want.reason)
				}
				w.pass(15 * time.Minute)
			}
			if files := w.tree(); len(files) != 2*want.files {
				t.Errorf("files %v; want %d an export", keys(files), want.files)
			}
			c, err := w.db.Checkpoints(t.Context(), state.Filter{})
			if err != nil || want.state == state.Landed && (len(c) != 1 || c[0].Exports != 2) {
				t.Errorf("checkpoints %+v, %v; want two exports counted", c, err)
			}
		})
	}
}

// A project's schedule: missed slots run once, company after company, and a slot
// that finds the last run open starts none.
func TestScheduledExports(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.runs(sim.ExecutionScript{})
	schedule, err := cron.ParseStandard("0 * * * *")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Queues, cfg.Polling = nil, true
	cfg.Projects = []Project{{Flow: "all", Environment: "prod", Name: "Nightly", LegalEntities: []string{"usmf", "demf"}, Schedule: schedule}}
	w.open(cfg)
	if _, err := w.db.Slot(t.Context(), "prod", "Nightly"); err != nil { // seen for the first time
		t.Fatal(err)
	}
	w.pass(5 * time.Hour) // while nothing ran here
	w.start()
	all := func() []state.Execution {
		x, err := w.db.Executions(t.Context(), state.Filter{Limit: -1})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	w.untilPassing("both companies exported", func() bool {
		x := all()
		return len(x) == 2 && x[0].State == state.Done && x[1].State == state.Done
	})
	x := all()
	if x[0].LegalEntity != "demf" || x[1].LegalEntity != "usmf" || x[0].RequestedBy != "the schedule" {
		t.Errorf("runs %+v", x)
	}
	if n := len(w.fo.Executions()); n != 2 {
		t.Errorf("%d runs in FinOps; want 2", n)
	}
	slot, err := w.db.Slot(t.Context(), "prod", "Nightly")
	if now := w.db.Now().UTC(); err != nil || now.Sub(slot) > time.Hour+time.Minute || slot.Minute() != 0 {
		t.Errorf("the slot taken is %v, %v; want the last one before %v", slot, err, now)
	}
}

// An ended run that gives no link is given up after ten minutes, however long
// it ran.
func TestEndedRunWithoutLink(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.runs(sim.ExecutionScript{Statuses: sim.Polls(1, 1, 3, sim.StatusSucceeded), URLEmpty: 1 << 20}))
	id := w.ask("usmf")[0]
	began := w.db.Now()
	x := w.untilExecution(id, state.Failed)
	if took := w.db.Now().Sub(began); took < linkGrace || took > 2*linkGrace {
		t.Errorf("given up after %v", took)
	}
	if !strings.Contains(x.Detail, "no link to its package") {
		t.Errorf("it says %q", x.Detail)
	}
}

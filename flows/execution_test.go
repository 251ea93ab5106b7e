package flows

import (
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// runs is a rig whose simulator has a data project of two entities.
func (w *rig) runs(script sim.ExecutionScript) Config {
	w.t.Helper()
	cfg, _ := w.polls(BacklogLand)
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Script: script, Entities: []sim.ProjectEntity{
		{Label: "Customer groups", Rows: 9}, {Label: "Vendor groups", Rows: 4},
	}})
	return cfg
}

func (w *rig) ask(companies ...string) []string {
	w.t.Helper()
	ids, err := w.relay.Export(w.t.Context(), ExportRequest{Environment: "prod", Project: "Nightly", LegalEntities: companies, By: "eve"})
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func (w *rig) execution(id string) state.Execution {
	w.t.Helper()
	x, err := w.db.Execution(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

func (w *rig) untilExecution(id string, want state.State) state.Execution {
	w.t.Helper()
	w.untilPassing("execution "+string(want), func() bool { return w.execution(id).State == want })
	return w.execution(id)
}

// Two companies of one project: one execution each, one after the other, and
// every entity of both packages lands.
func TestExportRunsInTurn(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.runs(sim.ExecutionScript{}))
	ids := w.ask("usmf", "demf")
	for _, id := range ids {
		x := w.untilExecution(id, state.Done)
		w.untilPassing("landed", func() bool { return w.shipment(x.ShipmentID).State == state.Settled })
		exports := w.exports(x.ShipmentID)
		if len(exports) != 2 {
			t.Fatalf("%d exports of %s, want 2", len(exports), x.LegalEntity)
		}
		for _, e := range exports {
			w.wantExport(e, state.Landed, "", LandedHere)
			if e.LegalEntity != x.LegalEntity || e.Project != "Nightly" {
				t.Errorf("export of company %q, project %q; want %q, Nightly", e.LegalEntity, e.Project, x.LegalEntity)
			}
		}
	}
	runs := w.fo.Executions()
	if len(runs) != 2 || runs[1].Started.Before(runs[0].Ended) {
		t.Errorf("executions in FinOps: %+v; want two, one after the other", runs)
	}
}

// A start whose answer was lost is asked about and not made twice; one that
// never reached FinOps is made once.
func TestStartWithoutAnswer(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sim.Fault{
		"answer lost": {Route: sim.RouteExport, Lost: true},
		"502":         {Route: sim.RouteExport, Status: 502},
		"throttled":   {Route: sim.RouteExport, Status: 429, RetryAfter: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRig(t)
			cfg := w.runs(sim.ExecutionScript{})
			w.fo.Fault(fault)
			w.run(cfg)
			w.untilExecution(w.ask("usmf")[0], state.Done)
			if runs := w.fo.Executions(); len(runs) != 1 {
				t.Errorf("%d executions were started, want 1", len(runs))
			}
		})
	}
}

// What FinOps does not start or does not finish is on the list with its words,
// and a stuck one keeps its project's lock.
func TestExecutionsThatNeedAPerson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		script sim.ExecutionScript
		want   state.State
		reason state.Reason
		says   string
	}{
		{"empty GUID", sim.ExecutionScript{EmptyGUID: true}, state.Failed, state.ReasonNotStarted, "did not start"},
		{"refused", sim.ExecutionScript{Refuse: "Entity Nosuch does not exist"}, state.Failed, state.ReasonNotStarted, "Nosuch"},
		{"failed", sim.ExecutionScript{Statuses: sim.Polls(1, 1, 1, sim.StatusFailed), InvalidErrors: true}, state.Failed, state.ReasonExecution, "Failed"},
		{"canceled", sim.ExecutionScript{Statuses: sim.Polls(0, 0, 1, sim.StatusCanceled)}, state.Failed, state.ReasonExecution, "Canceled"},
		{"unknown", sim.ExecutionScript{Statuses: []string{sim.StatusUnknown}}, state.Failed, state.ReasonExecution, "Unknown"},
		{"stuck", sim.ExecutionScript{Statuses: []string{sim.StatusExecuting}}, state.Stuck, state.ReasonStuck, "Executing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			w.run(w.runs(c.script))
			ids := w.ask("usmf", "demf")
			w.until("on the list", func() bool {
				if c.want == state.Stuck || c.name == "unknown" {
					w.pass(2 * time.Minute)
				}
				w.pass(10 * time.Second)
				time.Sleep(5 * time.Millisecond)
				return w.execution(ids[0]).State == c.want
			})
			x := w.execution(ids[0])
			if x.Reason != c.reason || !strings.Contains(x.Detail, c.says) {
				t.Errorf("%s: %s; want %s with %q", x.Reason, x.Detail, c.reason, c.says)
			}
			if next := w.relay.ExecutionWhereabouts(x).Next; !strings.Contains(next, "finrelay skip "+x.ID) {
				t.Errorf("advice does not name what to press: %q", next)
			}
			if c.want == state.Stuck {
				if second := w.execution(ids[1]); second.State != state.Queued {
					t.Errorf("the second run is %s beside a stuck one; want queued", second.State)
				}
			}
		})
	}
}

// A run that only partly succeeded is parked with FinOps' words, and lands
// when a person says so.
func TestPartlySucceeded(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.runs(sim.ExecutionScript{Statuses: sim.Polls(0, 0, 1, sim.StatusPartiallySucceeded), InvalidErrors: true}))
	x := w.untilExecution(w.ask("usmf")[0], state.Done)
	w.untilPassing("parked", func() bool { return w.shipment(x.ShipmentID).State == state.Settled })
	for _, e := range w.exports(x.ShipmentID) {
		w.wantExport(e, state.Parked, state.ReasonPartial, SafeHere)
	}
	if _, err := w.relay.RerunIDs(t.Context(), []string{x.ShipmentID}, false, "eve"); err != nil {
		t.Fatal(err)
	}
	w.until("landed", func() bool {
		for _, e := range w.exports(x.ShipmentID) {
			if e.State != state.Landed {
				return false
			}
		}
		return true
	})
}

// A sign-in that is refused is said as such, and tried on: a person mends it.
func TestExecutionWithoutSignIn(t *testing.T) {
	w := newRig(t)
	cfg := w.runs(sim.ExecutionScript{})
	w.fo.Fault(sim.Fault{Route: sim.RouteToken, Status: 401, Times: 2})
	w.run(cfg)
	id := w.ask("usmf")[0]
	w.until("refused", func() bool { return w.execution(id).Reason == state.ReasonSignIn })
	x := w.execution(id)
	if next := w.relay.ExecutionWhereabouts(x).Next; x.State != state.Starting || !strings.Contains(next, "environments.prod.sign_in") {
		t.Errorf("%s, next %q; want starting, with what to correct", x.State, next)
	}
	if x = w.untilExecution(id, state.Done); x.Reason != "" {
		t.Errorf("done, and its reason is still %s", x.Reason)
	}
	if runs := w.fo.Executions(); len(runs) != 1 {
		t.Errorf("%d executions were started, want 1", len(runs))
	}
}

// A stop at any moment starts no second execution and loses none.
func TestStopAroundTheStart(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"call", "called"} {
		t.Run(step, func(t *testing.T) {
			w := newRig(t)
			cfg := w.runs(sim.ExecutionScript{})
			w.run(cfg)
			reached := make(chan struct{}, 1)
			w.onTrace(func(s string) {
				if s == step {
					select {
					case reached <- struct{}{}:
					default:
					}
					time.Sleep(150 * time.Millisecond) // beyond the grace of a stop
				}
			})
			id := w.ask("usmf")[0]
			<-reached
			w.stop()
			w.onTrace(nil)
			w.pass(5 * time.Minute) // it stays down for a while
			w.run(cfg)
			w.untilExecution(id, state.Done)
			if runs := w.fo.Executions(); len(runs) != 1 {
				t.Errorf("%d executions were started, want 1", len(runs))
			}
		})
	}
}

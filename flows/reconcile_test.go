package flows

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// compared is a rig with the project "Nightly" of two entities, and no queue.
func (w *rig) compared() Config {
	w.t.Helper()
	cfg := w.runs(sim.ExecutionScript{})
	cfg.Queues = nil
	return cfg
}

func (w *rig) reconcile(q ReconcileRequest) Reconciliation {
	w.t.Helper()
	q.Environment = "prod"
	if q.By == "" {
		q.By = "eve"
	}
	res, err := w.relay.Reconcile(w.t.Context(), q)
	if err != nil {
		w.t.Fatalf("reconcile: %v\n%s", err, w.picture())
	}
	for _, f := range res.Findings {
		if strings.Contains(f.Cause+f.Next+f.Where, "sig=") {
			w.t.Errorf("a signature is shown: %+v", f)
		}
		if f.Open && f.Next == "" || strings.Contains(f.Next, "-ID") {
			w.t.Errorf("open, and nothing to copy that says what to do: %q of %+v", f.Next, f)
		}
	}
	return res
}

// wantFound compares findings as TestCompare writes them.
func (w *rig) wantFound(res Reconciliation, want ...string) {
	w.t.Helper()
	var got []string
	for i := range res.Findings {
		got = append(got, line(&res.Findings[i]))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// announce posts the event of one entity of a run, whose file is a bare one.
func (w *rig) announce(run sim.Execution, entity int, id string, life time.Duration) Receipt {
	w.t.Helper()
	table := run.Tables[entity]
	receipt, _, _ := w.export(sim.ExportSpec{Entity: table.Label, LegalEntity: "usmf", Format: sim.CSVUTF8, Table: &table,
		ExecutionID: id, DefinitionGroup: run.Project, Link: sim.LinkOptions{Life: life}})
	return receipt
}

func (w *rig) allLanded() {
	w.t.Helper()
	w.untilPassing("all landed", func() bool {
		s, err := w.db.Status(w.t.Context(), "")
		if err != nil {
			w.t.Fatal(err)
		}
		return s.OnTheWay == 0
	})
}

// Three nights: one landed, of one an event never came, of one nothing came at
// all. What is missing is found with certainty, and comes without any run being
// started; doing it again does nothing.
func TestReconcileBringsWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.compared())
	first := w.fo.RunProject("Nightly", "usmf")
	w.announce(first, 0, first.ID, 0)
	w.announce(first, 1, first.ID, 0)
	w.settle()
	w.pass(time.Hour)
	w.fo.Grow("Nightly", "Customer groups", 3)
	w.fo.Grow("Nightly", "Vendor groups", 2)
	second := w.fo.RunProject("Nightly", "usmf")
	w.announce(second, 0, second.ID, 0)
	w.settle()
	w.pass(time.Hour)
	w.fo.Grow("Nightly", "Customer groups", 4)
	third := w.fo.RunProject("Nightly", "usmf")
	w.pass(time.Hour)

	missing := []string{"missing " + second.ID + " Vendor groups open", "missing " + third.ID + " Customer groups open", "no_rows " + third.ID + " Vendor groups"}
	res := w.reconcile(ReconcileRequest{})
	w.wantFound(res, missing...)
	if res.Open != 2 || res.Executions != 3 || res.Entities != 6 || !slices.Equal(res.Projects, []string{"Nightly"}) {
		t.Errorf("compared %+v", res)
	}
	if f := res.Findings[0]; f.Horizon == nil || f.Horizon.Gone || !strings.HasPrefix(f.Where, "still in FinOps until") || !strings.Contains(f.Next, "--fix") {
		t.Errorf("first finding %+v", f)
	}
	res = w.reconcile(ReconcileRequest{Fix: true})
	w.wantFound(res, missing...)
	if res.Open != 0 || !res.Findings[0].Fix.Done || res.Findings[0].Fix.Action != "adopted" {
		t.Errorf("after --fix %d are open: %+v", res.Open, res.Findings)
	}
	w.reconcile(ReconcileRequest{Fix: true}) // at once, while the first may be at work
	w.allLanded()
	w.wantFound(w.reconcile(ReconcileRequest{}), "no_rows "+third.ID+" Vendor groups")
	for _, c := range []struct {
		of     Finding
		table  sim.Table
		others int // entities of the run that were here, or that were taken with it
	}{{res.Findings[0], second.Tables[1], 1}, {res.Findings[1], third.Tables[0], 2}} {
		exports := w.exports(c.of.Fix.Shipment)
		if len(exports) != c.others {
			t.Fatalf("%s: %d exports of its shipment, want %d", c.of.ExecutionID, len(exports), c.others)
		}
		for _, e := range exports {
			if e.Entity == c.table.Label {
				w.wantRows(e, c.table)
			}
		}
	}
	if n := w.countRoute("export"); n != 0 {
		t.Errorf("%d executions were started", n)
	}
}

// An expired link that nobody could renew is one finding, with a fresh link
// asked for when FinOps answers again.
func TestReconcileRunsAgainWhatExpired(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.compared())
	w.fo.Fault(sim.Fault{Route: sim.RouteURL, Status: 400, Message: "not today", Times: sim.Always})
	run := w.fo.RunProject("Nightly", "usmf")
	lost := w.announce(run, 0, run.ID, -time.Minute)
	w.announce(run, 1, run.ID, 0)
	w.allLanded()
	w.pass(time.Hour)
	w.fo.ClearFaults()
	want := "missing " + run.ID + " Customer groups open"
	res := w.reconcile(ReconcileRequest{Fix: true})
	w.wantFound(res, want)
	f := res.Findings[0]
	if f.Fix == nil || !f.Fix.Done || f.Fix.Action != "rerun" || f.Fix.Shipment != lost.ShipmentID || !slices.Equal(f.Shipments, []string{lost.ShipmentID}) {
		t.Fatalf("finding %+v, fix %+v", f, f.Fix)
	}
	if !strings.Contains(f.Cause, "expired") {
		t.Errorf("cause %q", f.Cause)
	}
	w.untilPassing("landed", func() bool { return w.shipment(lost.ShipmentID).State == state.Settled })
	w.wantRows(w.only(lost.ShipmentID), run.Tables[0])
	w.wantFound(w.reconcile(ReconcileRequest{}))
}

// What is only likely, or gone from FinOps, is never touched.
func TestReconcileLeavesAlone(t *testing.T) {
	t.Parallel()
	t.Run("likely", func(t *testing.T) {
		w := newRig(t)
		w.run(w.compared())
		first := w.fo.RunProject("Nightly", "usmf")
		w.announce(first, 0, "", 0)
		w.announce(first, 1, "", 0)
		w.settle()
		w.pass(3 * time.Hour)
		w.fo.Grow("Nightly", "Customer groups", 3)
		second := w.fo.RunProject("Nightly", "usmf")
		w.pass(3 * time.Hour)
		res := w.reconcile(ReconcileRequest{Fix: true})
		w.wantFound(res, "missing "+second.ID+" Customer groups likely open", "no_rows "+second.ID+" Vendor groups")
		w.wantUntouched(res, 1)
	})
	t.Run("gone", func(t *testing.T) {
		w := newRig(t)
		w.run(w.compared())
		run := w.fo.RunProject("Nightly", "usmf")
		w.announce(run, 1, run.ID, 0)
		w.settle()
		w.pass(BlobLife + time.Hour)
		res := w.reconcile(ReconcileRequest{Fix: true, From: w.db.Now().Add(-2 * BlobLife)})
		w.wantFound(res, "missing "+run.ID+" Customer groups open")
		if f := res.Findings[0]; !f.Horizon.Gone || f.Where != string(Lost) || !strings.Contains(f.Next, "full push") || f.Fix == nil || f.Fix.Done {
			t.Errorf("finding %+v, fix %+v", f, f.Fix)
		}
		w.wantUntouched(res, 1)
	})
	t.Run("no package", func(t *testing.T) {
		w := newRig(t)
		w.run(w.compared())
		run := w.fo.RunProject("Nightly", "usmf")
		w.announce(run, 1, run.ID, 0)
		w.settle()
		w.pass(time.Hour)
		w.fo.Fault(sim.Fault{Route: sim.RouteURL, Status: 400, Message: "of a queue, not of the package API", Times: sim.Always})
		res := w.reconcile(ReconcileRequest{Fix: true})
		if f := res.Findings[0]; f.Fix == nil || f.Fix.Done || !strings.Contains(f.Fix.Note, "of a queue") {
			t.Errorf("finding %+v, fix %+v", f, f.Fix)
		}
		if res.Open != 1 {
			t.Errorf("%d open, want 1", res.Open)
		}
	})
}

func (w *rig) wantUntouched(res Reconciliation, open int) {
	w.t.Helper()
	if n := w.countRoute(sim.RouteURL) + w.countRoute(sim.RouteExport); n != 0 || res.Open != open {
		w.t.Errorf("FinOps was asked %d times for packages and runs, want never; %d open, want %d", n, res.Open, open)
	}
}

// A message that waits in a queue is on its way; polled, it has landed.
func TestReconcileKnowsQueues(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.runs(sim.ExecutionScript{})
	cfg, q := w.polls(BacklogLand)
	w.run(cfg)
	w.poll(q)
	w.pass(time.Minute)
	run := w.fo.RunProject("Nightly", "usmf")
	w.fo.Enqueue(testActivity, nil, sim.MessageOptions{Blob: run.Blob, ExecutionID: run.ID})
	w.pass(time.Hour)
	project := ReconcileRequest{Projects: []string{"nightly"}, Fix: true}
	res := w.reconcile(project)
	w.wantFound(res, "on_the_way "+run.ID+" Customer groups likely", "on_the_way "+run.ID+" Vendor groups likely")
	w.wantUntouched(res, 0)
	w.poll(q)
	res = w.reconcile(project)
	w.wantFound(res)
	w.wantUntouched(res, 0)
}

// Runs that finrelay asked for are told apart by their ids, failed ones too.
func TestReconcileOwnRuns(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.compared())
	good := w.untilExecution(w.ask("usmf")[0], state.Done)
	w.allLanded()
	w.pass(time.Hour)
	w.fo.ScriptNext("Nightly", sim.ExecutionScript{Statuses: sim.Polls(0, 0, 1, sim.StatusFailed)})
	bad := w.untilExecution(w.ask("usmf")[0], state.Failed)
	w.pass(time.Hour)
	w.fo.ScriptNext("Nightly", sim.ExecutionScript{Statuses: []string{sim.StatusExecuting}})
	live := w.untilExecution(w.ask("usmf")[0], state.Running)
	w.wantFound(w.reconcile(ReconcileRequest{}), "failed "+bad.ExecutionID+" Customer groups open", "failed "+bad.ExecutionID+" Vendor groups open",
		"running "+live.ExecutionID+" Customer groups", "running "+live.ExecutionID+" Vendor groups", "own_execution "+live.ExecutionID+" ")
	if good.ShipmentID == "" {
		t.Error("the good run has no shipment")
	}
	w.pass(MaxExecutionAge)
	stuck := w.untilExecution(live.ID, state.Stuck)
	for _, f := range w.reconcile(ReconcileRequest{}).Findings {
		if f.Kind == FindOwn && (!f.Open || !strings.Contains(f.Next, "finrelay skip "+stuck.ID)) {
			t.Errorf("a stuck run of ours: %+v", f)
		}
	}
}

// Projects that nothing ever came from, imports among them, are left out and
// named; a history that was cut off is said to be.
func TestReconcileSaysWhatItLeftOut(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.compared())
	w.fo.AddProject(sim.Project{Name: "Copy legal entity", Entities: []sim.ProjectEntity{{Label: "Units", Rows: 2}}})
	run := w.fo.RunProject("Nightly", "usmf")
	w.announce(run, 0, run.ID, 0)
	w.announce(run, 1, run.ID, 0)
	w.settle()
	other := w.fo.RunProject("Copy legal entity", "usmf")
	w.pass(time.Hour)
	res := w.reconcile(ReconcileRequest{})
	w.wantFound(res)
	if want := []LeftOut{{"Copy legal entity", 1}}; !slices.Equal(res.LeftOut, want) {
		t.Errorf("left out %+v, want %+v", res.LeftOut, want)
	}
	res = w.reconcile(ReconcileRequest{Projects: []string{"Copy legal entity"}})
	w.wantFound(res, "missing "+other.ID+" Units open")
	if res.Executions != 1 || len(res.LeftOut) != 0 {
		t.Errorf("compared %+v; want the one project", res)
	}
	res = w.reconcile(ReconcileRequest{MostRows: 1})
	w.wantFound(res, "history_truncated   open")
	if res.Open != 1 {
		t.Errorf("%d open, want 1", res.Open)
	}
}

func TestReconcileWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.open(w.compared())
	for name, c := range map[string]struct {
		fault sim.Fault
		want  state.Reason
	}{
		"sign-in":     {sim.Fault{Route: sim.RouteHistory, Status: 401, Times: sim.Always}, state.ReasonSignIn},
		"unreachable": {sim.Fault{Route: sim.RouteHistory, Status: 503, Times: sim.Always}, state.ReasonNetwork},
		"refused":     {sim.Fault{Route: sim.RouteHistory, Status: 400, Message: "no such set", Times: sim.Always}, state.ReasonFinOps},
	} {
		w.fo.ClearFaults()
		w.fo.Fault(c.fault)
		_, err := w.relay.Reconcile(t.Context(), ReconcileRequest{Environment: "prod"})
		if f, ok := errors.AsType[*FinOpsError](err); !ok || f.Reason != c.want {
			t.Errorf("%s: %v; want a FinOpsError of %s", name, err, c.want)
		}
	}
	if _, err := w.relay.Reconcile(t.Context(), ReconcileRequest{Environment: "nowhere"}); err == nil || !strings.Contains(err.Error(), "sign_in") {
		t.Errorf("an environment without a sign-in: %v", err)
	}
}

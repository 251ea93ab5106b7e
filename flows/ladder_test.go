package flows

import (
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// story of a shipment, as one text.
func (w *rig) story(id string) string {
	w.t.Helper()
	entries, err := w.db.Story(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(string(e.Kind) + " " + string(e.To) + " " + string(e.Reason) + " " + e.Detail + "\n")
	}
	return b.String()
}

func (w *rig) wantStory(id string, says ...string) {
	w.t.Helper()
	story := w.story(id)
	for _, part := range says {
		if !strings.Contains(story, part) {
			w.t.Errorf("the story does not say %q:\n%s", part, story)
		}
	}
}

// wantReconciled: FinOps' history and the ledger agree.
func (w *rig) wantReconciled() {
	w.t.Helper()
	res, err := w.relay.Reconcile(w.t.Context(), ReconcileRequest{Environment: "prod", From: w.db.Now().Add(-24 * time.Hour)})
	if err != nil || res.Open != 0 {
		w.t.Errorf("reconciled: %+v, %v; want nothing open", res.Findings, err)
	}
}

// withEvents is a queue whose exports are announced by events too.
func (w *rig) withEvents() (Config, Queue) {
	cfg, q := w.polls(BacklogLand)
	q.WithEvents = true
	cfg.Queues = []Queue{q}
	return cfg, q
}

// What came by event is acked without landing again, because FinOps says that
// the message is of the same run; and the other way round.
func TestSameRunByEventAndQueueLandsOnce(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"event", "queue"} {
		t.Run(first+" first", func(t *testing.T) {
			w := newRig(t)
			cfg, q := w.withEvents()
			w.run(cfg)
			w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}, {Label: "Vendor groups", Rows: 4}}})
			run := w.fo.RunProject("Nightly", "usmf")
			m := w.fo.Enqueue(testActivity, nil, sim.MessageOptions{Blob: run.Blob, ExecutionID: run.ID})
			byEvent := func() string {
				r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &run.Tables[0], ExecutionID: run.ID})
				w.settle()
				return r.ShipmentID
			}
			var event string
			if first == "event" {
				event = byEvent()
				w.poll(q)
			} else {
				w.poll(q)
				event = byEvent()
			}
			if at, _ := m.Ack(); at.IsZero() {
				t.Error("the message is not acked")
			}
			landed := map[string]int{}
			all, err := w.db.Exports(t.Context(), state.Filter{Limit: -1})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				switch e.State {
				case state.Landed:
					landed[e.Entity]++
				case state.Skipped:
					w.wantExport(e, state.Skipped, state.ReasonSameExport, SameElsewhere)
					if (e.ShipmentID == event) != (first == "queue") {
						t.Errorf("the first copy was skipped: %+v", e)
					}
				default:
					t.Errorf("%s is %s", e.Entity, e.State)
				}
			}
			w.wantReconciled()
			if len(all) != 3 || landed["Customer groups"] != 1 || landed["Vendor groups"] != 1 {
				t.Errorf("%d exports, landed %v; want 3, each entity landed once", len(all), landed)
			}
		})
	}
}

// Without an answer to the question which run a message is of, both land and
// the pair is shown: never is one dropped on a guess.
func TestWithoutProofBothLand(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.withEvents()
	w.run(cfg)
	table := w.fo.SampleEntity("Customer groups", 5)
	w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &table, ExecutionID: "run-1"})
	w.settle()
	w.fo.Enqueue(testActivity, w.fo.Package("Nightly", w.fo.Member(sim.CSVUTF8, table)), sim.MessageOptions{})
	w.poll(q)
	all, err := w.db.Exports(t.Context(), state.Filter{Limit: -1})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d exports, %v", len(all), err)
	}
	if all[0].State != state.Landed || all[1].State != state.Landed || all[0].Twin != all[1].ID {
		t.Errorf("%+v; want both landed, the later pointing at the other", all)
	}
}

// The second rung: a dead link that FinOps cannot renew is closed by the
// message of the same run, and the story tells both rungs.
func TestQueueIsDrainedForADeadLink(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, _ := w.withEvents()
	w.run(cfg)
	w.fo.Fault(sim.Fault{Route: sim.RouteURL, Status: 400, Message: "gone for good", Times: sim.Always})
	receipt, run := w.expiredOfQueued()
	w.untilPassing("closed", func() bool { return w.shipment(receipt.ShipmentID).State == state.Settled })
	w.settle()
	s := w.wantShipment(receipt.ShipmentID, state.Settled, state.ReasonSameExport, SameElsewhere)
	w.wantStory(s.ID, "gone for good", "the same execution and entity came another way")
	all, err := w.db.Exports(t.Context(), state.Filter{Entity: "Customer groups", Limit: -1})
	if err != nil || len(all) != 1 || all[0].State != state.Landed || all[0].Rows != int64(len(run.Tables[0].Rows)) {
		t.Errorf("exports of the entity: %+v, %v; want one, landed", all, err)
	}
}

func (w *rig) expiredOfQueued() (Receipt, sim.Execution) {
	receipt, run := w.expiredOf("")
	w.fo.Enqueue(testActivity, nil, sim.MessageOptions{Blob: run.Blob, ExecutionID: run.ID})
	return receipt, run
}

// A message that only looks alike closes nothing: it lands in its own right,
// and the dead link stays on the list with what was tried.
func TestQueueWithoutProofClosesNothing(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, _ := w.withEvents()
	w.run(cfg)
	receipt, _ := w.expiredOf("Nightly-of-another-life")
	data, _ := w.queued(4)
	w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	w.wantNoFreshLink(receipt, "were not found")
	w.wantStory(receipt.ShipmentID, "the queue of flow all was drained, 1 new messages, none of them proven", "an incremental export cannot be repeated")
}

// An event that names no execution: the history is searched for the run whose
// package is the very blob of the dead link. Another run of the same entity is
// not taken for it.
func TestExecutionIsFoundByItsBlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		same bool
	}{{"the same blob", true}, {"another run's blob", false}} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg, _ := w.polls(BacklogLand)
			w.run(cfg)
			w.fo.AddProject(sim.Project{Name: "Nightly", Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}, {Label: "Vendor groups", Rows: 4}}})
			runs := []sim.Execution{w.fo.RunProject("Nightly", "usmf"), w.fo.RunProject("Nightly", "demf")}
			e, blob := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", DefinitionGroup: "Nightly"})
			if c.same {
				blob = runs[0].Blob
			}
			e.DownloadURL = w.fo.Link(blob, sim.LinkOptions{Life: -time.Minute})
			receipt := w.post(w.fo.Payload(e))[0]
			if !c.same {
				w.wantNoFreshLink(receipt, "none of the execution history")
				return
			}
			w.untilPassing("landed", func() bool { return w.shipment(receipt.ShipmentID).State == state.Settled })
			w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
			w.wantRows(w.only(receipt.ShipmentID), runs[0].Tables[0])
			if s := w.shipment(receipt.ShipmentID); s.ExecutionID != runs[0].ID {
				t.Errorf("execution %q; want %q", s.ExecutionID, runs[0].ID)
			}
		})
	}
}

// losable is a flow whose data project may be run again for lost rows.
func (w *rig) losable(full bool) Config {
	cfg := w.runs(sim.ExecutionScript{})
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: !full, Entities: []sim.ProjectEntity{
		{Label: "Customer groups", Rows: 9}, {Label: "Vendor groups", Rows: 4},
	}})
	cfg.Queues = nil
	cfg.Flows[0].FullRefresh = full
	cfg.Projects = []Project{{Flow: "all", Environment: "prod", Name: "Nightly", RunWhenLost: true}}
	return cfg
}

// The third rung, for a full refresh only: one run is started, and what it
// lands supersedes what was lost.
func TestFullRunSupersedesLostRows(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.losable(true))
	var lost []string
	for _, entity := range []string{"Customer groups", "Vendor groups"} {
		e, _ := w.fo.Export(sim.ExportSpec{Entity: entity, LegalEntity: "usmf", Rows: 3, ExecutionID: "gone", Link: sim.LinkOptions{Life: -time.Minute}})
		lost = append(lost, w.post(w.fo.Payload(e))[0].ShipmentID)
	}
	for _, id := range lost {
		w.untilPassing("superseded", func() bool { return w.shipment(id).State == state.Settled })
		s := w.wantShipment(id, state.Settled, state.ReasonSuperseded, SameElsewhere)
		w.wantStory(id, "were not found", "full run "+s.Superseding, "by ex_")
	}
	w.wantReconciled()
	if n := len(w.fo.Executions()); n != 1 {
		t.Errorf("%d runs for two entities of one project; want 1", n)
	}
	if st, err := w.db.Status(t.Context(), ""); err != nil || st.NeedPerson != 0 || st.OnTheWay != 0 {
		t.Errorf("status %+v, %v; want nothing left", st, err)
	}
}

// An incremental project with the third rung configured does not turn green:
// no run is started, and the list says what a person must do.
func TestIncrementalProjectIsNotRunForLostRows(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.run(w.losable(false))
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 3, ExecutionID: "gone", Link: sim.LinkOptions{Life: -time.Minute}})
	receipt := w.post(w.fo.Payload(e))[0]
	w.wantNoFreshLink(receipt, "cannot be repeated")
	w.pass(3 * 24 * time.Hour)
	s := w.wantShipment(receipt.ShipmentID, state.Expired, state.ReasonLinkExpired, AtRisk)
	w.pass(5 * 24 * time.Hour)
	s = w.wantShipment(s.ID, state.Expired, state.ReasonLinkExpired, Lost)
	if next := w.relay.ShipmentWhereabouts(s).Next; !strings.Contains(next, "full push") || !strings.Contains(next, "ResetVersionToken") {
		t.Errorf("advice is %q", next)
	}
	if runs := w.fo.Executions(); len(runs) != 0 {
		t.Errorf("runs were started: %+v", runs)
	}
}

// A flow that is declared a full refresh over a project that exports changes:
// the package says so, and the loss stays on the list.
func TestDeclaredFullButIncremental(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.losable(false)
	cfg.Flows[0].FullRefresh = true
	w.run(cfg)
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 3, ExecutionID: "gone", Link: sim.LinkOptions{Life: -time.Minute}})
	receipt := w.post(w.fo.Payload(e))[0]
	w.untilPassing("given up", func() bool {
		s := w.shipment(receipt.ShipmentID)
		return s.State == state.Expired && s.RenewAt.IsZero() && s.Superseding != ""
	})
	w.wantStory(receipt.ShipmentID, "is incremental, says its package")
}

// A full run that comes to nothing leaves the loss on the list, and says so.
func TestFullRunThatFails(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.losable(true)
	w.fo.ScriptNext("Nightly", sim.ExecutionScript{Statuses: sim.Polls(0, 0, 1, sim.StatusFailed)})
	w.run(cfg)
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Rows: 3, ExecutionID: "gone", Link: sim.LinkOptions{Life: -time.Minute}})
	receipt := w.post(w.fo.Payload(e))[0]
	w.untilPassing("given up", func() bool {
		s := w.shipment(receipt.ShipmentID)
		return s.State == state.Expired && s.RenewAt.IsZero()
	})
	w.wantStory(receipt.ShipmentID, "is failed")
	w.fo.ClearFaults()
	if _, err := w.relay.RerunIDs(t.Context(), []string{receipt.ShipmentID}, false, "eve"); err != nil {
		t.Fatal(err)
	}
	w.untilPassing("superseded", func() bool { return w.shipment(receipt.ShipmentID).State == state.Settled })
	w.wantShipment(receipt.ShipmentID, state.Settled, state.ReasonSuperseded, SameElsewhere)
}

package flows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// together makes openings wait, when all is planned and nothing is recorded,
// until n of them are there.
func (w *rig) together(n int) {
	var mu sync.Mutex
	all := make(chan struct{})
	w.onTrace(func(step string) {
		if step != "open" {
			return
		}
		mu.Lock()
		if n--; n == 0 {
			close(all)
		}
		mu.Unlock()
		select {
		case <-all:
		case <-time.After(5 * time.Second): // the test will say what is missing
		}
	})
}

// Two copies of one export that are opened in the same instant, neither of
// which saw the other: with the proof one lands and the other is skipped;
// without it one lands and the other is held, as the flow says.
func TestCopiesOpenedTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		named, hold  bool
		want, reason string
	}{
		{"proven", true, false, string(state.Skipped), string(state.ReasonSameExport)},
		{"proven, and held otherwise", true, true, string(state.Skipped), string(state.ReasonSameExport)},
		{"possibly the same, held", false, true, string(state.Parked), string(state.ReasonTwin)},
		{"possibly the same, landed", false, false, string(state.Landed), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg, q := w.withEvents()
			cfg.Flows[0].HoldTwins, cfg.Deliverers = c.hold, 2
			w.run(cfg)
			w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}}})
			run := w.fo.RunProject("Nightly", "usmf")
			spec := sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &run.Tables[0]}
			message := sim.MessageOptions{Blob: run.Blob}
			if c.named {
				spec.ExecutionID, message.ExecutionID = run.ID, run.ID
			}
			m := w.fo.Enqueue(testActivity, nil, message)
			w.together(2)
			w.export(spec)
			w.poll(q)
			w.settle()
			w.until("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
			all, err := w.db.Exports(t.Context(), state.Filter{Limit: -1})
			if err != nil || len(all) != 2 {
				t.Fatalf("%d exports, %v; want both copies\n%s", len(all), err, w.picture())
			}
			if all[0].State == state.Landed && c.want != string(state.Landed) {
				slices.Reverse(all)
			}
			w.wantExport(all[1], state.Landed, "", LandedHere)
			if got := all[0]; string(got.State) != c.want || string(got.Reason) != c.reason {
				t.Errorf("the other copy is %s %q (%s); want %s %q", got.State, got.Reason, got.Detail, c.want, c.reason)
			}
			if all[0].Twin != all[1].ID && all[1].Twin != all[0].ID {
				t.Errorf("neither shows the other: %q, %q", all[0].Twin, all[1].Twin)
			}
		})
	}
}

// A copy that was parked, because its flow came later, is not landed behind the
// one that landed: rerun says which that is and where its files are. A person
// may land it all the same.
func TestRerunOfACopyThatLanded(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.withEvents()
	cfg.Flows[0].Entities = []string{"Vendor groups"}
	w.run(cfg)
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}}})
	run := w.fo.RunProject("Nightly", "usmf")
	w.fo.Enqueue(testActivity, nil, sim.MessageOptions{Blob: run.Blob, ExecutionID: run.ID})
	event, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &run.Tables[0], ExecutionID: run.ID})
	w.settle()
	parked := w.only(event.ShipmentID)
	w.wantExport(parked, state.Parked, state.ReasonNoFlow, SafeHere)
	cfg.Flows[0].Entities = nil // the flow is mended
	cfg.Outputs["files"] = w.files()
	w.run(cfg)
	w.poll(q)
	all, err := w.db.Exports(t.Context(), state.Filter{States: []state.State{state.Landed}})
	if err != nil || len(all) != 1 {
		t.Fatalf("landed: %+v, %v; want the queue's copy", all, err)
	}
	landed := all[0]
	if next := w.where(parked).Next; !strings.Contains(next, landed.ID) || !strings.Contains(next, "finrelay skip "+parked.ID) {
		t.Errorf("what to do is %q; want the other named, and skip", next)
	}
	for _, dry := range []bool{true, false} {
		res, err := w.relay.RerunIDs(t.Context(), []string{parked.ID}, dry, "eve")
		if err != nil || len(res) != 1 || res[0].Queued || res[0].SameAs != landed.ID || len(res[0].LandedIn) != 1 {
			t.Fatalf("rerun (dry %t) gave %+v, %v; want it refused for %s and its file", dry, res, err, landed.ID)
		}
		for _, part := range []string{landed.ID, res[0].LandedIn[0], "finrelay skip " + parked.ID, "finrelay rerun " + parked.ID + " --again"} {
			if !strings.Contains(res[0].Refusal, part) {
				t.Errorf("the refusal does not say %q: %s", part, res[0].Refusal)
			}
		}
	}
	if res, err := w.relay.RerunMatching(t.Context(), state.Filter{Entity: "Customer groups"}, false, "eve"); err != nil || len(res) != 1 || res[0].Queued {
		t.Errorf("rerun of all that is parked gave %+v, %v; want it refused too", res, err)
	}
	if n := len(w.tree()); n != 2 {
		t.Fatalf("%d files, want data and manifest of the one that landed", n)
	}
	res, err := w.relay.RerunAgain(t.Context(), []string{parked.ID}, false, "eve")
	if err != nil || len(res) != 1 || !res[0].Queued {
		t.Fatalf("rerun --again gave %+v, %v", res, err)
	}
	w.settle()
	w.wantExport(w.only(event.ShipmentID), state.Landed, "", LandedHere)
	w.wantStory(event.ShipmentID, "by eve, although "+landed.ID+" has the same rows")
	if e := w.only(event.ShipmentID); e.Twin != landed.ID || len(w.tree()) != 4 {
		t.Errorf("landed again, it shows %q as the same, %d files; want %q and 4", e.Twin, len(w.tree()), landed.ID)
	}
	// What landed writes the same place again, whoever has its rows too.
	if res, err := w.relay.RerunIDs(t.Context(), []string{landed.ID}, false, "eve"); err != nil || !res[0].Queued {
		t.Errorf("rerun of what landed gave %+v, %v", res, err)
	}
	w.settle()
}

// An end between any two steps of two copies that are on their way together:
// one lands, the other is skipped, and FinOps forgets the message only when the
// rows are in the output.
func TestStopBeforeEachStepOfTwoCopies(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"fetched", "open", "opened", "convert", "commit", "delivered", "delivered-recorded", "ack", "acked"} {
		t.Run(step, func(t *testing.T) {
			w := newRig(t)
			cfg, q := w.withEvents()
			w.run(cfg)
			w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}}})
			run := w.fo.RunProject("Nightly", "usmf")
			m := w.fo.Enqueue(testActivity, nil, sim.MessageOptions{Blob: run.Blob, ExecutionID: run.ID})
			reached := make(chan struct{}, 99)
			w.onTrace(func(s string) {
				if s == "ack" && len(w.tree()) != 2 {
					t.Error("the ack is sent before the rows are in the output")
				}
				if s == step {
					reached <- struct{}{}
					time.Sleep(5 * time.Millisecond) // lets the stop come before the step
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); w.relay.Poll(ctx, q) }()
			w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &run.Tables[0], ExecutionID: run.ID})
			<-reached
			cancel()
			w.stop()
			<-done
			w.run(cfg)
			w.pass(31 * time.Minute) // the message is handed out again unless it was acked
			w.untilPassing("message acked", func() bool {
				if _, err := w.relay.Poll(t.Context(), q); err != nil && !errors.Is(err, ErrPolling) {
					t.Log(err)
				}
				at, _ := m.Ack()
				return !at.IsZero()
			})
			w.settle()
			all, err := w.db.Exports(t.Context(), state.Filter{Limit: -1})
			if err != nil || len(all) != 2 {
				t.Fatalf("%d exports, %v\n%s", len(all), err, w.picture())
			}
			if all[0].State == state.Skipped {
				slices.Reverse(all)
			}
			w.wantExport(all[0], state.Landed, "", LandedHere)
			w.wantExport(all[1], state.Skipped, state.ReasonSameExport, SameElsewhere)
			if n := len(w.tree()); n != 2 {
				t.Errorf("%d files, want data and manifest: %v", n, keys(w.tree()))
			}
			if m.Downloads() > 2 {
				t.Errorf("the message was downloaded %d times", m.Downloads())
			}
		})
	}
}

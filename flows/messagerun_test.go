package flows

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// bothWays lets FinOps run a project whose rows come by event, and land, and
// stand in the queue too.
func (w *rig) bothWays() *sim.Message {
	w.t.Helper()
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 9}}})
	run := w.fo.RunProject("Nightly", "usmf")
	m := w.fo.Enqueue(testActivity, nil, sim.MessageOptions{Blob: run.Blob, ExecutionID: run.ID})
	w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Table: &run.Tables[0], ExecutionID: run.ID})
	w.settle()
	return m
}

// wantQueuesCopy checks what became of the copy that came by the queue, and how
// many exports' files there are.
func (w *rig) wantQueuesCopy(st state.State, reason state.Reason, landed int) {
	w.t.Helper()
	all, err := w.db.Exports(w.t.Context(), state.Filter{Limit: -1})
	if err != nil || len(all) != 2 {
		w.t.Fatalf("%d exports, %v; want both copies\n%s", len(all), err, w.picture())
	}
	i := slices.IndexFunc(all, func(e state.Export) bool { return w.shipment(e.ShipmentID).Source == "queue" })
	if got := all[i]; got.State != st || got.Reason != reason {
		w.t.Errorf("the queue's copy is %s %q (%s); want %s %q", got.State, got.Reason, got.Detail, st, reason)
	}
	if n := len(w.tree()); n != 2*landed {
		w.t.Errorf("%d files, want data and manifest of %d: %v", n, landed, keys(w.tree()))
	}
}

// A stop before FinOps has answered which run a message is of: the next process
// asks, and the rows land once.
func TestStopBeforeTheRunOfAMessageIsKnown(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"dequeued", "message-stored", "fetched"} {
		t.Run(step, func(t *testing.T) {
			w := newRig(t)
			cfg, q := w.withEvents()
			w.run(cfg)
			m := w.bothWays()
			if step != "dequeued" { // there the stop itself cuts the question off
				w.fo.Fault(sim.Fault{Route: sim.RouteAction, Status: http.StatusServiceUnavailable, Times: sim.Always})
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			reached := make(chan struct{}, 9)
			w.onTrace(func(s string) {
				if s == step {
					cancel(ErrStopping)
					reached <- struct{}{}
				}
			})
			if _, err := w.relay.Poll(ctx, q); !errors.Is(err, ErrStopping) {
				t.Errorf("poll: %v; want it stopped", err)
			}
			<-reached
			w.stop()
			w.onTrace(nil)
			w.fo.ClearFaults()
			cfg.Outputs["files"] = w.files()
			w.run(cfg)
			w.settle()
			w.pass(31 * time.Minute)
			w.poll(q)
			w.until("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
			w.settle()
			w.wantQueuesCopy(state.Skipped, state.ReasonSameExport, 1)
		})
	}
}

// FinOps that does not answer holds the message up for a while: the proof comes
// late, or what may be a copy is held for a person. Its word that it knows of no
// run is an answer.
func TestFinOpsDoesNotSayWhichRunAMessageIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  sim.Fault
		pass   time.Duration
		state  state.State
		reason state.Reason
		landed int
	}{
		{"busy twice", sim.Fault{Status: http.StatusServiceUnavailable, Times: 2}, 0, state.Skipped, state.ReasonSameExport, 1},
		{"busy for hours", sim.Fault{Status: http.StatusServiceUnavailable, Times: sim.Always}, identityWait, state.Parked, state.ReasonTwin, 1},
		{"no such action", sim.Fault{Status: http.StatusNotFound, Times: sim.Always}, 0, state.Landed, "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			cfg, q := w.withEvents()
			w.run(cfg)
			m := w.bothWays()
			c.fault.Route = sim.RouteAction
			w.fo.Fault(c.fault)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err := w.relay.Poll(t.Context(), q)
				if err != nil && c.pass == 0 { // later FinOps hands the message out again, which ends the poll
					t.Errorf("poll: %v", err)
				}
			}()
			if c.pass > 0 {
				w.untilLogged("opening waits")
				w.pass(c.pass)
			}
			<-done
			if c.pass > 0 {
				w.pass(31 * time.Minute)
				w.poll(q) // brings a receipt that counts
			}
			w.until("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
			w.settle()
			w.wantQueuesCopy(c.state, c.reason, c.landed)
		})
	}
}

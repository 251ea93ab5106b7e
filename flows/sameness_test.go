package flows

import (
	"slices"
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

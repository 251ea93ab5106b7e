package flows

import (
	"context"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/flows/cadence"
	"finrelay/state"
)

// The drain of one flow's queue takes for ever; another flow that is late is
// said to be late all the same, and a stop ends both.
func TestLongDrainDoesNotHideAnotherFlow(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, _ := w.expects()
	every2h, err := cadence.Parse("2h", "", 30*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	other := Flow{Name: "vendors", Entities: []string{"Vendor groups"}, Environments: []string{"prod"}, Outputs: []string{"files"}, Cadence: every2h}
	cfg.Flows[0].Entities = []string{"Customer groups"}
	cfg.Flows = append(cfg.Flows, other)
	w.open(cfg)
	for _, flow := range []string{"all", "vendors"} {
		if err := w.db.Watch(t.Context(), flow, "prod"); err != nil {
			t.Fatal(err)
		}
	}
	data, _ := w.queued(0)
	w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	in, out := make(chan struct{}, 99), make(chan struct{})
	w.onTrace(func(step string) {
		if step == "dequeue" {
			in <- struct{}{}
			<-out
		}
	})
	w.pass(3 * time.Hour)
	// Without keepPolling, which would drain the queue first.
	w.start()
	ctx, work := t.Context(), t.Context()
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() { defer close(done); w.relay.keepWatch(ctx, work) }()
	<-in
	stands := func(flow string) state.State {
		c, err := w.db.Cadence(t.Context(), flow, "prod")
		if err != nil {
			t.Fatal(err)
		}
		return c.State
	}
	w.until("the other flow is late", func() bool { return stands("vendors") == state.Late })
	if at := stands("all"); at != state.Punctual {
		t.Errorf("the flow whose queue is drained is %s already", at)
	}
	cancel()
	close(out)
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the watch does not end")
	}
}

package flows

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"finrelay/dmf/sim"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// reconfigure puts another configuration in force while the relay runs.
func (w *rig) reconfigure(cfg Config) (before *Relay) {
	w.t.Helper()
	before = w.relay
	cfg.Trace = before.cfg.Trace
	next, err := before.Reconfigured(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	next.PutInForce()
	w.relay = next
	return before
}

// to is takesAll with an output of another name and folder in place of files.
func (w *rig) to(name string) Config {
	cfg := w.takesAll()
	f, err := outputs.NewFiles(outputs.FilesOptions{Name: name, Folder: w.out + "-" + name})
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Outputs = map[string]outputs.Output{name: f}
	cfg.Flows = []Flow{{Name: "all", Outputs: []string{name}}}
	return cfg
}

// What comes after a reload goes by the new configuration; what is in work ends
// by the one that it was claimed under.
func TestReconfigure(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	begun, held := make(chan struct{}), make(chan struct{})
	let := sync.OnceFunc(func() { close(held) })
	defer let()
	var taken atomic.Bool
	w.onTrace(func(step string) { // the first alone: hold would stop the second too
		if step == "commit" && taken.CompareAndSwap(false, true) {
			close(begun)
			<-held
		}
	})
	first, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	<-begun
	w.reconfigure(w.to("lake"))
	second, _, _ := w.export(sim.ExportSpec{Entity: "Vendor groups", Rows: 4})
	w.until("the second landed", func() bool { return w.shipment(second.ShipmentID).State == state.Settled })
	if s := w.shipment(first.ShipmentID).State; s == state.Settled {
		t.Fatal("the held one settled")
	}
	let()
	w.settle()
	for id, output := range map[string]string{first.ShipmentID: "files", second.ShipmentID: "lake"} {
		d, err := w.db.Deliveries(t.Context(), w.only(id).ID)
		if err != nil || len(d) != 1 || d[0].Output != output || d[0].State != state.Delivered {
			t.Errorf("deliveries %+v, %v; want one to %s", d, err, output)
		}
	}
}

// An output that is gone from the configuration holds up what was routed to it,
// and parks nothing. When it is back, that lands at once; or a person has it
// taken by the flows of today.
func TestRemovedOutput(t *testing.T) {
	for _, back := range []bool{true, false} {
		w := newRig(t)
		w.run(w.takesAll())
		begun, let := w.hold("open")
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
		<-begun
		w.reconfigure(w.to("lake"))
		let() // its flow is found by the configuration from before, and names an output that is not there
		var e state.Export
		w.until("it waits", func() bool {
			all := w.exportsOf(receipt.ShipmentID)
			if len(all) == 0 {
				return false
			}
			e = all[0]
			d, err := w.db.Deliveries(t.Context(), e.ID)
			return err == nil && len(d) == 1 && d[0].State == state.Waiting && d[0].Reason == state.ReasonOutputRemoved
		})
		if at := w.where(e); e.State != state.Open || at.Place != SafeHere {
			t.Errorf("export is %s, rows %s", e.State, at.Place)
		}
		want := "files"
		if back {
			before := w.reconfigure(w.takesAll())
			if n, err := w.relay.RetryReturned(t.Context(), before, "eve"); err != nil || n != 1 {
				t.Errorf("%d tried at once, %v", n, err)
			}
		} else {
			want = "lake"
			dry, err := w.relay.RerunIDs(t.Context(), []string{e.ID}, true, "eve")
			if err != nil || !dry[0].Queued || w.only(receipt.ShipmentID).State != state.Open {
				t.Errorf("a dry run: %+v, %v", dry, err)
			}
			// as advised: finrelay rerun --state waiting --reason output_removed
			res, err := w.relay.RerunMatching(t.Context(), state.Filter{States: []state.State{state.Waiting}, Reason: state.ReasonOutputRemoved}, false, "eve")
			if err != nil || len(res) != 1 || !res[0].Queued {
				t.Errorf("%+v, %v", res, err)
			}
		}
		w.until("it landed", func() bool { return w.only(receipt.ShipmentID).State == state.Landed })
		d, err := w.db.Deliveries(t.Context(), e.ID)
		if err != nil || len(d) != 1 || d[0].Output != want {
			t.Errorf("deliveries %+v, %v; want one to %s", d, err, want)
		}
	}
}

// A configuration that contradicts itself is refused, and nothing is changed.
func TestReconfigureRefused(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	bad := w.takesAll()
	bad.Flows[0].Outputs = []string{"nowhere"}
	if _, err := w.relay.Reconfigured(bad); err == nil {
		t.Fatal("a flow without its output was taken")
	}
	receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 3})
	w.settle()
	w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
}

// A queue that is new after a reload is polled, one that is gone is not any
// more, and a drain that is under way ends after the message that it has.
func TestReconfigureQueues(t *testing.T) {
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	cfg.Polling = true
	none := cfg
	none.Queues = nil
	w.run(none)
	data, _ := w.queued(0)
	var sent []*sim.Message
	for range 3 {
		sent = append(sent, w.fo.Enqueue(testActivity, data, sim.MessageOptions{}))
	}
	begun, let := w.hold("convert")
	w.reconfigure(cfg)
	<-begun
	other := cfg
	q.Schedule = cron.Every(24 * time.Hour)
	other.Queues = []Queue{q}
	w.reconfigure(other) // while the first message is in work
	let()
	w.until("all acked", func() bool { return len(w.fo.Acked()) == len(sent) })
	w.reconfigure(none)
	w.until("nothing polls", func() bool { _, polls := w.relay.PollProgress(q); return !polls })
	m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	w.pass(25 * time.Hour)
	time.Sleep(50 * time.Millisecond)
	if m.Dequeues() != 0 {
		t.Error("a queue that is not in the configuration any more was polled")
	}
}

// Reloads while work of all kinds goes on: each export lands once.
func TestReconfigureUnderLoad(t *testing.T) {
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	q.Schedule = cron.Every(time.Second)
	cfg.Queues, cfg.Polling = []Queue{q}, true
	w.run(cfg)
	ctx, end := context.WithCancel(t.Context())
	var all sync.WaitGroup
	root := w.relay
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			next := cfg
			next.Fetchers, next.Deliverers, next.Trace = 1+i%3, 1+i%2, root.cfg.Trace
			r, err := root.Reconfigured(next)
			if err != nil {
				t.Error(err)
				return
			}
			r.PutInForce()
			time.Sleep(5 * time.Millisecond)
		}
	})
	var sent []*sim.Message
	var ids []string
	for i := range 20 {
		data, _ := w.queued(i)
		sent = append(sent, w.fo.Enqueue(testActivity, data, sim.MessageOptions{}))
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Vendor groups", Rows: i})
		ids = append(ids, receipt.ShipmentID)
	}
	w.until("all acked", func() bool { return len(w.fo.Acked()) == len(sent) })
	w.settle()
	end()
	all.Wait()
	for _, m := range sent {
		ids = append(ids, w.shipmentOf(m))
	}
	for _, id := range ids {
		w.wantExport(w.only(id), state.Landed, "", LandedHere)
	}
	if n := len(w.tree()); n != 2*len(ids) {
		t.Errorf("%d files of %d exports; want data and manifest of each", n, len(ids))
	}
}

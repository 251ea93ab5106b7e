package flows

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// postTo hands an export's event over for an environment.
func (w *rig) postTo(environment string, spec sim.ExportSpec) (Receipt, *sim.Blob) {
	w.t.Helper()
	e, blob := w.fo.Export(spec)
	receipts, err := w.relay.Accept(w.t.Context(), ReadBody(environment, "finops", w.fo.Payload(e), w.relay.FieldNames()))
	if err != nil {
		w.t.Fatal(err)
	}
	return receipts[0], blob
}

func (w *rig) untilState(id string, want state.State) {
	w.t.Helper()
	w.until(fmt.Sprintf("%s is %s", id, want), func() bool { return w.shipment(id).State == want })
}

// asked lists the blobs that were asked for, in order of their first request.
func (w *rig) asked() []string {
	var names []string
	for _, q := range w.fo.Requests() {
		if !slices.Contains(names, q.Blob) {
			names = append(names, q.Blob)
		}
	}
	return names
}

func (w *rig) twoEnvironments() Config {
	cfg := w.takesAll()
	cfg.Environments["uat"] = loopback()
	return cfg
}

// A drip is slow enough to hold its slot for the test and short enough to end
// with it.
var drip = sim.Fault{DripBytesPerSec: 50, Times: sim.Always}

func TestSlowEnvironmentDoesNotStarveAnother(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.twoEnvironments()
	cfg.Fetchers = 3
	w.open(cfg)
	// All of them die before uat's link does, and none has under ten minutes.
	for range 12 {
		_, blob := w.postTo("prod", sim.ExportSpec{Entity: "Slow", Rows: 40, Link: sim.LinkOptions{Life: 30 * time.Minute}})
		slow := drip
		slow.Blob = blob.Name()
		w.fo.Fault(slow)
	}
	receipt, blob := w.postTo("uat", sim.ExportSpec{Entity: "Quick", Rows: 2})
	w.start()
	w.untilState(receipt.ShipmentID, state.Settled)
	if asked := w.asked(); slices.Index(asked, blob.Name()) > 1 {
		t.Errorf("uat's only link was asked for after %d of prod's", slices.Index(asked, blob.Name()))
	}
}

func TestEarliestDeadlineFirst(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Fetchers = 1
	w.open(cfg)
	lives := []time.Duration{50, 20, 40, 30, 15}
	names := map[time.Duration]string{}
	for _, l := range lives {
		_, blob := w.postTo("prod", sim.ExportSpec{Entity: "E", Rows: 1, Link: sim.LinkOptions{Life: l * time.Minute}})
		names[l] = blob.Name()
	}
	w.start()
	w.settle()
	slices.Sort(lives)
	var want []string
	for _, l := range lives {
		want = append(want, names[l])
	}
	if got := w.asked(); !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

// The last free slot is for links that die soon: others wait for the next
// slot, however many there are.
func TestLastSlotIsForUrgentLinks(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Fetchers = 3
	w.run(cfg)
	var slow []Receipt
	for range 3 {
		e, blob := w.fo.Export(sim.ExportSpec{Entity: "Slow", Rows: 40})
		f := drip
		f.Blob = blob.Name()
		w.fo.Fault(f)
		slow = append(slow, w.post(w.fo.Payload(e))[0])
	}
	w.until("two slots are taken", func() bool {
		return len(w.fo.Requests()) >= 2 && w.shipment(slow[1].ShipmentID).State == state.Fetching
	})
	urgent, blob := w.postTo("prod", sim.ExportSpec{Entity: "Urgent", Rows: 2, Link: sim.LinkOptions{Life: UrgentLink - time.Minute}})
	w.untilState(urgent.ShipmentID, state.Settled)
	if asked := w.asked(); len(asked) != 3 || asked[2] != blob.Name() {
		t.Errorf("asked for %d files, the urgent one at place %d of them; want it third", len(asked), slices.Index(asked, blob.Name())+1)
	}
	w.wantShipment(slow[2].ShipmentID, state.Pending, "", InFinOps)
}

// What is due but may not be claimed, because its environment has its limit,
// neither makes the pool spin nor hides what another environment has due.
func TestLimitOfAnEnvironment(t *testing.T) {
	w := newRig(t) // not parallel: CPU time is the process's
	cfg := w.twoEnvironments()
	limited := cfg.Environments["prod"]
	limited.Fetchers = 1
	cfg.Environments["prod"] = limited
	w.run(cfg)
	for range 3 {
		e, blob := w.fo.Export(sim.ExportSpec{Entity: "Slow", Rows: 40})
		f := drip
		f.Blob = blob.Name()
		w.fo.Fault(f)
		w.post(w.fo.Payload(e))
	}
	w.fo.Fault(sim.Fault{Blob: "Waiting*", Status: 503, RetryAfter: 3 * time.Second})
	w.until("one is on the wire", func() bool { return len(w.fo.Requests()) == 1 })
	waiting, _ := w.postTo("uat", sim.ExportSpec{Entity: "Waiting", Rows: 2})
	w.untilState(waiting.ShipmentID, state.Waiting)

	before := cpuTime(t)
	time.Sleep(300 * time.Millisecond) // measured: that nothing happens
	if spent := cpuTime(t) - before; spent > 150*time.Millisecond {
		t.Errorf("%v of CPU in 300 ms with nothing to claim", spent)
	}
	if n := len(w.fo.Requests()); n > 3 {
		t.Errorf("%d requests, though prod may have one at a time", n)
	}
	s := w.shipment(waiting.ShipmentID)
	if !w.untilDone(s.DueAt.Add(3*time.Second), s.ID) {
		t.Errorf("uat's link was due %v ago and nobody looks\n%s", w.db.Now().Sub(s.DueAt), w.picture())
	}
}

// untilDone waits until a shipment is settled, at most until a time.
func (w *rig) untilDone(end time.Time, id string) bool {
	for w.db.Now().Before(end) {
		if w.shipment(id).State == state.Settled {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A lone event waits for no timer: of several tries the best shows what the
// order of work costs, the others what else this machine does.
func TestLoneEventIsFetchedAtOnce(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	best := time.Hour
	for range 5 {
		e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
		body := w.fo.Payload(e)
		began := time.Now()
		w.post(body)
		w.settle()
		best = min(best, time.Since(began))
	}
	if best > 200*time.Millisecond {
		t.Errorf("from the event to its rows: %v at best", best)
	}
}

func TestGrace(t *testing.T) {
	t.Run("work in flight ends within it", func(t *testing.T) {
		t.Parallel()
		w := newRig(t)
		cfg := w.takesAll()
		cfg.Grace = 15 * time.Second
		w.run(cfg)
		w.fo.Fault(sim.Fault{Delay: 300 * time.Millisecond})
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
		late, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
		w.untilState(receipt.ShipmentID, state.Fetching)
		_ = late
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the stop took %v", took)
		}
		if s := w.shipment(receipt.ShipmentID); s.State != state.Fetched {
			t.Errorf("the download in flight ended as %s", s.State)
		}
	})
	t.Run("what takes longer is given back and goes on at its mark", func(t *testing.T) {
		t.Parallel()
		w := newRig(t)
		w.run(w.takesAll())
		const whole = 400_000 // bytes
		w.fo.Fault(sim.Fault{DripBytesPerSec: 200_000})
		rows := strings.Repeat("0123456789,abcdefghi\r\n", whole/22)
		receipt, _, blob := w.export(sim.ExportSpec{Entity: "Large", Data: []byte("A,B\r\n" + rows)})
		w.until("some of it is here", func() bool {
			all := w.fo.Requests()
			return len(all) == 1 && all[0].Bytes > 50_000
		})
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the stop took %v, the grace time is 100 ms", took)
		}
		s := w.wantShipment(receipt.ShipmentID, state.Pending, "", InFinOps)
		if s.MarkOffset == 0 || s.MarkETag != blob.ETag() || s.Interrupted != 0 {
			t.Errorf("mark %d of %q, %d interruptions", s.MarkOffset, s.MarkETag, s.Interrupted)
		}
		w.fo.ForgetRequests()
		w.run(w.takesAll())
		w.settle()
		w.wantExport(w.only(s.ID), state.Landed, "", LandedHere)
		all := w.fo.Requests()
		if len(all) != 1 || all[0].Range != fmt.Sprintf("bytes=%d-", s.MarkOffset) || all[0].IfMatch != s.MarkETag {
			t.Errorf("the next run asked %+v, want it to go on at %d", all, s.MarkOffset)
		}
	})
	t.Run("conversion that takes longer is given back", func(t *testing.T) {
		t.Parallel()
		w := newRig(t)
		w.run(w.takesAll())
		held, release := make(chan struct{}, 1), make(chan struct{})
		w.onTrace(func(step string) {
			if step == "convert" {
				held <- struct{}{}
				<-release
			}
		})
		receipt, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 5})
		<-held
		time.AfterFunc(300*time.Millisecond, func() { close(release) })
		w.stop()
		e := w.only(receipt.ShipmentID)
		d, err := w.db.Deliveries(t.Context(), e.ID)
		if err != nil || d[0].State != state.Ready || d[0].Interrupted != 0 {
			t.Errorf("%+v, %v", d, err)
		}
		if files := keys(w.tree()); len(files) > 0 {
			t.Errorf("visible after a stop: %v", files)
		}
		w.onTrace(nil)
		w.start()
		w.settle()
		w.wantExport(w.only(receipt.ShipmentID), state.Landed, "", LandedHere)
	})
}

// Run again after a stop before each step: the files are those of a run that
// nobody disturbed, byte for byte.
func TestStopBeforeEachStep(t *testing.T) {
	t.Parallel()
	specs := []sim.ExportSpec{
		{Entity: "Customer groups", Rows: 30, LegalEntity: "usmf"},
		{Entity: "Units", Rows: 10, Format: sim.XMLElement},
	}
	fo := newRig(t)
	var bodies [][]byte
	for i, spec := range specs {
		e, _ := fo.fo.Export(spec)
		e.Time = time.Date(2026, 3, 2, 9, 15+i, 42, 0, time.UTC)
		bodies = append(bodies, fo.fo.Payload(e))
	}
	fo.run(fo.takesAll())
	for _, b := range bodies {
		fo.post(b)
	}
	fo.settle()
	want := fo.tree()
	if len(want) != 2*len(specs) {
		t.Fatalf("undisturbed: %v", keys(want))
	}
	for _, step := range []string{"accept", "accepted", "fetch", "prove", "fetched", "fetched-recorded",
		"open", "opened", "convert", "commit", "delivered", "delivered-recorded"} {
		t.Run(step, func(t *testing.T) {
			w := &rig{t: t, fo: fo.fo, state: filepath.Join(t.TempDir(), "state"), out: filepath.Join(t.TempDir(), "out")}
			defer w.shut()
			w.run(w.takesAll())
			w.stopBefore(step, bodies)
			w.run(w.takesAll())
			for _, b := range bodies {
				w.post(b) // FinOps' next try
			}
			w.settle()
			got := w.tree()
			for path, data := range want {
				if got[path] != data {
					t.Errorf("%s\nis   %.300s\nwant %.300s", path, got[path], data)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%v, want %v", keys(got), keys(want))
			}
			checks, err := w.db.Checkpoints(t.Context(), state.Filter{})
			if err != nil || len(checks) != len(specs) || checks[0].Exports != 1 || checks[0].OpenCount != 0 {
				t.Errorf("%+v, %v", checks, err)
			}
		})
	}
}

// stopBefore posts bodies and stops when a step is about to be taken; the
// grace time is over before it is.
func (w *rig) stopBefore(step string, bodies [][]byte) {
	w.t.Helper()
	reached := make(chan struct{})
	var once sync.Once
	w.onTrace(func(s string) {
		if s == step {
			once.Do(func() {
				close(reached)
				time.Sleep(150 * time.Millisecond)
			})
		}
	})
	for _, b := range bodies {
		w.post(b)
	}
	select {
	case <-reached:
	case <-time.After(10 * time.Second):
		w.t.Fatalf("step %s is never taken\n%s", step, w.picture())
	}
	w.stop()
	w.onTrace(nil)
}

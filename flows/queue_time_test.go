package flows

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// outputDownUntil is an output behind a server that is down for a while, by
// the rig's clock.
type outputDownUntil struct {
	outputs.Output
	now   func() time.Time
	until time.Time
}

func (o *outputDownUntil) Begin(ctx context.Context, marker string, e outputs.Export) (outputs.Writer, error) {
	if o.now().Before(o.until) {
		return nil, errors.New("the server answered 503 Service Unavailable")
	}
	return o.Output.Begin(ctx, marker, e)
}

// A package of two files of which one has a bad row, while the output is down
// for two hours: the one is parked, the other lands when the output is back,
// and FinOps sees one download and one ack, after all of that.
func TestBadRowAndOutputDown(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	bad, good := w.fo.SampleEntity("Customer groups", 6), w.fo.SampleEntity("Vendor groups", 4)
	bad.Rows[2] = bad.Rows[2][1:]
	m := w.fo.Enqueue(testActivity, w.fo.Package("Nightly", w.fo.Member(sim.CSVUTF16LE, bad), w.fo.Member(sim.CSVUTF8, good)), sim.MessageOptions{})
	out := &outputDownUntil{Output: w.files(), now: w.now, until: w.now().Add(2 * time.Hour)}
	cfg.Outputs["files"] = out
	w.run(cfg)
	for range 4 { // 2 hours and 4 minutes
		w.poll(q)
		if at, _ := m.Ack(); !at.IsZero() {
			t.Fatal("acked while its rows were neither landed nor on the list")
		}
		w.pass(31 * time.Minute)
	}
	w.poll(q) // the redelivery, with a receipt that counts
	id := w.shipmentOf(m)
	w.untilPassing("acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
	w.until("the ledger knows of the ack", func() bool {
		msg, err := w.db.Message(t.Context(), id)
		return err == nil && msg.State == state.Acked
	})
	for _, e := range w.exports(id) {
		if e.Entity == bad.Label {
			w.wantExport(e, state.Parked, state.ReasonBadRows, SafeHere)
			continue
		}
		w.wantExport(e, state.Landed, "", LandedHere)
		w.wantRows(e, good)
	}
	if _, body := m.Ack(); m.Downloads() != 1 || w.countRoute("ack") != 1 || string(body) != string(m.Answer()) || m.Dequeues() < 4 {
		t.Errorf("%d dequeues, %d downloads, %d acks, the newest receipt %t; want 4 or more, 1, 1, true",
			m.Dequeues(), m.Downloads(), w.countRoute("ack"), string(body) == string(m.Answer()))
	}
}

// heldDownload is a simulator whose next download gives its first byte and
// nothing more until it is let go.
type heldDownload struct {
	fo           *sim.Sim
	begun, let   chan struct{}
	begin, first sync.Once
}

func (h *heldDownload) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if path.Base(path.Dir(r.URL.Path)) == sim.RouteDownload {
		rw = &heldWriter{rw, h}
	}
	h.fo.Handler().ServeHTTP(rw, r)
}

type heldWriter struct {
	http.ResponseWriter
	h *heldDownload
}

func (w *heldWriter) Write(p []byte) (n int, err error) {
	w.h.first.Do(func() {
		n, _ = w.ResponseWriter.Write(p[:1])
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		close(w.h.begun)
		<-w.h.let
	})
	rest, err := w.ResponseWriter.Write(p[n:])
	return n + rest, err
}

// newHeldRig is a rig whose first download hangs.
func newHeldRig(t *testing.T) (*rig, *heldDownload) {
	t.Helper()
	w := newRigOn(t, sim.New(sim.Options{Seed: 7}))
	h := &heldDownload{fo: w.fo, begun: make(chan struct{}), let: make(chan struct{})}
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		h.release()
		w.shut()
		server.CloseClientConnections()
		server.Close()
	})
	w.fo.SetBaseURL(server.URL)
	return w, h
}

func (h *heldDownload) release() { h.begin.Do(func() { close(h.let) }) }

// A message that comes again while it is worked on starts nothing: it brings
// the receipt that the ack is sent with. First the download takes 40 minutes,
// then the conversion does.
func TestRedeliveryWhileWorking(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"download", "convert"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w, h := newHeldRig(t)
			cfg, q := w.polls(BacklogLand)
			data, table := w.queued(0)
			m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
			begun, let := h.begun, h.release
			if at == "convert" {
				h.release()
				begun, let = w.hold("convert")
			}
			w.run(cfg)
			// The first poll waits for ten minutes, by a clock that is not ours to
			// move; then it leaves the message to the pools, as here.
			ctx, leave := context.WithCancel(t.Context())
			polled := make(chan struct{})
			go func() { defer close(polled); w.relay.Poll(ctx, q) }()
			<-begun
			leave()
			<-polled
			first := string(m.Answer())

			w.pass(31 * time.Minute) // the first receipt is dead from here on
			again := make(chan PollResult, 1)
			go func() {
				res, err := w.relay.Poll(t.Context(), q)
				if err != nil {
					t.Errorf("poll: %v", err)
				}
				again <- res
			}()
			w.until("the redelivery is stored", func() bool {
				msg, err := w.db.Message(t.Context(), messageShipment(m))
				return err == nil && msg.Redelivered == 1
			})
			w.pass(9 * time.Minute)
			if n := w.countRoute("download"); n != 1 || w.countRoute("ack") != 0 {
				t.Errorf("%d downloads and %d acks after 40 minutes; want 1 and 0", n, w.countRoute("ack"))
			}
			let()
			if res := <-again; res.Redelivered != 1 || res.Messages != 0 || res.Open != 0 {
				t.Errorf("second poll gave %+v; want the message again, and acked", res)
			}
			w.wantMessage(messageShipment(m), state.Acked)
			_, body := m.Ack()
			if string(body) == first || string(body) != string(m.Answer()) || w.countRoute("ack") != 1 {
				t.Errorf("%d acks, the newest receipt %t; want 1 with the newest", w.countRoute("ack"), string(body) == string(m.Answer()))
			}
			e := w.only(w.shipmentOf(m))
			w.wantExport(e, state.Landed, "", LandedHere)
			w.wantRows(e, table)
			if n := len(w.tree()); n != 2 || m.Downloads() != 1 {
				t.Errorf("%d files in the output after %d downloads, want data and manifest after one", n, m.Downloads())
			}
		})
	}
}

// hold stops whoever comes first to a step there, until let is called.
func (w *rig) hold(step string) (begun chan struct{}, let func()) {
	begun = make(chan struct{})
	wait := make(chan struct{})
	var first, once sync.Once
	w.onTrace(func(now string) {
		if now == step {
			first.Do(func() { close(begun); <-wait })
		}
	})
	let = func() { once.Do(func() { close(wait) }) }
	w.t.Cleanup(let)
	return begun, let
}

// Two exports of no rows, 15 minutes apart: the same bytes, which makes no
// duplicate. Both land, both are settled, and by queue both are acked.
func TestTwoEmptyExports(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"queue", "event"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			cfg, q := w.polls(BacklogLand)
			w.run(cfg)
			member := w.fo.Member(sim.CSVUTF16LE, w.fo.SampleEntity("Customer groups", 0))
			var ids []string
			for range 2 {
				if by == "queue" {
					m := w.fo.Enqueue(testActivity, w.fo.Package("Nightly", member), sim.MessageOptions{})
					if res := w.poll(q); res.Messages != 1 || res.Open != 0 {
						t.Errorf("poll gave %+v; want one message, acked", res)
					}
					ids = append(ids, messageShipment(m))
				} else {
					r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", DefinitionGroup: "Nightly", Members: []sim.Member{member}})
					ids = append(ids, r.ShipmentID)
				}
				w.settle()
				w.pass(15 * time.Minute)
			}
			for _, id := range ids {
				if s := w.shipment(id); s.State != state.Settled || s.Reason != "" {
					t.Errorf("shipment is %s %q; want settled", s.State, s.Reason)
				}
				e := w.only(id)
				w.wantExport(e, state.Landed, "", LandedHere)
				if e.Rows != 0 || e.Twin != "" {
					t.Errorf("landed %d rows, possibly the same as %q; want none, and no pair", e.Rows, e.Twin)
				}
			}
			var data []string
			for name, content := range w.tree() {
				if strings.HasSuffix(name, ".jsonl") {
					data = append(data, content)
				}
			}
			if ids[0] == ids[1] || len(data) != 2 || data[0] != "" || data[1] != "" {
				t.Errorf("shipments %v landed as %q; want two empty files of two shipments", ids, data)
			}
		})
	}
}

// A slot that comes while a person's poll is at work, which may take hours for
// a backlog, waits for its end without a loop and without a word of complaint.
func TestSlotDuringAPoll(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	cfg.Polling = true
	begun, let := w.hold("dequeue")
	w.open(cfg)
	done := make(chan error, 1)
	go func() { _, err := w.relay.Poll(t.Context(), q); done <- err }()
	<-begun
	w.ahead.Add(int64(11 * time.Minute))
	w.start()
	w.untilLogged("being polled")
	time.Sleep(100 * time.Millisecond) // measured: that nothing happens
	if n := strings.Count(w.logged.String(), "being polled"); n != 1 || strings.Contains(w.logged.String(), "WARN") {
		t.Errorf("%d tries in 100 ms, and a warning %t; want one, and none", n, strings.Contains(w.logged.String(), "WARN"))
	}
	let()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

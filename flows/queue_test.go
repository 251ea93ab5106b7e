package flows

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"finrelay/dmf"
	"finrelay/dmf/sim"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

const testActivity = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

// polls is takesAll with a queue of the simulator's, polled only when asked.
func (w *rig) polls(backlog Backlog) (Config, Queue) {
	w.t.Helper()
	w.fo.AddActivity(testActivity, sim.ActivityOptions{})
	cfg := w.signedIn(dmf.MethodV1)
	q := Queue{Flow: "all", Environment: "prod", Activity: testActivity, Schedule: cron.Every(10 * time.Minute), Backlog: backlog}
	cfg.Queues = []Queue{q}
	return cfg, q
}

// signedIn is takesAll with a client of the simulator's, whose clock is the
// rig's.
func (w *rig) signedIn(method string) Config {
	w.t.Helper()
	tokens, err := dmf.NewTokenSource(dmf.SignIn{
		Method: method, TenantID: sim.DefaultTenant, ClientID: sim.DefaultClientID,
		Secret: dmf.StaticSecret(sim.DefaultSecret), AuthorityHost: w.fo.BaseURL(), Resource: w.fo.BaseURL(),
	}, dmf.TransportOptions{Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := dmf.NewClient(dmf.ClientOptions{URL: w.fo.BaseURL(), OnPremises: method == dmf.MethodADFS, Tokens: tokens, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { client.Close() })
	cfg := w.takesAll()
	e := cfg.Environments["prod"]
	e.FinOps = client
	cfg.Environments["prod"] = e
	return cfg
}

func (w *rig) poll(q Queue) PollResult {
	w.t.Helper()
	res, err := w.relay.Poll(w.t.Context(), q)
	if err != nil {
		w.t.Fatalf("poll: %v\n%s", err, w.picture())
	}
	return res
}

// pass moves FinOps' clock and ours.
func (w *rig) pass(d time.Duration) {
	w.t.Helper()
	w.fo.Clock().Advance(d)
	w.advance(d)
}

func (w *rig) queued(i int) (data []byte, table sim.Table) {
	table = w.fo.SampleEntity("Customer groups", 5+i)
	return w.fo.Package("Nightly", w.fo.Member(sim.CSVUTF16LE, table)), table
}

// A queue is drained in order, each message downloaded once, landed and acked
// with the answer to dequeue byte for byte, one at a time.
func TestPollDrainsInOrder(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	var sent []*sim.Message
	for i := range 3 {
		data, _ := w.queued(i)
		sent = append(sent, w.fo.Enqueue(testActivity, data, sim.MessageOptions{}))
	}
	sent = append(sent, w.fo.Enqueue(testActivity, nil, sim.MessageOptions{NoFile: true}))
	w.run(cfg)
	if res := w.poll(q); res.Messages != 4 || res.Redelivered != 0 || res.Open != 0 {
		t.Errorf("poll gave %+v; want 4 messages, all acked", res)
	}
	for i, m := range sent {
		at, body := m.Ack()
		if at.IsZero() || string(body) != string(m.Answer()) {
			t.Errorf("message %d: acked %v with %q; want the answer to dequeue %q", i, at, body, m.Answer())
		}
		want := 1
		if m.Blob == nil {
			want = 0
		}
		if m.Downloads() != want {
			t.Errorf("message %d was downloaded %d times, want %d", i, m.Downloads(), want)
		}
	}
	exports, err := w.db.Exports(t.Context(), state.Filter{})
	if err != nil || len(exports) != 3 {
		t.Fatalf("%d exports, %v; want 3", len(exports), err)
	}
	for i, e := range exports { // newest first
		if e.State != state.Landed || e.Rows != int64(5+2-i) || e.Entity != "Customer groups" {
			t.Errorf("export %d: %s, %d rows of %q", i, e.State, e.Rows, e.Entity)
		}
	}
	if res := w.poll(q); res.Messages != 0 {
		t.Errorf("second poll gave %+v; want an empty queue", res)
	}
	// One at a time: no dequeue between another message's dequeue and its ack.
	var order []string
	for _, r := range w.fo.Requests() {
		if strings.Contains(r.Path, "/connector/") {
			order = append(order, r.Route)
		}
	}
	want := strings.Repeat("dequeue download ack ", 3) + "dequeue ack dequeue dequeue"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("calls were\n%s; want\n%s", got, want)
	}
}

// The first poll of a queue that holds something asks a person, and hides
// nothing: with an answer the message comes again and lands, or is parked.
func TestBacklogIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, answer := range []Backlog{BacklogLand, BacklogPark} {
		t.Run(string(answer), func(t *testing.T) {
			w := newRig(t)
			cfg, q := w.polls(BacklogAsk)
			data, _ := w.queued(0)
			m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
			w.run(cfg)
			if _, err := w.relay.Poll(t.Context(), q); !errors.Is(err, ErrBacklog) {
				t.Fatalf("first poll gave %v; want ErrBacklog", err)
			}
			// While FinOps hides the message the queue looks empty: it is not
			// drained, nor when the answer comes meanwhile.
			w.pass(5 * time.Minute)
			if _, err := w.relay.Poll(t.Context(), q); !errors.Is(err, ErrBacklog) {
				t.Fatalf("second poll gave %v; want ErrBacklog", err)
			}
			asked := q
			q.Backlog = answer
			if _, err := w.relay.Poll(t.Context(), q); err == nil || !strings.Contains(err.Error(), "hides it until") {
				t.Fatalf("answered while it is hidden, poll gave %v", err)
			}
			w.pass(26 * time.Minute)
			q = asked // the answer is remembered
			if res := w.poll(q); res.Messages != 1 || res.Open != 0 {
				t.Fatalf("poll with --backlog %s gave %+v", answer, res)
			}
			if at, _ := m.Ack(); at.IsZero() {
				t.Error("message is not acked")
			}
			shipments, err := w.db.Shipments(t.Context(), state.Filter{})
			if err != nil || len(shipments) != 1 {
				t.Fatal(shipments, err)
			}
			e := w.only(shipments[0].ID)
			if answer == BacklogLand {
				w.wantExport(e, state.Landed, "", LandedHere)
				return
			}
			w.wantExport(e, state.Parked, state.ReasonBacklog, SafeHere)
			if _, err := w.relay.RerunIDs(t.Context(), []string{e.ID}, false, "eve"); err != nil {
				t.Fatal(err)
			}
			w.until("the backlog landed", func() bool { return w.only(shipments[0].ID).State == state.Landed })
		})
	}
}

// An ack that had its effect but whose answer was lost: it is repeated while
// the receipt is fresh, FinOps calls it stale, and when the message does not
// come again FinOps is asked what became of it. One that had no effect is
// repeated too. Either way the message lands once.
func TestAckWithLostAnswer(t *testing.T) {
	t.Parallel()
	lost := sim.Fault{Route: sim.RouteAck, Lost: true}
	for _, c := range []struct {
		name  string
		fault sim.Fault
		done  bool // FinOps has carried out the first one
		asked sim.Fault
		want  state.State
	}{
		{"no answer", lost, true, sim.Fault{}, state.Acked},
		{"a reset", sim.Fault{Route: sim.RouteAck, Lost: true, Reset: true}, true, sim.Fault{}, state.Acked},
		{"a 502 that changed nothing", sim.Fault{Route: sim.RouteAck, Status: 502}, false, sim.Fault{}, state.Acked},
		{"FinOps does not say", lost, true, sim.Fault{Status: 404}, state.Assumed},
		{"FinOps cannot say now", lost, true, sim.Fault{Status: 503}, state.Stale},
		{"FinOps says that it waits", lost, true, sim.Fault{Body: []byte(`{"value":"Dequeued"}`), ContentType: "application/json"}, state.Stale},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			cfg, q := w.polls(BacklogLand)
			data, _ := w.queued(0)
			m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
			w.fo.Fault(c.fault)
			if c.asked.Route, c.asked.Times = sim.RouteAction, sim.Always; c.asked.Status != 0 || c.asked.Body != nil {
				w.fo.Fault(c.asked)
			}
			w.onTrace(func(step string) {
				if at, _ := m.Ack(); step == "acked" && at.IsZero() {
					t.Error("the ack counts as done before FinOps had it")
				}
			})
			w.run(cfg)
			w.pollUntilRest(q)
			id := w.shipmentOf(m)
			for range 40 { // the acks that FinOps calls stale, if it has the first one
				w.pass(time.Minute)
				w.until("the ack was tried or given up", func() bool { return w.ackRests(id) })
			}
			if c.done {
				w.wantMessage(id, state.Stale)
			}
			w.pass(31 * time.Minute)
			w.poll(q)
			w.wantMessage(id, c.want)
			if acks := w.countRoute("ack"); acks < 2 || m.Downloads() != 1 {
				t.Errorf("%d acks and %d downloads; want the ack repeated, and one download", acks, m.Downloads())
			}
			if n := len(w.tree()); n != 2 {
				t.Errorf("%d files in the output, want data and manifest", n)
			}
		})
	}
}

// pollUntilRest polls while the clock goes on, so that a poll that waits for a
// repeated ack comes to its end.
func (w *rig) pollUntilRest(q Queue) (res PollResult) {
	w.t.Helper()
	done := make(chan error, 1)
	go func() {
		var err error
		res, err = w.relay.Poll(w.t.Context(), q)
		done <- err
	}()
	w.untilPassing("the poll at its end", func() bool { return len(done) > 0 })
	if err := <-done; err != nil {
		w.t.Fatalf("poll: %v\n%s", err, w.picture())
	}
	return res
}

func (w *rig) shipmentOf(m *sim.Message) string {
	w.t.Helper()
	shipments, err := w.db.Shipments(w.t.Context(), state.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range shipments {
		if msg, err := w.db.Message(w.t.Context(), s.ID); err == nil && strings.EqualFold(msg.CorrelationID, m.CorrelationID) {
			return s.ID
		}
	}
	w.t.Fatalf("no shipment for message %s", m.CorrelationID)
	return ""
}

// ackRests: no ack is due now.
func (w *rig) ackRests(string) bool {
	due, err := w.db.NextAck(w.t.Context())
	return err == nil && (due.IsZero() || due.After(w.db.Now()))
}

func (w *rig) wantMessage(shipmentID string, want state.State) {
	w.t.Helper()
	m, err := w.db.Message(w.t.Context(), shipmentID)
	if err != nil || m.State != want {
		w.t.Errorf("message is %s (%s), %v; want %s", m.State, m.Detail, err, want)
	}
}

// An output that is down for two hours: one download, and one ack that counts,
// sent after the rows are durable, with the receipt of the redelivery.
func TestAckWaitsForTheOutput(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	data, _ := w.queued(0)
	m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	out := &downOutput{Output: w.files()}
	cfg.Outputs["files"] = out
	w.run(cfg)
	for range 4 {
		if res := w.poll(q); res.Open != res.Messages+res.Redelivered {
			t.Errorf("poll gave %+v; want nothing acked while the output is down", res)
		}
		w.pass(31 * time.Minute)
	}
	if at, _ := m.Ack(); !at.IsZero() {
		t.Fatal("acked before the rows were durable")
	}
	out.back.Store(true)
	w.poll(q) // the redelivery
	w.pass(6 * time.Minute)
	id := w.shipmentOf(m)
	w.until("landed and acked", func() bool {
		msg, err := w.db.Message(t.Context(), id)
		return err == nil && msg.State == state.Acked
	})
	if m.Downloads() != 1 {
		t.Errorf("downloaded %d times, want once", m.Downloads())
	}
	if acks := w.countRoute("ack"); acks != 1 {
		t.Errorf("%d acks were sent, want 1", acks)
	}
}

func (w *rig) countRoute(route string) (n int) {
	for _, r := range w.fo.Requests() {
		if r.Route == route {
			n++
		}
	}
	return n
}

// Trouble on the way: one 502, a 500, a cut body and a throttle cost time and
// nothing else.
func TestPollThroughTrouble(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	data, _ := w.queued(0)
	m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	w.fo.Fault(sim.Fault{Route: "dequeue", Status: 502})
	w.fo.Fault(sim.Fault{Route: "download", Status: 500, Times: 2})
	w.fo.Fault(sim.Fault{Route: "download", CutAfter: 300})
	w.fo.Fault(sim.Fault{Route: "ack", Status: 429, RetryAfter: 20 * time.Second})
	w.run(cfg)
	if _, err := w.relay.Poll(t.Context(), q); err == nil {
		t.Fatal("a poll that met a 502 said that it drained the queue")
	}
	known, err := w.db.Queue(t.Context(), "prod", testActivity)
	if err != nil || known.Failures != 1 || !strings.Contains(known.Problem, "502") {
		t.Errorf("queue after a 502: %+v, %v; want its problem kept", known, err)
	}
	done := make(chan error, 1)
	go func() { _, err := w.relay.Poll(t.Context(), q); done <- err }()
	w.untilPassing("message acked", func() bool { at, _ := m.Ack(); return !at.IsZero() })
	if err := <-done; err != nil {
		t.Errorf("poll: %v", err)
	}
	w.wantExport(w.only(w.shipmentOf(m)), state.Landed, "", LandedHere)
}

// untilPassing lets time pass while it waits.
func (w *rig) untilPassing(what string, ok func() bool) {
	w.t.Helper()
	w.until(what, func() bool {
		if ok() {
			return true
		}
		w.pass(5 * time.Second)
		time.Sleep(10 * time.Millisecond)
		return false
	})
}

// A secret that is wrong parks nothing: it is said, and with the right secret
// the queue drains.
func TestPollWithoutSignIn(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	data, _ := w.queued(0)
	w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
	w.fo.SetApp(sim.App{ClientID: sim.DefaultClientID, Secret: "another"})
	w.run(cfg)
	_, err := w.relay.Poll(t.Context(), q)
	if _, ok := errors.AsType[*dmf.SignInError](err); !ok {
		t.Fatalf("poll with a wrong secret gave %v; want a SignInError", err)
	}
	if s, err := w.db.Status(t.Context(), ""); err != nil || s.NeedPerson != 0 {
		t.Errorf("status after a wrong secret: %+v, %v; want nothing parked", s, err)
	}
}

// Two polls of one queue at once: the second is told, and takes nothing.
func TestOnePollAtATime(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	w.run(cfg)
	in := make(chan struct{})
	out := make(chan struct{})
	w.onTrace(func(step string) {
		if step == "dequeue" {
			close(in)
			<-out
		}
	})
	done := make(chan error, 1)
	go func() { _, err := w.relay.Poll(context.Background(), q); done <- err }()
	<-in
	if _, err := w.relay.Poll(t.Context(), q); !errors.Is(err, ErrPolling) {
		t.Errorf("second poll gave %v; want ErrPolling", err)
	}
	close(out)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A restart between any two steps of a message downloads and acks it in the
// end, and lands it once.
func TestStopBeforeEachStepOfAMessage(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"dequeued", "message-stored", "fetch", "prove", "fetched", "open", "convert", "commit", "delivered", "ack", "acked"} {
		t.Run(step, func(t *testing.T) {
			w := newRig(t)
			cfg, q := w.polls(BacklogLand)
			data, table := w.queued(0)
			m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
			w.run(cfg)
			reached := make(chan struct{}, 1)
			w.onTrace(func(s string) {
				if s == step {
					select {
					case reached <- struct{}{}:
					default:
					}
					time.Sleep(5 * time.Millisecond) // lets the stop come before the step
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); w.relay.Poll(ctx, q) }()
			<-reached
			cancel()
			w.stop()
			<-done
			w.onTrace(nil)
			w.run(cfg)
			w.pass(31 * time.Minute) // the message is handed out again unless it was acked
			w.untilPassing("message acked", func() bool {
				if _, err := w.relay.Poll(t.Context(), q); err != nil && !errors.Is(err, ErrPolling) {
					t.Log(err)
				}
				at, _ := m.Ack()
				return !at.IsZero()
			})
			e := w.only(w.shipmentOf(m))
			w.until("landed", func() bool { return w.only(w.shipmentOf(m)).State == state.Landed })
			w.wantRows(e, table)
			if n := len(w.tree()); n != 2 {
				t.Errorf("%d files in the output, want data and manifest: %v", n, keys(w.tree()))
			}
		})
	}
}

// The schedule's missed slots run once, at the start.
func TestMissedSlotsRunOnce(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg, q := w.polls(BacklogLand)
	w.run(cfg)
	w.poll(q)
	w.stop()
	w.shut()
	w.ahead.Add(int64(6 * time.Hour))
	w.fo.Clock().Advance(6 * time.Hour)
	w.fo.ForgetRequests()
	cfg.Polling = true
	w.run(cfg)
	w.until("polled", func() bool { return w.countRoute("dequeue") > 0 })
	time.Sleep(100 * time.Millisecond)
	if n := w.countRoute("dequeue"); n != 1 {
		t.Errorf("%d polls after six hours of missed slots, want 1", n)
	}
}

// downOutput is an output whose disk is away for a while.
type downOutput struct {
	outputs.Output
	back atomic.Bool
}

func (d *downOutput) Begin(ctx context.Context, marker string, e outputs.Export) (outputs.Writer, error) {
	if !d.back.Load() {
		return nil, errors.New("the disk is away")
	}
	return d.Output.Begin(ctx, marker, e)
}

// The same rows by event and by queue: both land and the pair is shown, or the
// later one is held; exports of another time or entity are no pair.
func TestEventAndQueueBringTheSame(t *testing.T) {
	t.Parallel()
	for _, hold := range []bool{false, true} {
		w := newRig(t)
		cfg, q := w.polls(BacklogLand)
		cfg.Flows[0].HoldTwins = hold
		w.run(cfg)
		first, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Format: sim.CSVUTF8, Rows: 5})
		w.export(sim.ExportSpec{Entity: "Vendor groups", LegalEntity: "usmf", Format: sim.CSVUTF8, Rows: 5})
		w.settle()
		data, _ := w.queued(0)
		m := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
		if res := w.poll(q); res.Open != 0 {
			t.Errorf("poll gave %+v", res)
		}
		e := w.only(w.shipmentOf(m))
		if want := w.only(first.ShipmentID).ID; e.Twin != want {
			t.Errorf("hold %t: shown as possibly the same as %q; want %q", hold, e.Twin, want)
		}
		if hold {
			w.wantExport(e, state.Parked, state.ReasonTwin, SafeHere)
		} else {
			w.wantExport(e, state.Landed, "", LandedHere)
		}
		w.pass(2 * time.Hour)
		w.poll(q) // seen empty: what comes now is no two hours old
		later := w.fo.Enqueue(testActivity, data, sim.MessageOptions{})
		w.poll(q)
		if e := w.only(w.shipmentOf(later)); e.Twin != "" || e.State != state.Landed {
			t.Errorf("hold %t: two hours later: %s, possibly the same as %q; want landed, no pair", hold, e.State, e.Twin)
		}
	}
}

// An output that is broken for good is tried on, and after some attempts a
// person is told; mended, it lands by itself and the list is empty again.
func TestBrokenOutputIsTold(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	out := &downOutput{Output: w.files()}
	cfg.Outputs["files"] = out
	w.run(cfg)
	r, _, _ := w.export(sim.ExportSpec{Entity: "Customer groups", LegalEntity: "usmf", Format: sim.CSVUTF8, Rows: 3})
	need := func() int64 {
		s, err := w.db.Status(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return s.NeedPerson
	}
	w.untilPassing("a person is told", func() bool { return need() == 1 })
	if n, err := w.db.Overdue(t.Context(), "prod"); err != nil || n != 1 {
		t.Errorf("overdue: %d, %v; want the export", n, err)
	}
	out.back.Store(true)
	w.untilPassing("landed", func() bool { return w.shipment(r.ShipmentID).State == state.Settled })
	if n := need(); n != 0 {
		t.Errorf("%d still need a person", n)
	}
}

// A bare file tells no entity: it is the one that the queue's flow takes, else
// it bears the flow's name. A message without a file holds no rows.
func TestBareFileFromTheQueue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		entities []string
		want     string
	}{{[]string{"Customer groups"}, "Customer groups"}, {nil, "all"}, {[]string{"a*"}, "all"}} {
		w := newRig(t)
		cfg, q := w.polls(BacklogLand)
		cfg.Flows[0].Entities = c.entities
		table := w.fo.SampleEntity("Customer groups", 3)
		w.fo.Enqueue(testActivity, w.fo.Render(sim.CSVUTF8BOM, table), sim.MessageOptions{})
		none := w.fo.Enqueue(testActivity, nil, sim.MessageOptions{NoFile: true})
		w.run(cfg)
		w.poll(q)
		all, err := w.db.Exports(t.Context(), state.Filter{})
		if err != nil || len(all) != 1 || all[0].Entity != c.want || all[0].State != state.Landed {
			t.Errorf("flow of %v: %+v, %v; want one of %q, landed", c.entities, all, err, c.want)
		}
		if at, _ := none.Ack(); at.IsZero() {
			t.Error("the message without a file is not acked")
		}
		shipments, err := w.db.Shipments(t.Context(), state.Filter{Reason: state.ReasonNoFile})
		if err != nil || len(shipments) != 1 || w.relay.ShipmentWhereabouts(shipments[0]).Place != Nowhere {
			t.Errorf("message without a file: %+v, %v", shipments, err)
		}
	}
}

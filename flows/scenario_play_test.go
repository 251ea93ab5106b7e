package flows

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"finrelay/dmf"
	"finrelay/dmf/sim"
	"finrelay/state"
)

// playedScenario is a rig that lives through a scenario on the simulator's
// clock, which stands: it moves to whatever is due next, and only when nobody
// has anything to do any more.
type playedScenario struct {
	*rig
	want  outcome
	sc    sim.Scenario
	begin time.Time
	queue *Queue // nil = the scenario has none

	polling  chan error // of the poll that is going on
	problems []string   // that polls ended with
	asked    bool
	files    []playedFile
	exports  []state.Export // all, at the end
	same     int            // copies of what came another way

	requests atomic.Int64 // that FinOps is answering now
	answered atomic.Int64 // when the last one was, in real milliseconds
	dequeues atomic.Bool  // the poll is between two messages
	mu       sync.Mutex
	early    []string // acks that came before the raw file was in place
}

// playedFile is one thing the simulator handed over, by one of its ways.
type playedFile struct {
	sim.Played
	shipment string // of an event; "" = it came by queue
}

func newPlayedScenario(t *testing.T, file string, want outcome) *playedScenario {
	t.Helper()
	sc := readScenario(t, file, want)
	clock := sim.NewClock(time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC))
	p := &playedScenario{want: want, sc: sc, begin: clock.Now()}
	p.rig = newRigOn(t, sim.New(sc.Options(sim.Options{Seed: 7, Clock: clock})))
	p.clock = clock
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		p.shut()
		server.CloseClientConnections()
		server.Close()
	})
	p.fo.SetBaseURL(server.URL)
	method := dmf.MethodV1
	if want.method != "" {
		method = want.method
	}
	cfg := p.signedIn(method)
	for _, a := range sc.Activities {
		p.queue = &Queue{Flow: "all", Environment: "prod", Activity: dmf.ActivityID(strings.ToLower(a.ID)), Schedule: cron.Every(5 * time.Minute), Backlog: BacklogLand}
		cfg.Queues = append(cfg.Queues, *p.queue)
	}
	p.onTrace(func(step string) {
		switch step {
		case "dequeue":
			p.dequeues.Store(true)
		case "message-stored", "drained":
			p.dequeues.Store(false)
		}
	})
	p.run(cfg)
	return p
}

// ServeHTTP stands before the simulator.
func (p *playedScenario) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	defer func() {
		p.answered.Store(time.Now().UnixMilli())
		p.requests.Add(-1)
	}()
	if strings.HasPrefix(r.URL.Path, "/api/connector/ack/") {
		p.checkAck(r)
	}
	p.fo.Handler().ServeHTTP(rw, r)
}

// checkAck: from the answer on FinOps forgets the message, so its raw file must
// have its final name, which it gets after its fsync, and all its bytes.
func (p *playedScenario) checkAck(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct{ CorrelationID string }
	err = errors.Join(err, json.Unmarshal(body, &answer))
	var m *sim.Message
	for _, each := range p.fo.Messages(path.Base(r.URL.Path)) {
		if each.CorrelationID == answer.CorrelationID {
			m = each
		}
	}
	if err == nil && m != nil && m.Blob == nil {
		return
	}
	problem := "is no message's"
	if err == nil && m != nil {
		raw, err := os.ReadFile(filepath.Join(p.state, rawFile(messageShipment(m))))
		if err == nil && bytes.Equal(raw, m.Blob.Bytes()) {
			return
		}
		problem = fmt.Sprintf("came while its raw file had %d bytes of %d: %v", len(raw), m.Blob.Size(), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.early = append(p.early, "ack "+answer.CorrelationID+" "+problem)
}

// messageShipment is the id of the shipment that a message becomes.
func messageShipment(m *sim.Message) string {
	return state.NewID("sh", "prod", "0", "queue:"+dmf.Fold(m.Activity)+":"+m.CorrelationID)
}

// aftermath is how long a scenario is lived through behind its end: an ack that
// got no answer counts as done after 65 minutes without a redelivery.
const aftermath = 3 * time.Hour

func (p *playedScenario) play() {
	p.t.Helper()
	err := p.fo.Play(p.t.Context(), p.sc, sim.Target{Each: p.took, Pass: p.passTo})
	if err == nil {
		err = p.passTo(p.t.Context(), p.now().Add(aftermath))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	if p.exports, err = p.db.Exports(p.t.Context(), state.Filter{Limit: -1}); err != nil {
		p.t.Fatal(err)
	}
	if idle, err := p.relay.Idle(p.t.Context()); err != nil || !idle {
		p.t.Errorf("not at rest %v after the end: %v\n%s", aftermath, err, p.picture())
	}
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.early {
		p.t.Error(e)
	}
}

// took hands an event over as a door does, and notes what was made.
func (p *playedScenario) took(_ context.Context, played sim.Played) error {
	if played.Event != nil {
		r := p.post(p.fo.Payload(*played.Event))
		p.files = append(p.files, playedFile{played, r[0].ShipmentID})
	}
	if played.Message != nil {
		p.files = append(p.files, playedFile{played, ""})
	}
	return nil
}

// passTo moves the clock from one due time to the next.
func (p *playedScenario) passTo(ctx context.Context, to time.Time) error {
	for {
		if err := p.askForExports(ctx); err != nil {
			return err
		}
		asleep, due, err := p.quiet(ctx)
		if err != nil {
			return err
		}
		now := p.now()
		if !now.Before(to) {
			return nil
		}
		if due.IsZero() || due.After(to) {
			due = to
		}
		if asleep && due.After(now.Add(stride)) {
			due = now.Add(stride)
		}
		p.clock.Advance(due.Sub(now))
		if _, err := p.db.ResetEnvironment(ctx, "the-clock-moved", ""); err != nil { // wakes the pools
			return err
		}
	}
}

func (p *playedScenario) askForExports(ctx context.Context) error {
	if p.asked || p.now().Before(p.begin.Add(p.want.asked)) {
		return nil
	}
	p.asked = true
	for _, q := range p.want.ask {
		q.Environment, q.By = "prod", "eve"
		if _, err := p.relay.Export(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// due is when something will have to be done: at once, later, or with the zero
// time never.
func (p *playedScenario) due(ctx context.Context) (first time.Time, err error) {
	never := time.Time{}
	for _, next := range []func(context.Context) (time.Time, error){
		func(ctx context.Context) (time.Time, error) { return p.db.NextFetch(ctx, never) },
		p.db.NextDelivery, p.db.NextAck, p.db.NextRenewal, p.db.NextExecution,
		func(ctx context.Context) (time.Time, error) {
			if p.queue == nil || p.polling != nil {
				return never, nil
			}
			return p.relay.NextPoll(ctx, *p.queue)
		},
	} {
		at, err := next(ctx)
		if err != nil {
			return never, err
		}
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, nil
}

// A download sleeps in place for up to two seconds of real time before it gives
// up for a while. Meanwhile the clock goes on in strides, about a hundred times
// as fast as the real one.
const (
	stride = 2 * time.Second
	dozing = 25 // ms without a request
)

// quiet waits, in real time, until nobody works and nothing is due: twice in a
// row, with no commit between the looks. It says whether a download is asleep,
// and what was due next when it looked: an ack that has been claimed and not
// sent yet looks quiet, and by its lease the clock goes on by two minutes only.
func (p *playedScenario) quiet(ctx context.Context) (asleep bool, due time.Time, err error) {
	before := int64(-1)
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		p.pollWhenDue(ctx)
		commits := int64(p.db.Commits())
		busy, dozes, next, err := p.busy(ctx)
		if err != nil {
			return false, next, err
		}
		asleep = asleep || dozes
		switch {
		case !busy && before == commits:
			return asleep, next, nil
		case busy:
			commits = -1
		}
		before = commits
		time.Sleep(time.Millisecond)
	}
	return false, due, fmt.Errorf("no rest at %v\n%s", p.now(), p.picture())
}

// busy says whether somebody works or has something to do now, and whether
// there are downloads that FinOps has had no request of for a moment.
func (p *playedScenario) busy(ctx context.Context) (busy, asleep bool, due time.Time, err error) {
	if p.requests.Load() > 0 || p.polling != nil && !p.awaits(ctx) {
		return true, false, due, nil
	}
	due, err = p.due(ctx)
	if err != nil || !due.IsZero() && !due.After(p.now()) {
		return true, false, due, err
	}
	working, err := p.db.Shipments(ctx, state.Filter{States: []state.State{state.Fetching, state.Fetched}, Limit: -1})
	if err != nil {
		return true, false, due, err
	}
	for _, s := range working {
		if s.State == state.Fetched && s.OpenedAt.IsZero() {
			return true, false, due, nil
		}
		asleep = asleep || s.State == state.Fetching
	}
	if asleep && (p.requests.Load() > 0 || time.Now().UnixMilli()-p.answered.Load() <= dozing) {
		return true, false, due, nil
	}
	delivering, err := p.delivering(ctx)
	return delivering, asleep, due, err
}

// awaits: the poll that is going on has nothing to do but to wait for a message
// that is on its way.
func (p *playedScenario) awaits(ctx context.Context) bool {
	if p.dequeues.Load() {
		return false
	}
	for _, m := range p.fo.Messages(string(p.queue.Activity)) {
		if m.Dequeues() == 0 {
			continue
		}
		if _, soon, err := p.relay.messageStands(ctx, messageShipment(m)); err == nil && soon {
			return true
		}
	}
	return false
}

func (p *playedScenario) delivering(ctx context.Context) (bool, error) {
	open, err := p.db.Exports(ctx, state.Filter{States: []state.State{state.Open}, Limit: -1})
	for _, e := range open {
		deliveries, err := p.db.Deliveries(ctx, e.ID)
		if err != nil {
			return true, err
		}
		for _, d := range deliveries {
			if d.State == state.Running {
				return true, nil
			}
		}
	}
	return false, err
}

// pollWhenDue does what keepPolling does, on this clock.
func (p *playedScenario) pollWhenDue(ctx context.Context) {
	if p.queue == nil {
		return
	}
	if p.polling != nil {
		select {
		case err := <-p.polling:
			p.polling = nil
			if err != nil {
				p.problems = append(p.problems, err.Error())
			}
		default:
			return
		}
	}
	if due, err := p.relay.NextPoll(ctx, *p.queue); err == nil && !due.After(p.now()) {
		done := make(chan error, 1)
		p.polling = done
		p.dequeues.Store(true)
		go func() {
			_, err := p.relay.Poll(ctx, *p.queue)
			done <- err
		}()
	}
}

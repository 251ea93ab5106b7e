package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

// scenario reads one of the ready scenarios.
func scenario(t *testing.T, name string) sim.Scenario {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "scenarios", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sc, err := sim.LoadScenario(data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return sc
}

// countingDoor is a door that counts what it is sent.
type countingDoor struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	keys   map[string]int
}

func receiving(t *testing.T) *countingDoor {
	r := &countingDoor{keys: make(map[string]int)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, string(body))
		r.keys[req.URL.Query().Get("code")]++
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(r.Close)
	return r
}

// play plays a ready scenario on a clock that stands and says what it did.
func play(t *testing.T, name string, target sim.Target) (*sim.Sim, []sim.Played) {
	t.Helper()
	sc := scenario(t, name)
	s := started(t, sc.Options(sim.Options{Clock: sim.NewClock(morning)}))
	var all []sim.Played
	each := target.Each
	target.Each = func(ctx context.Context, p sim.Played) error {
		all = append(all, p)
		if each != nil {
			return each(ctx, p)
		}
		return nil
	}
	if err := s.Play(t.Context(), sc, target); err != nil {
		t.Fatal(err)
	}
	return s, all
}

// What each ready scenario does. A file that is not in the table fails.
func TestReadyScenarios(t *testing.T) {
	cases := map[string]struct {
		played, events, messages int
		lasts                    time.Duration
	}{
		"calm":         {16 + 12, 16, 12, 112 * time.Minute},
		"flaky":        {24, 12, 12, 57 * time.Minute},
		"gateway":      {18, 0, 18, 171 * time.Minute},
		"throttled":    {15, 5, 10, 18*time.Minute + 30*time.Second},
		"expiring":     {16, 15, 5, 9*time.Minute + 30*time.Second},
		"backlog-2000": {2000, 0, 2000, 0},
		"month-end":    {240 + 2 + 1 + 6, 240, 9, 51*time.Minute + 30*time.Second},
		"wrong-secret": {8, 0, 6, 51 * time.Minute},
		"on-premises":  {6, 6, 0, 51 * time.Minute},
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "scenarios", "*.yaml"))
	if err != nil || len(files) != len(cases) {
		t.Fatalf("%d files, %v; want %d", len(files), err, len(cases))
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "simulator.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			want := cases[name]
			door := receiving(t)
			s, all := play(t, name, sim.Target{Door: door.URL, Key: "k+/="})
			events, messages := 0, 0
			for i, p := range all {
				if p.Event != nil {
					events++
					if p.Delivery == nil || !p.Delivery.Delivered || p.Event.ExecutionID != p.ExecutionID {
						t.Errorf("played %d: event not delivered: %+v", i, p)
					}
				}
				if p.Message != nil {
					messages++
				}
			}
			if len(all) != want.played || events != want.events || messages != want.messages || len(door.bodies) != events || door.keys["k+/="] != events {
				t.Errorf("played %d, %d events, %d messages, %d received; want %+v", len(all), events, messages, len(door.bodies), want)
			}
			if got := s.Clock().Now().Sub(morning); got != want.lasts {
				t.Errorf("it lasts %v, want %v", got, want.lasts)
			}
			if sc := scenario(t, name); sc.About == "" || !strings.Contains(string(page), "`"+name+".yaml`") {
				t.Errorf("about %q; or docs/simulator.md does not list it", sc.About)
			}
		})
	}
}

// The same scenario and seed give the same story, byte for byte.
func TestPlayIsDeterministic(t *testing.T) {
	story := func() string {
		var b strings.Builder
		sc := scenario(t, "expiring")
		s := sim.New(sc.Options(sim.Options{Seed: 3, Clock: sim.NewClock(morning)}))
		defer s.Close()
		err := s.Play(t.Context(), sc, sim.Target{Each: func(_ context.Context, p sim.Played) error {
			if p.Blob != nil {
				fmt.Fprintln(&b, p.Step, p.Time, p.ExecutionID, p.Rows, p.Blob.Name(), p.Blob.ETag(), len(p.Blob.Bytes()))
			}
			if p.Event != nil {
				fmt.Fprintln(&b, string(s.Payload(*p.Event)))
			}
			if p.Message != nil {
				fmt.Fprintln(&b, p.Message.CorrelationID)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first, second := story(), story()
	if first != second || strings.Count(first, "\n") < 30 {
		t.Errorf("two plays differ, or tell too little:\n%s\n%s", first, second)
	}
}

// Two thousand files that share their padding are all different, large, and
// hold together.
func TestBacklogFiles(t *testing.T) {
	sc := scenario(t, "backlog-2000")
	sc.Timeline[0].Times = 50
	s := started(t, sc.Options(sim.Options{Clock: sim.NewClock(morning)}))
	var all []sim.Played
	err := s.Play(t.Context(), sc, sim.Target{Each: func(_ context.Context, p sim.Played) error { all = append(all, p); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i, p := range all {
		data := p.Blob.Bytes()
		if p.Blob.Size() < 200_000 || p.Blob.Size() > 202_000 || bytes.Count(data, []byte("\r\n")) != p.Rows+1 {
			t.Fatalf("%d bytes, %d lines, %d rows", p.Blob.Size(), bytes.Count(data, []byte("\r\n")), p.Rows)
		}
		seen[string(data)] = true
		if i > 0 {
			continue
		}
		for _, off := range []int64{0, 100, 250, p.Blob.Size() - 600} { // across the seam and beside it
			a := get(t, s.Link(p.Blob, sim.LinkOptions{}), "Range", fmt.Sprintf("bytes=%d-%d", off, off+599))
			if a.status != 206 || a.body != string(data[off:off+600]) {
				t.Errorf("range at %d: status %d, %d bytes", off, a.status, len(a.body))
			}
		}
	}
	if len(seen) != 50 || s.Waiting(queue) != 50 {
		t.Errorf("%d different files of 50, %d waiting", len(seen), s.Waiting(queue))
	}
}

// A client that acts between the steps sees the world of that time: the secret
// is wrong for half an hour, then right.
func TestWrongSecretScenario(t *testing.T) {
	sc := scenario(t, "wrong-secret")
	s := started(t, sc.Options(sim.Options{Clock: sim.NewClock(morning)}))
	var seen []string
	err := s.Play(t.Context(), sc, sim.Target{Each: func(context.Context, sim.Played) error {
		a := signIn(t, s, v2, good(s)...)
		expired := signIn(t, s, v2, good(s, "client_id", "aaaaaaaa-bbbb-cccc-dddd-000000000000")...)
		seen = append(seen, fmt.Sprint(a.status, "/", expired.status))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(seen, " "), "401/200 401/401 401/401 401/401 200/401 200/401 200/401 200/401"; got != want {
		t.Errorf("sign-in over time: %s, want %s", got, want)
	}
	if a := (caller{t, s, s.Token("aaaaaaaa-bbbb-cccc-dddd-ffffffffffff")}).get(dequeuePath); a.status != 401 {
		t.Errorf("the app that is not listed: %d", a.status)
	}
}

// The windows of a scenario's faults open and close with the clock.
func TestThrottledScenario(t *testing.T) {
	sc := scenario(t, "throttled")
	s := started(t, sc.Options(sim.Options{Clock: sim.NewClock(morning)}))
	s.Setup(sc)
	var seen []int
	for range 6 {
		seen = append(seen, calling(t, s).get(dequeuePath).status)
		s.Clock().Advance(time.Minute)
	}
	if got := fmt.Sprint(seen); got != "[204 429 429 429 204 204]" {
		t.Errorf("dequeues minute by minute: %v", got)
	}
}

func TestPlayEnds(t *testing.T) {
	endless, err := sim.LoadScenario([]byte("projects: [{name: P, entities: [{label: Customer groups}]}]\ntimeline: [{project: P, every: 1m, times: -1}]"))
	if err != nil {
		t.Fatal(err)
	}
	standing := func() *sim.Sim { return sim.New(sim.Options{Clock: sim.NewClock(morning)}) }
	if err := standing().Play(t.Context(), endless, sim.Target{}); err == nil || !strings.Contains(err.Error(), "Target.Until") {
		t.Errorf("without end: %v", err)
	}
	n := 0
	s := standing()
	count := func(context.Context, sim.Played) error { n++; return nil }
	if err := s.Play(t.Context(), endless, sim.Target{Until: 150 * time.Second, Each: count}); err != nil || n != 3 || s.Clock().Now().Sub(morning) != 150*time.Second {
		t.Errorf("until 2m30s: %d runs, %v, clock %v", n, err, s.Clock().Now())
	}
	stop := errors.New("enough")
	if err := standing().Play(t.Context(), endless, sim.Target{Until: time.Hour, Each: func(context.Context, sim.Played) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("Each fails: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	n = 0
	real := sim.New(sim.Options{})
	err = real.Play(ctx, endless, sim.Target{Each: func(context.Context, sim.Played) error {
		n++
		cancel(stop) // while it waits for the second run, a minute of real time
		return nil
	}})
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("cancelled in real time: %v after %d runs", err, n)
	}
}

// In real time the play waits, and follows a clock that is moved.
func TestPlayInRealTime(t *testing.T) {
	sc, err := sim.LoadScenario([]byte("clock: 2026-03-02T06:00:00Z\nprojects: [{name: P, entities: [{label: Customer groups}]}]\ntimeline: [{at: 5ms, project: P}, {at: 1h, project: P}]"))
	if err != nil {
		t.Fatal(err)
	}
	s := sim.New(sc.Options(sim.Options{}))
	var at []time.Time
	err = s.Play(t.Context(), sc, sim.Target{Each: func(_ context.Context, p sim.Played) error {
		at = append(at, p.Time)
		s.Clock().Advance(time.Hour)
		return nil
	}})
	if err != nil || len(at) != 2 || at[0].Sub(sc.Clock) > time.Minute || at[0].Sub(sc.Clock) < 5*time.Millisecond || at[1].Sub(at[0]) < time.Hour {
		t.Errorf("%v, at %v", err, at)
	}
}

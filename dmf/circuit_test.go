package dmf

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestCircuit(t *testing.T) {
	healthyAgain := false
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		if healthyAgain {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answerStatus(http.StatusBadGateway, "")(w, r)
	})
	dequeue := func() error { _, err := f.Dequeue(t.Context(), testActivity); return err }
	for n := 1; n <= circuitFailures; n++ {
		if open, _, _ := f.Circuit(); open {
			t.Fatalf("open after %d failures", n-1)
		}
		if err := dequeue(); err == nil || errors.Is(err, ErrCircuitOpen) {
			t.Fatalf("failure %d: %v", n, err)
		}
	}
	for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
		want *= time.Second
		open, until, why := f.Circuit()
		if !open || until.Sub(f.clock.Now()) != want || !strings.Contains(why, "502") {
			t.Fatalf("opened %d times: Circuit() = %v, in %s, %q; want %s", i+1, open, until.Sub(f.clock.Now()), why, want)
		}
		before := f.count()
		err := dequeue()
		api, ok := errors.AsType[*APIError](err)
		if !ok || !errors.Is(err, ErrCircuitOpen) || api.RetryAfter != want || !api.Temporary() || f.count() != before {
			t.Fatalf("while open: got %v after %d requests", err, f.count()-before)
		}
		f.clock.Advance(want)
		if err := dequeue(); errors.Is(err, ErrCircuitOpen) || f.count() != before+1 {
			t.Fatalf("the probe: got %v after %d requests, want one", err, f.count()-before)
		}
	}
	f.clock.Advance(circuitLongest)
	healthyAgain = true
	if err := dequeue(); !errors.Is(err, ErrEmpty) {
		t.Fatal(err)
	}
	if open, _, why := f.Circuit(); open || why != "" {
		t.Errorf("still open after an answer: %q", why)
	}
}

// TestCircuitStaysClosed: what FinOps itself says, bad as it is, shows that it
// lives.
func TestCircuitStaysClosed(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"404":           answerStatus(404, ""),
		"401":           answerStatus(401, ""),
		"500 by OData":  answerStatus(500, `{"error":{"code":"","message":"An error has occurred."}}`),
		"302":           answerStatus(302, ""),
		"a good answer": answerStatus(204, ""),
	} {
		f := startFinOps(t, answer)
		for range circuitFailures + 2 {
			if _, err := f.Dequeue(t.Context(), testActivity); err == nil || errors.Is(err, ErrCircuitOpen) {
				t.Fatalf("%s: got %v", name, err)
			}
		}
	}
}

// TestCircuitInterrupted: one good answer between failures begins the count
// anew.
func TestCircuitInterrupted(t *testing.T) {
	bad, good := answerStatus(503, ""), answerStatus(204, "")
	f := startFinOps(t, answers(bad, bad, bad, bad, good, bad, bad, bad, bad))
	for range 9 {
		if _, err := f.Dequeue(t.Context(), testActivity); errors.Is(err, ErrCircuitOpen) {
			t.Fatal(err)
		}
	}
}

func TestCircuitOneProbe(t *testing.T) {
	now := newTestClock().Now()
	c := circuit{jitter: func() float64 { return 0 }}
	for range circuitFailures {
		c.leave(now, false, failed, "x")
	}
	if _, until, _ := c.state(); until.Sub(now) != circuitFirst/2 {
		t.Errorf("without jitter it rests %s, want half of %s", until.Sub(now), circuitFirst)
	}
	c.leave(now, false, failed, "late")
	later := now.Add(circuitFirst)
	if ok, probe, _ := c.enter(later); !ok || !probe {
		t.Fatal("no probe after the rest")
	}
	if ok, _, wait := c.enter(later); ok || wait <= 0 {
		t.Error("a second call goes out beside the probe")
	}
	// The probe's caller gives up: the next one takes its place.
	c.leave(later, true, noWord, "")
	if ok, probe, _ := c.enter(later); !ok || !probe {
		t.Error("no probe after one that told nothing")
	}
}

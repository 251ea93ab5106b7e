package dmf

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, value, date string
		want              time.Duration
	}{
		{"missing", "", "", 0},
		{"seconds", "30", "", 30 * time.Second},
		{"fraction", "1.5", "", 1500 * time.Millisecond},
		{"blanks", " 7 ", "", 7 * time.Second},
		{"zero", "0", "", time.Second},
		{"negative", "-5", "", time.Second},
		{"an hour", "3600", "", MaxRetryAfter},
		{"beyond any duration", "1e300", "", MaxRetryAfter},
		{"not a number", "NaN", "", MaxRetryAfter},
		{"date", "Mon, 02 Mar 2026 09:01:00 GMT", "", time.Minute},
		{"date past", "Mon, 02 Mar 2026 08:00:00 GMT", "", time.Second},
		{"date far", "Mon, 02 Mar 2036 08:00:00 GMT", "", MaxRetryAfter},
		{"our clock an hour behind", "Mon, 02 Mar 2026 10:00:20 GMT", "Mon, 02 Mar 2026 10:00:00 GMT", 20 * time.Second},
		{"words", "soon", "", 0},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.value)
		if c.date != "" {
			h.Set("Date", c.date)
		}
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%s: %q is %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

// TestThrottle drives one environment through a 429 to one call and checks
// that all others wait.
func TestThrottle(t *testing.T) {
	f := startFinOps(t, answers(
		answerStatus(429, `{"error":{"message":"x"}}`, "Retry-After", "60"),
		answerStatus(204, ""),
	))
	_, err := f.Dequeue(t.Context(), testActivity)
	wantThrottled(t, "the 429 itself", err, time.Minute)
	if errors.Is(err, ErrThrottled) {
		t.Errorf("the 429 itself says it was not sent: %v", err)
	}
	f.clock.Advance(20 * time.Second)
	_, err = f.ExecutionStatus(t.Context(), "x")
	wantThrottled(t, "another call", err, 40*time.Second)
	if !errors.Is(err, ErrThrottled) {
		t.Errorf("another call: got %v, want ErrThrottled", err)
	}
	_, err = f.OpenDownload(t.Context(), testActivity, Message{DownloadLocation: "/x", HasFile: true})
	wantThrottled(t, "a download", err, 40*time.Second)
	if on, until := f.Throttled(); !on || !until.Equal(f.clock.Now().Add(40*time.Second)) {
		t.Errorf("Throttled() = %v, %s", on, until)
	}
	if f.count() != 1 {
		t.Errorf("%d requests while throttled, want the first only: %v", f.count(), f.requests)
	}
	f.clock.Advance(40 * time.Second)
	if _, err := f.Dequeue(t.Context(), testActivity); !errors.Is(err, ErrEmpty) {
		t.Errorf("after the wait: %v", err)
	}
	if on, _ := f.Throttled(); on {
		t.Error("still throttled after the wait")
	}
}

func wantThrottled(t *testing.T, what string, err error, wait time.Duration) {
	t.Helper()
	api, ok := errors.AsType[*APIError](err)
	if !ok || api.StatusCode != 429 || api.RetryAfter != wait || !api.Temporary() {
		t.Errorf("%s: got %v, want a 429 that says %s", what, err, wait)
	}
}

func TestThrottleWithoutHeaderGrows(t *testing.T) {
	status := 429
	f := startFinOps(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	wait := func() time.Duration {
		_, err := f.Dequeue(t.Context(), testActivity)
		api, ok := errors.AsType[*APIError](err)
		if !ok {
			t.Fatalf("got %v", err)
		}
		f.clock.Advance(api.RetryAfter)
		return api.RetryAfter
	}
	for i, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, MaxRetryAfter, MaxRetryAfter} {
		if got := wait(); got != want {
			t.Errorf("429 number %d: wait %s, want %s", i+1, got, want)
		}
	}
	status = 204
	if _, err := f.Dequeue(t.Context(), testActivity); !errors.Is(err, ErrEmpty) {
		t.Fatal(err)
	}
	status = 429
	if got := wait(); got != DefaultRetryAfter {
		t.Errorf("after an answer: wait %s, want %s again", got, DefaultRetryAfter)
	}
}

// TestGateTogether: calls under way at once are one refusal, and the longest
// wait among them counts.
func TestGateTogether(t *testing.T) {
	var g gate
	now := newTestClock().Now()
	for range 5 {
		if got := g.throttled(now, 0); got > 30*time.Second*2 {
			t.Fatalf("five 429 at once: wait %s", got)
		}
	}
	g = gate{}
	if got := g.throttled(now, time.Minute); got != time.Minute {
		t.Errorf("got %s", got)
	}
	if got := g.throttled(now, 10*time.Second); got != time.Minute {
		t.Errorf("a shorter wait took back a longer one: %s", got)
	}
}

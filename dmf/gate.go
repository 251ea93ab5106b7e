package dmf

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of a wait that FinOps asks for.
const (
	// DefaultRetryAfter is the wait when a 429 does not say.
	//
	// Source: Microsoft Learn, "Service protection API limits", sample code.
	DefaultRetryAfter = 30 * time.Second
	// MaxRetryAfter is the longest wait that is obeyed at once. An
	// environment that still throttles then says so again.
	MaxRetryAfter = 15 * time.Minute
)

// gate is the one throttle budget of an environment. A 429 to any call closes
// it for all of them: the limit counts the application, not the call.
//
// Source: Microsoft Learn, "Service protection API limits": repeated pressure
// lengthens Retry-After and retries get no preference.
type gate struct {
	mu      sync.Mutex
	until   time.Time
	unasked time.Duration // the next wait when the header is missing
}

// closed gives how much longer nothing may be sent, 0 when something may.
func (g *gate) closed(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, g.until.Sub(now))
}

// throttled closes the gate after a 429 and returns the wait. said is what
// Retry-After asked for, 0 when it was missing.
func (g *gate) throttled(now time.Time, said time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := min(said, MaxRetryAfter)
	if said == 0 {
		wait = max(g.unasked, DefaultRetryAfter)
		// Calls that were under way together are one refusal, not many.
		if !now.Before(g.until) {
			g.unasked = min(2*wait, MaxRetryAfter)
		}
	}
	if until := now.Add(wait); until.After(g.until) {
		g.until = until
	}
	return g.until.Sub(now)
}

// passed notes an answer other than 429.
func (g *gate) passed(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !now.Before(g.until) {
		g.unasked = 0
	}
}

// retryAfter reads the header, in seconds or as a date, to between a second
// and MaxRetryAfter; 0 when it is missing or unreadable.
//
// A date is taken relative to the server's own Date, so that a wrong clock
// here does not turn 30 seconds into an hour.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds < MaxRetryAfter.Seconds()) { // NaN too
			return MaxRetryAfter
		}
		return max(time.Second, time.Duration(seconds*float64(time.Second)))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if server, err := http.ParseTime(h.Get("Date")); err == nil {
		now = server
	}
	return min(max(time.Second, date.Sub(now)), MaxRetryAfter)
}

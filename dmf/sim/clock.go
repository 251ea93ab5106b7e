package sim

import (
	"sync"
	"time"
)

// Clock is the simulator's idea of now, in UTC. The zero value runs with the
// real time; Advance moves it, Set stops it at an instant. Safe for concurrent
// use; do not copy it after first use.
type Clock struct {
	mu      sync.Mutex
	offset  time.Duration // added to the real time while running
	stopped bool
	at      time.Time // the time while stopped
}

// NewClock returns a clock that stands at t until it is moved.
func NewClock(t time.Time) *Clock {
	c := new(Clock)
	c.Set(t)
	return c
}

// Now returns the current time of the simulated world, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return c.at
	}
	// Round strips the monotonic reading: differences between two readings
	// must be those of the wall times printed in links.
	return time.Now().Add(c.offset).Round(0).UTC()
}

// Advance moves the clock by d, backwards if d is negative. A running clock
// keeps running, a stopped one stays stopped.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		c.at = c.at.Add(d)
		return
	}
	c.offset += d
}

// Set moves the clock to t and stops it there: from now on only Advance and
// Set move it, which is what a test wants that compares bytes.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.at = t.Round(0).UTC()
}

// stands reports whether only Advance and Set move the clock.
func (c *Clock) stands() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

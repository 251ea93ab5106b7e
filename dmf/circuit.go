package dmf

import (
	"sync"
	"time"
)

// Bounds of the circuit.
const (
	circuitFailures = 5 // in a row before it opens
	circuitFirst    = 5 * time.Second
	circuitLongest  = 5 * time.Minute
)

// circuit leaves an environment alone that fails again and again, and closes
// by itself.
//
//	closed ──5 failures in a row──▶ open ──its time is over──▶ one probe
//	  ▲                              ▲                           │   │
//	  │                              └──────── failed, longer ───┘   │
//	  └─────────────── any answer of FinOps' own ────────────────────┘
type circuit struct {
	jitter func() float64 // 0 to 1

	mu       sync.Mutex
	failures int
	opened   int // times in a row
	open     bool
	until    time.Time
	probing  bool
	why      string
}

// outcome is what a call says about the health of the environment.
type outcome int

const (
	noWord  outcome = iota // the caller gave up, or it never was sent
	healthy                // an answer of FinOps' own, good or bad
	failed                 // no answer, or a gateway's
)

// enter reports whether a call may go out, and whether it is the probe; if
// not, how long to wait.
func (c *circuit) enter(now time.Time) (ok, probe bool, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.open:
		return true, false, 0
	case now.Before(c.until):
		return false, false, c.until.Sub(now)
	case c.probing:
		return false, false, circuitFirst
	}
	c.probing = true
	return true, true, 0
}

// leave ends a call that was let in.
func (c *circuit) leave(now time.Time, probe bool, out outcome, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if probe {
		c.probing = false
	}
	switch out {
	case healthy:
		c.failures, c.opened, c.open, c.why = 0, 0, false, ""
	case failed:
		c.failures++
		// Calls that were under way when it opened tell nothing new.
		if probe || !c.open && c.failures >= circuitFailures {
			c.rest(now, why)
		}
	}
}

func (c *circuit) rest(now time.Time, why string) {
	wait := circuitLongest
	if c.opened < 10 {
		wait = min(circuitFirst<<c.opened, circuitLongest)
	}
	// Half to all of it, so that several relays do not return in step.
	wait = wait/2 + time.Duration(c.jitter()*float64(wait/2))
	c.opened++
	c.open, c.until, c.why = true, now.Add(wait), why
}

func (c *circuit) state() (open bool, until time.Time, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		return false, time.Time{}, ""
	}
	return true, c.until, c.why
}

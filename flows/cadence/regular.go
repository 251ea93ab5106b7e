package cadence

import "time"

// LearnSlots is in how many slots in a row a thing must have come, each in time
// after the one before, to be expected in the next.
const LearnSlots = 5

// Regular says whether what came at these times, oldest first, has kept the
// cadence by itself up to its last time: LearnSlots times in a row. It then
// gives that last time, after which Due says when the next is due. Times that
// lie closer together than half the interval are one slot: a run that was
// repeated by hand makes no rhythm.
func (c *Cadence) Regular(times []time.Time) (last time.Time, regular bool) {
	type slot struct{ first, last time.Time }
	var slots []slot
	for _, at := range times {
		if n := len(slots); n > 0 {
			first := slots[n-1].first
			if at.Sub(first) < c.Due(first).Sub(first)/2 {
				slots[n-1].last = at
				continue
			}
		}
		slots = append(slots, slot{at, at})
	}
	if len(slots) < LearnSlots {
		return last, false
	}
	slots = slots[len(slots)-LearnSlots:]
	for i := 1; i < len(slots); i++ {
		if slots[i].first.After(c.Due(slots[i-1].last).Add(c.Grace)) {
			return last, false
		}
	}
	return slots[LearnSlots-1].last, true
}

// Memory is how long before a time one has to look back to see what Regular
// asks for, with as much again for the silence behind it.
func (c *Cadence) Memory(before time.Time) time.Duration {
	at := before
	for range 2 * LearnSlots {
		at = c.Due(at).Add(c.Grace)
	}
	return at.Sub(before)
}

package cadence

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Cadence is how often a flow's exports are expected: every so long while its
// calendar is open. Time stands still while it is closed, so that a week-end is
// no silence: of "2h, Mon-Fri 06-20", an export of Friday 19:30 makes the next
// one due on Monday 07:30.
type Cadence struct {
	Grace time.Duration // how long after it is due before anything is said; at least a minute

	text  string
	every time.Duration // of open time
	days  [7]bool       // by time.Weekday
	open  clock         // when a day opens
	shut  clock         // when it shuts; 24:00 is the end of the day
	zone  *time.Location
}

// clock is a time of day in minutes.
type clock int

// DefaultGrace: exports take a while, and FinOps' batch starts late.
const DefaultGrace = 30 * time.Minute

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var (
	everyPattern = regexp.MustCompile(`^([1-9][0-9]{0,4})(m|h|d|w)$`)
	hoursPattern = regexp.MustCompile(`^([0-2]?[0-9])(?::([0-5][0-9]))?-([0-2]?[0-9])(?::([0-5][0-9]))?$`)
)

// Parse reads "2h", "1d, Mon-Fri" or "2h, Mon-Fri 06-20": how often, on
// which days, at which hours. Units are m, h, d and w; a day is as long as it is
// open, a week has as many of them as days are named. zone is an IANA name, ""
// is UTC. A grace of 0 takes the default.
func Parse(text, zone string, grace time.Duration) (*Cadence, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("not a time zone: %w", err)
	}
	c := &Cadence{Grace: grace, text: text, shut: 24 * 60, zone: location}
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if len(words) == 0 {
		return nil, errors.New("empty")
	}
	for _, word := range words[1:] {
		if err := c.readCalendar(word); err != nil {
			return nil, err
		}
	}
	if c.days == [7]bool{} {
		c.days = [7]bool{true, true, true, true, true, true, true}
	}
	return c, c.readEvery(words[0])
}

func (c *Cadence) readEvery(word string) error {
	m := everyPattern.FindStringSubmatch(word)
	if m == nil {
		return fmt.Errorf("%q is not how often: write 30m, 2h, 1d or 1w", word)
	}
	n, _ := strconv.Atoi(m[1]) // five digits at most
	day := time.Duration(c.shut-c.open) * time.Minute
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": day}[m[2]]
	if m[2] == "w" {
		for _, open := range c.days {
			if open {
				unit += day
			}
		}
	}
	c.every = time.Duration(n) * unit
	return nil
}

func (c *Cadence) readCalendar(word string) error {
	if hours := hoursPattern.FindStringSubmatch(word); hours != nil {
		c.open, c.shut = clockOf(hours[1], hours[2]), clockOf(hours[3], hours[4])
		if c.shut > 24*60 || c.open >= c.shut {
			return fmt.Errorf("hours %q do not end after they begin, within one day", word)
		}
		return nil
	}
	first, last, isRange := strings.Cut(word, "-")
	from, to := weekday(first), weekday(last)
	if !isRange {
		to = from
	}
	if from < 0 || to < 0 {
		return fmt.Errorf("%q is neither days (Mon-Fri, Sat) nor hours (06-20, 06:30-20:15)", word)
	}
	for d := from; ; d = (d + 1) % 7 {
		c.days[d] = true
		if d == to {
			return nil
		}
	}
}

func clockOf(hour, minute string) clock {
	h, _ := strconv.Atoi(hour) // two digits
	m, _ := strconv.Atoi(minute)
	return clock(h*60 + m)
}

func weekday(word string) int {
	for i, day := range weekdays {
		if word == day {
			return i
		}
	}
	return -1
}

// String is the text it was read from.
func (c *Cadence) String() string { return c.text }

// farthest bounds the walk over the calendar.
const farthest = 5 * 366

// Due is when the next export is due after one at last, grace not counted.
func (c *Cadence) Due(last time.Time) time.Time {
	left := c.every
	last = last.In(c.zone)
	for day := range farthest {
		from, to := c.window(last, day)
		if from.Before(last) {
			from = last
		}
		if !c.days[to.Add(-time.Second).Weekday()] || !from.Before(to) {
			continue
		}
		if open := to.Sub(from); open < left {
			left -= open
			continue
		}
		return from.Add(left)
	}
	return last.AddDate(5, 0, 0)
}

// window is when the calendar is open on a day, counted from that of t: by the
// wall clock, so that 06-20 stays 06-20 when the clocks change.
func (c *Cadence) window(t time.Time, day int) (from, to time.Time) {
	y, m, d := t.Date()
	at := func(k clock) time.Time { return time.Date(y, m, d+day, int(k/60), int(k%60), 0, 0, c.zone) }
	return at(c.open), at(c.shut)
}

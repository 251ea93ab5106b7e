package ris

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What a flow gets that polls a queue and whose trigger cannot be taken over:
// polling an empty queue does no harm. A data project then gets no schedule,
// since a run that nobody wanted costs FinOps work and moves its marker.
const (
	fallbackSchedule = "*/10 * * * *"
	fallbackZone     = "UTC"
)

// schedule takes the job's trigger over, the first when it has several.
func (c *converter) schedule(j job, f *flow) {
	f.zone = fallbackZone
	if f.project == "" {
		f.schedule = fallbackSchedule
	}
	timings := c.timings[key(j.Name, j.Group)]
	if len(timings) == 0 {
		c.note("job %s has no trigger, so it never ran by itself: flow %s %s", j.title(), f.name, f.fallback())
		return
	}
	t := timings[0]
	f.was = t.words()
	for _, other := range timings[1:] {
		c.note("job %s has another trigger, %s, and flow %s can have one: change its schedule if the first is not enough", j.title(), other.words(), f.name)
	}
	if t.End != "" {
		c.note("job %s ends at %s: flow %s does not end", j.title(), t.End, f.name)
	}
	if t.Expression != "" {
		c.cron(j, f, t)
		return
	}
	every, err := t.every()
	if err != nil {
		c.note("job %s: its interval cannot be taken over (%v): flow %s %s", j.title(), err, f.name, f.fallback())
		return
	}
	f.schedule = "@every " + short(every)
	if n, err := strconv.Atoi(t.Count); t.Count != "" && (err != nil || n >= 0) && !strings.EqualFold(t.Count, "REPEAT_INDEFINITELY") && !strings.EqualFold(t.Count, "RepeatIndefinitely") {
		c.note("job %s ran a limited number of times (repeat-count %s): flow %s %s for ever", j.title(), t.Count, f.name, f.does())
	}
}

// does is what a flow does at its schedule.
func (f *flow) does() string {
	if f.project != "" {
		return "runs its data project"
	}
	return "polls"
}

// fallback is what it does without one.
func (f *flow) fallback() string {
	if f.project != "" {
		return "has no schedule, and finrelay runs its data project when finrelay export asks for it; set project.schedule"
	}
	return "polls every 10 minutes; change its schedule"
}

func (c *converter) cron(j job, f *flow, t *timing) {
	expression, lost, err := toCron(t.Expression)
	if err != nil {
		c.note("job %s: its cron expression %q cannot be read (%v): flow %s %s", j.title(), t.Expression, err, f.name, f.fallback())
		return
	}
	if !c.lossy(j, f, t, expression, lost) {
		return
	}
	f.schedule = expression
	zone := toZone(t.Zone)
	if zone != "" {
		if _, err := time.LoadLocation(zone); err == nil {
			f.zone = zone
			return
		}
	}
	if zone = strings.TrimSpace(t.Zone); zone == "" {
		// Source: Quartz.NET, CronTriggerImpl: the local zone is the default.
		c.note("job %s names no time zone, so it ran by the Windows machine's own: flow %s has UTC; change its zone", j.title(), f.name)
		return
	}
	c.note("job %s: time zone %q is not known here: flow %s has UTC; change its zone to a name such as Europe/Berlin", j.title(), zone, f.name)
}

// lossy notes what cron cannot say, and whether the rest will do.
func (c *converter) lossy(j job, f *flow, t *timing, expression string, lost []loss) bool {
	var words []string
	oftener := false
	for _, l := range lost {
		words, oftener = append(words, l.what), oftener || l.oftener
	}
	switch {
	case len(lost) == 0:
		return true
	case f.project != "" && oftener:
		c.note("job %s: cron has no words for %s of %q, and %q would run its data project more often: flow %s %s", j.title(), strings.Join(words, ", "), t.Expression, expression, f.name, f.fallback())
		return false
	case f.project != "":
		c.note("job %s: cron has no words for %s of %q: flow %s runs its data project at %q", j.title(), strings.Join(words, ", "), t.Expression, f.name, expression)
		return true
	}
	c.note("job %s: cron has no words for %s of %q: flow %s polls at %q, which is at least as often", j.title(), strings.Join(words, ", "), t.Expression, f.name, expression)
	return true
}

// words are the trigger for people.
func (t *timing) words() string {
	switch {
	case t.Expression != "":
		return strings.TrimSpace(t.Expression + " " + t.Zone)
	case t.Unit != "":
		return "every " + t.Interval + " " + t.Unit
	}
	return "every " + t.Interval + " ms"
}

// short writes 1h instead of 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// units of a calendar interval that are the same length each time.
var units = map[string]time.Duration{
	"MILLISECOND": time.Millisecond, "SECOND": time.Second, "MINUTE": time.Minute, "HOUR": time.Hour, "DAY": 24 * time.Hour, "WEEK": 7 * 24 * time.Hour,
}

// every gives the interval, at least a minute.
//
// Source: Quartz.NET, job_scheduling_data_2_0.xsd: repeat-interval is in
// milliseconds, of a calendar-interval in its unit.
func (t *timing) every() (time.Duration, error) {
	unit := time.Millisecond
	if t.Unit != "" {
		var ok bool
		if unit, ok = units[strings.ToUpper(strings.TrimSpace(t.Unit))]; !ok {
			return 0, fmt.Errorf("unit %q has no fixed length", t.Unit)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(t.Interval), 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("interval %q", t.Interval)
	}
	const longest = 366 * 24 * time.Hour
	if n > int64(longest/unit) {
		return 0, fmt.Errorf("interval %q is longer than a year", t.Interval)
	}
	return max(time.Duration(n)*unit, time.Minute), nil
}

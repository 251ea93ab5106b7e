package cadence

import (
	"strings"
	"testing"
	"time"
)

func TestDue(t *testing.T) {
	for _, c := range []struct{ cadence, zone, last, due string }{
		{"2h", "", "2026-03-02T09:15:00Z", "2026-03-02T11:15:00Z"},
		{"30m", "", "2026-03-02T23:45:00Z", "2026-03-03T00:15:00Z"},
		{"1d", "", "2026-03-02T09:15:00Z", "2026-03-03T09:15:00Z"},
		{"2h, Mon-Fri 06-20", "", "2026-03-06T19:30:00Z", "2026-03-09T07:30:00Z"}, // Friday to Monday
		{"2h, Mon-Fri 06-20", "", "2026-03-06T23:00:00Z", "2026-03-09T08:00:00Z"},
		{"2h, Mon-Fri 06-20", "", "2026-03-07T12:00:00Z", "2026-03-09T08:00:00Z"},
		{"1d, Mon-Fri 06-20", "", "2026-03-06T07:00:00Z", "2026-03-09T07:00:00Z"}, // a day is 14 open hours
		{"1w, Mon-Fri 06-20", "", "2026-03-02T07:00:00Z", "2026-03-09T07:00:00Z"},
		{"1d, Sat-Mon", "", "2026-03-02T07:00:00Z", "2026-03-07T07:00:00Z"}, // over the week's end
		{"1d, mon,wed, fri", "", "2026-03-02T10:00:00Z", "2026-03-04T10:00:00Z"},
		{"45m, 06:30-20:15", "", "2026-03-02T20:00:00Z", "2026-03-03T07:00:00Z"},
		{"2h, Mon-Fri 06-20", "Europe/Berlin", "2026-03-27T18:30:00Z", "2026-03-30T05:30:00Z"}, // the clocks change between
		{"1d", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"},
		{"2h, 22-24", "", "2026-03-02T23:00:00Z", "2026-03-03T23:00:00Z"},
	} {
		k, err := Parse(c.cadence, c.zone, 0)
		if err != nil {
			t.Errorf("%s: %v", c.cadence, err)
			continue
		}
		last, _ := time.Parse(time.RFC3339, c.last)
		if got := k.Due(last).UTC().Format(time.RFC3339); got != c.due {
			t.Errorf("%q after %s (%s): due %s; want %s", c.cadence, c.last, last.Weekday(), got, c.due)
		}
		if k.Grace != DefaultGrace || k.String() != c.cadence {
			t.Errorf("%q: grace %v, text %q", c.cadence, k.Grace, k)
		}
	}
}

func TestRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                      "empty",
		"often":                 "30m, 2h",
		"0h":                    "30m, 2h",
		"2h, Mon-Foo":           "neither days",
		"2h, Mon-Fri 20-06":     "end after they begin",
		"2h, 06-25":             "within one day",
		"2h, 06-20, Weekdays":   "neither days",
		"99999999999999999999h": "30m, 2h",
	} {
		if _, err := Parse(text, "", 0); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want %q in it", text, err, says)
		}
	}
	if _, err := Parse("2h", "Europe/Berln", 0); err == nil {
		t.Error("a zone that does not exist is taken")
	}
}

// Whatever the calendar, the next is due after the last, and an hour later when
// the last was an hour later or the calendar was shut between.
func FuzzCadence(f *testing.F) {
	for _, s := range []string{"2h, Mon-Fri 06-20", "1w, Sat", "45m, 06:30-20:15", "3d", "1d, Sat-Mon 00-24"} {
		f.Add(s, int64(1772442942))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		c, err := Parse(text, "Europe/Berlin", 0)
		if err != nil || at < 0 || at > 4e9 {
			return
		}
		last := time.Unix(at, 0)
		due := c.Due(last)
		if !due.After(last) {
			t.Errorf("%q after %v is due %v", text, last, due)
		}
		if next := c.Due(last.Add(time.Hour)); next.Before(due) {
			t.Errorf("%q: heard of later, it is due earlier: %v, %v", text, due, next)
		}
	})
}

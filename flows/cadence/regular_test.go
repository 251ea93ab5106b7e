package cadence

import (
	"strings"
	"testing"
	"time"
)

func TestRegular(t *testing.T) {
	for _, c := range []struct {
		name, cadence, times string
		regular              bool
	}{
		{"five in a row", "2h", "02T00:00 02T02:00 02T04:10 02T06:00 02T08:00", true},
		{"four", "2h", "02T00:00 02T02:00 02T04:00 02T06:00", false},
		{"five, of which one was late", "2h", "02T00:00 02T02:00 02T04:00 02T07:00 02T09:00", false},
		{"late long ago", "2h", "01T20:00 02T00:00 02T02:00 02T04:00 02T06:00 02T08:00", true},
		{"now and then", "2h", "02T00:00 02T08:00 02T16:00 03T00:00 03T08:00", false},
		{"twice in a slot", "2h", "02T00:00 02T00:20 02T02:00 02T04:00 02T06:00", false},
		{"twice in one of five", "2h", "02T00:00 02T00:20 02T02:00 02T04:00 02T06:00 02T08:00", true},
		{"over the week-end", "2h, Mon-Fri 06-20", "06T15:00 06T17:00 06T19:00 09T07:00 09T09:00", true},
		{"daily", "1d", "02T07:00 03T07:10 04T07:05 05T07:00 06T07:20", true},
	} {
		k, err := Parse(c.cadence, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		var times []time.Time
		for word := range strings.FieldsSeq(c.times) {
			at, err := time.Parse("2006-01-02T15:04", "2026-03-"+word)
			if err != nil {
				t.Fatal(err)
			}
			times = append(times, at)
		}
		last, regular := k.Regular(times)
		if regular != c.regular || regular && !last.Equal(times[len(times)-1]) {
			t.Errorf("%s: regular %t, last %v; want %t", c.name, regular, last, c.regular)
		}
	}
	k, _ := Parse("1w, Mon-Fri 06-20", "", 0)
	if m := k.Memory(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)); m < 10*7*24*time.Hour || m > 11*7*24*time.Hour {
		t.Errorf("ten weeks are remembered as %v", m)
	}
}

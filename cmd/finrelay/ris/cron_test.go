package ris

import (
	"slices"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"pgregory.net/rapid"
)

func TestToCron(t *testing.T) {
	for _, c := range []struct {
		quartz, want string
		lost         int
	}{
		{"0 0/15 8-18 ? * MON-FRI *", "*/15 8-18 * * 1-5", 0},
		{"0 0 6 * * ?", "0 6 * * *", 0},
		{"0 0 6 ? * 2-6", "0 6 * * 1-5", 0},
		{"0 0 6 ? * 1", "0 6 * * 0", 0},
		{"0 0 6 ? * SAT", "0 6 * * 6", 0},
		{"0 0 6 ? * fri-mon", "0 6 * * 0,1,5,6", 0},
		{"0 0 22-2 * * ?", "0 0-2,22,23 * * *", 0},
		{"0 0 22-2/2 * * ?", "0 0,2,22 * * *", 0},
		{"0 5/20 * * * ?", "5,25,45 * * * *", 0},
		{"0 /10 * * * ?", "*/10 * * * *", 0},
		{"0 */7 * * * ?", "*/7 * * * *", 0},
		{"0 0,30 * * * ?", "0,30 * * * *", 0},
		{"0 0 0 1 JAN ?", "0 0 1 1 *", 0},
		{"0 0 0 1 NOV-FEB ?", "0 0 1 1,2,11,12 *", 0},
		{"0 0 0 1/1 * ? *", "0 0 * * *", 0},
		{"30 0 6 * * ?", "0 6 * * *", 1},
		{"0/10 * * * * ?", "* * * * *", 1},
		{"0 0 6 * * ? 2030", "0 6 * * *", 1},
		{"0 0 6 L * ?", "0 6 * * *", 1},
		{"0 0 6 L-3 * ?", "0 6 * * *", 1},
		{"0 0 6 ? * 6#3", "0 6 * * *", 1},
		{"0 0 6 ? * L", "0 6 * * *", 1},
		{"15 0 6 LW * ? 2030", "0 6 * * *", 3},
		{"0 0 6 1 * MON", "0 6 1 * *", 1},
	} {
		got, lost, err := toCron(c.quartz)
		if err != nil || got != c.want || len(lost) != c.lost {
			t.Errorf("%s: got %q, lost %q, %v; want %q and %d lost", c.quartz, got, lost, err, c.want, c.lost)
		}
		if _, err := cron.ParseStandard(got); err != nil {
			t.Errorf("%s: %q: %v", c.quartz, got, err)
		}
	}
	for _, bad := range []string{"", "* * * * *", "0 0 0 0 0 0 0 0", "0 60 * * * ?", "0 -1 * * * ?", "0 +1 * * * ?", "60 0 0 * * ?", "0 0 24 * * ?", "0 0 6 0 * ?", "0 0 6 32 * ?", "0 0 6 ? 13 *",
		"0 0 6 ? * 8", "0 0 6 ? * MOND", "0 0/0 * * * ?", "0 0/x * * * ?", "0 0/99 * * * ?", "0 ? * * * ?", "0 , * * * ?", "0 1-2-3 * * * ?"} {
		if got, _, err := toCron(bad); err == nil {
			t.Errorf("%q: got %q, want an error", bad, got)
		}
	}
}

// TestWriteMeansTheSame: cron reads the same numbers that were written.
func TestWriteMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.IntRange(0, 59), 1, 60, rapid.ID[int]).Draw(t, "minutes")))
		text := write(values, 0, 59)
		schedule, err := cron.ParseStandard(text + " * * * *")
		if err != nil {
			t.Fatalf("%v as %q: %v", values, text, err)
		}
		var read []int
		for m := range 60 {
			if schedule.(*cron.SpecSchedule).Minute&(1<<m) != 0 {
				read = append(read, m)
			}
		}
		if !slices.Equal(read, values) {
			t.Fatalf("%v as %q is read as %v", values, text, read)
		}
	})
}

func TestZones(t *testing.T) {
	for windows, iana := range windowsZones {
		if _, err := time.LoadLocation(iana); err != nil {
			t.Errorf("%s: %v", windows, err)
		}
	}
	for name, want := range map[string]string{
		"w. europe standard time ": "Europe/Berlin",
		"Europe/Vienna":            "Europe/Vienna",
		"":                         "",
		"Local":                    "", // of which machine?
		"../etc/passwd":            "",
		"Nowhere/Land":             "",
	} {
		if got := toZone(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

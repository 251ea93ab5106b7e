package config

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s":    90 * time.Second,
		"36h":    36 * time.Hour,
		"14d":    14 * 24 * time.Hour,
		"1d12h":  36 * time.Hour,
		"0":      0,
		"0s":     0,
		"1.5h":   90 * time.Minute,
		"250ms":  250 * time.Millisecond,
		"36500d": 36500 * 24 * time.Hour,
	} {
		if got, err := ParseDuration(text); err != nil || got.Std() != want {
			t.Errorf("ParseDuration(%q): got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "-5s", "1d-1h", "1.5d", "12h1d", "1 d", "d", "36501d", "999999d", "2 weeks", "9999999h", "+1s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q): got %v, want an error", text, got)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"1MiB": 1 << 20, "500KB": 500_000, "1.5GiB": 3 << 29, "7": 7, "7B": 7, "0": 0,
		"2 MB": 2_000_000, "1mib": 1 << 20, "1TiB": 1 << 40,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q): got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1M iB", "1MiBs", "1e6", "1,5MB", "99999999999999999999", "9999999999TiB", "0x10"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q): got %d, want an error", text, got)
		}
	}
}

// TestUnitsRoundTrip: what String writes is read back as the same value.
func TestUnitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, int64(maxDays*day)).Draw(t, "duration"))
		if back, err := ParseDuration(d.String()); err != nil || back != d {
			t.Fatalf("%d is written %q and read %d, %v", d, d, back, err)
		}
		whole := Duration(rapid.Int64Range(0, maxDays*24*60).Draw(t, "minutes")) * Duration(time.Minute)
		if back, err := ParseDuration(whole.String()); err != nil || back != whole {
			t.Fatalf("%d is written %q and read %d, %v", whole, whole, back, err)
		}
		b := Bytes(rapid.Int64Range(0, 1<<62).Draw(t, "bytes"))
		if back, err := ParseBytes(b.String()); err != nil || back != b {
			t.Fatalf("%d is written %q and read %d, %v", int64(b), b, int64(back), err)
		}
	})
	if got := Duration(10 * time.Minute).String(); got != "10m" {
		t.Errorf("ten minutes are written %q", got)
	}
}

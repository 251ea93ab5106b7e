package config

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// Duration is a span of time, written as in Go with d for days of 24 hours
// added: "90s", "1h30m", "14d", "1d12h".
type Duration time.Duration

const (
	second = Duration(time.Second)
	minute = Duration(time.Minute)
	day    = Duration(24 * time.Hour)
)

// maxDays keeps a duration inside int64 nanoseconds, with room to add it to a
// time: 100 years.
const maxDays = 36500

var errDuration = errors.New("not a duration: write a number with a unit, like 90s, 36h or 14d")

var leadingDays = regexp.MustCompile(`^([0-9]{1,6})d(.*)$`)

// ParseDuration reads the form above. A bare number is refused, 0 excepted:
// nobody agrees on its unit. Durations are not negative and at most 36500d.
func ParseDuration(s string) (Duration, error) {
	var total Duration
	rest := s
	if m := leadingDays.FindStringSubmatch(s); m != nil {
		days, err := strconv.Atoi(m[1])
		if err != nil || days > maxDays {
			return 0, errors.New("longer than 36500d")
		}
		total, rest = Duration(days)*day, m[2]
		if rest == "" {
			return total, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || strings.ContainsAny(rest, "+-") {
		if strings.HasPrefix(s, "-") {
			return 0, errors.New("a duration cannot be negative")
		}
		return 0, errDuration
	}
	if total += Duration(d); total < 0 || total > maxDays*day {
		return 0, errors.New("longer than 36500d")
	}
	return total, nil
}

// Std gives the span in the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String gives the shortest form that ParseDuration reads back: "14d", not
// "336h0m0s".
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	var out strings.Builder
	if days := d / day; days > 0 {
		out.WriteString(strconv.FormatInt(int64(days), 10) + "d")
		d -= days * day
	}
	if d == 0 {
		return out.String()
	}
	text := d.Std().String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	out.WriteString(text)
	return out.String()
}

// MarshalText gives String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err == nil {
		*d = v
	}
	return err
}

// JSONSchema describes the written form.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:     "string",
		Pattern:  `^([0-9]+d)?([0-9]+(\.[0-9]+)?(h|m|s|ms|us|µs|ns))*$|\$\{`,
		Examples: []any{"90s", "36h", "14d"},
	}
}

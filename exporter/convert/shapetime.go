package convert

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	errNoDate   = errors.New("no date of the format")
	errHasClock = errors.New("a date with a time of day")
	errNoMoment = errors.New("a time that the clocks of the zone leave out")
)

// isoLayouts are what is read without a format. Fractions of a second are
// taken where they stand.
var isoLayouts = []string{
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02",
	"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04", "2006-01-02 15:04",
}

// timeTokens are the parts of a format, longest first, and Go's for them. They
// are .NET's, which is what FinOps' locales show.
var timeTokens = []struct{ token, layout string }{
	{"yyyy", "2006"}, {"zzz", "Z07:00"}, {"MM", "01"}, {"dd", "02"}, {"HH", "15"}, {"hh", "03"}, {"mm", "04"}, {"ss", "05"}, {"tt", "PM"},
	{"M", "1"}, {"d", "2"}, {"H", "15"}, {"h", "3"}, {"m", "4"}, {"s", "5"},
}

// timeLayouts turns a format into Go's layouts.
func timeLayouts(format string, kind ColumnType) ([]string, error) {
	if format == "" {
		return isoLayouts, nil
	}
	var b strings.Builder
	rest := format
next:
	for rest != "" {
		for _, t := range timeTokens {
			if after, ok := strings.CutPrefix(rest, t.token); ok {
				b.WriteString(t.layout)
				rest = after
				continue next
			}
		}
		c := rest[0]
		if c == '\'' {
			text, after, closed := strings.Cut(rest[1:], "'")
			if !closed {
				return nil, errors.New("a quote that is not closed")
			}
			if strings.ContainsAny(text, "0123456789_") || time.Time.Format(time.Unix(0, 0), text) != text {
				return nil, fmt.Errorf("text %q cannot be told from a date", text)
			}
			b.WriteString(text)
			rest = after
			continue
		}
		if c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' && c != 'T' {
			return nil, fmt.Errorf("%q is no part of a date; known are yyyy MM M dd d HH H hh h mm m ss s tt zzz", c)
		}
		b.WriteByte(c)
		rest = rest[1:]
	}
	layout := b.String()
	if !strings.Contains(layout, "2006") || kind == TypeTime && !strings.ContainsAny(format, "Hh") && strings.ContainsAny(format, "ms") {
		return nil, errors.New("a format without a year, or with minutes and no hour")
	}
	return []string{layout}, nil
}

// moment reads a text in any spelling of the layouts. zoned says that it names
// its own zone.
func (p *columnPlan) moment(text string) (at time.Time, zoned bool, err error) {
	for n := range p.layouts {
		// A column has one format; a failed try costs more than one that fits.
		i := (p.layout + n) % len(p.layouts)
		layout, value := p.layouts[i], text
		if strings.Contains(layout, "PM") {
			value = strings.ToUpper(text)
		}
		if at, err = time.Parse(layout, value); err == nil {
			p.layout = i
			return at, strings.Contains(layout, "Z07"), nil
		}
	}
	return at, false, errNoDate
}

// clock reads a text in the spellings that files are full of. false leaves it
// to moment, which costs ten times as much and decides alone what does not fit.
func (p *columnPlan) clock(text []byte) (clock, bool) {
	if p.steps != nil {
		return readSteps(text, p.steps)
	}
	if len(p.layouts) == 1 {
		return clock{}, false
	}
	return readISO(text)
}

// appendDay appends a date. A time of day would be lost, so it must be
// midnight.
func (p *columnPlan) appendDay(out, text []byte) ([]byte, error) {
	c, ok := p.clock(text)
	if !ok {
		at, _, err := p.moment(string(text))
		if err != nil {
			return out, err
		}
		c = clockOf(at)
	}
	if c.hour|c.minute|c.second|c.nano != 0 {
		return out, errHasClock
	}
	return append(c.appendDay(append(out, '"')), '"'), nil
}

// appendTime appends a moment with the offset of the column's zone. Where the
// clocks show it twice, it is the earlier.
func (p *columnPlan) appendTime(out, text []byte) ([]byte, error) {
	var at time.Time
	var zoned bool
	var err error
	if c, ok := p.clock(text); !ok {
		if at, zoned, err = p.moment(string(text)); err != nil {
			return out, err
		}
	} else if there, ok := p.zone.clock(c); ok {
		return append(there.appendTime(append(out, '"')), '"'), nil
	} else {
		at, zoned = c.time(), c.zoned
	}
	if zoned {
		at = at.In(p.zone.Location)
	} else if at, err = inZone(at, p.zone.Location); err != nil {
		return out, err
	}
	return append(at.AppendFormat(append(out, '"'), time.RFC3339Nano), '"'), nil
}

// inZone gives the moment at which the clocks of the zone show at.
func inZone(at time.Time, zone *time.Location) (time.Time, error) {
	there := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
	if !sameClock(there, at) {
		return there, errNoMoment
	}
	for _, shift := range [...]time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if earlier := there.Add(-shift); sameClock(earlier, at) {
			return earlier, nil
		}
	}
	return there, nil
}

// sameClock says that two times show the same second, each in its zone.
func sameClock(a, b time.Time) bool {
	return wall(a) == wall(b)
}

// wall is the second that clocks show, as if they stood in UTC.
func wall(t time.Time) int64 {
	_, offset := t.Zone()
	return t.Unix() + int64(offset)
}

package convert

import (
	"bytes"
	"time"
)

// zone is a time zone that remembers its offsets. Looking one up costs as much
// as all the rest of a value.
type zone struct {
	*time.Location
	spans [64]zoneSpan // of the slot that was met last for each place
}

// zoneSpan is a stretch of time with one offset.
type zoneSpan struct {
	from, until int64 // Unix seconds
	offset      int64 // seconds east of UTC
}

const (
	// zoneSlot is how long a slot is, as a power of two of seconds: 48 days, so
	// that in most there is no change of the clocks.
	zoneSlot = 22
	// zoneEdge is how far a clock must be from a change to show a time that it
	// shows once, in seconds. No zone was ever a day
	// from UTC, nor moved by more than one.
	zoneEdge = 2 * 24 * 3600
)

// span gives the stretch that a moment lies in.
func (z *zone) span(unix int64) zoneSpan {
	kept := &z.spans[uint64(unix)>>zoneSlot%uint64(len(z.spans))]
	if unix >= kept.from && unix < kept.until {
		return *kept
	}
	there := time.Unix(unix, 0).In(z.Location)
	_, offset := there.Zone()
	begin, end := there.ZoneBounds()
	*kept = zoneSpan{-1 << 62, 1 << 62, int64(offset)}
	if !begin.IsZero() {
		kept.from = begin.Unix()
	}
	if !end.IsZero() {
		kept.until = end.Unix()
	}
	return *kept
}

// clock gives what the zone's clocks show at the moment of c; c is of the zone
// when it names none. false leaves it to inZone: near a change of the clocks,
// and where years have not four digits.
func (z *zone) clock(c clock) (there clock, ok bool) {
	if c.year < 1 || c.year > 9998 {
		return c, false
	}
	unix := c.time().Unix()
	if !c.zoned {
		span := z.span(unix)
		c.offset = int(span.offset)
		return c, unix >= span.from+zoneEdge && unix < span.until-zoneEdge
	}
	offset := z.span(unix).offset
	if int(offset) == c.offset {
		return c, true
	}
	there = clockOf(time.Unix(unix+offset, int64(c.nano)).UTC())
	there.offset = int(offset)
	return there, true
}

// appendDay appends 2006-01-02.
func (c *clock) appendDay(out []byte) []byte {
	out = append(appendTwo(appendTwo(out, c.year/100), c.year%100), '-')
	out = append(appendTwo(out, c.month), '-')
	return appendTwo(out, c.day)
}

// appendTime appends what time.RFC3339Nano gives.
func (c *clock) appendTime(out []byte) []byte {
	out = append(c.appendDay(out), 'T')
	out = append(appendTwo(out, c.hour), ':')
	out = append(appendTwo(out, c.minute), ':')
	out = appendTwo(out, c.second)
	if c.nano > 0 {
		var digits [9]byte
		for i, n := len(digits)-1, c.nano; i >= 0; i-- {
			digits[i] = byte('0' + n%10)
			n /= 10
		}
		out = append(append(out, '.'), bytes.TrimRight(digits[:], "0")...)
	}
	if c.offset == 0 {
		return append(out, 'Z')
	}
	minutes, sign := c.offset/60, byte('+')
	if c.offset < 0 {
		minutes, sign = -minutes, '-'
	}
	out = append(appendTwo(append(out, sign), minutes/60), ':')
	return appendTwo(out, minutes%60)
}

func appendTwo(out []byte, n int) []byte {
	return append(out, byte('0'+n/10), byte('0'+n%10))
}

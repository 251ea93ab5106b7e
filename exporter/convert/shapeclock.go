package convert

import "time"

// clock is a date and a time of day, as a text shows them.
type clock struct {
	year, month, day           int
	hour, minute, second, nano int
	zoned                      bool // the text names the zone
	offset                     int  // seconds east of UTC, when it does
}

// valid says that there is such a day, and such a time on it.
func (c *clock) valid() bool {
	return c.month >= 1 && c.month <= 12 && c.day >= 1 && (c.day <= 28 || c.day <= daysIn(c.year, c.month)) &&
		c.hour < 24 && c.minute < 60 && c.second < 60
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

// clockOf is what a time shows in its own zone.
func clockOf(t time.Time) clock {
	c := clock{nano: t.Nanosecond()}
	year, month, day := t.Date()
	c.year, c.month, c.day = year, int(month), day
	c.hour, c.minute, c.second = t.Clock()
	return c
}

// time is the moment at which the clock shows this, in UTC where it names no
// zone.
func (c *clock) time() time.Time {
	return time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second-c.offset, c.nano, time.UTC)
}

// number reads two digits; more than 99 when there are none.
func number(text []byte, at int) int {
	if len(text) < at+2 {
		return 100
	}
	tens, units := text[at]-'0', text[at+1]-'0'
	if tens > 9 || units > 9 {
		return 100
	}
	return int(tens)*10 + int(units)
}

// readISO reads a text as isoLayouts have it, with two digits wherever there
// can be two. false says nothing.
func readISO(text []byte) (c clock, ok bool) {
	if len(text) < len("2006-01-02") || text[4] != '-' || text[7] != '-' {
		return c, false
	}
	high, low := number(text, 0), number(text, 2)
	c.year, c.month, c.day = high*100+low, number(text, 5), number(text, 8)
	if high > 99 || low > 99 {
		return c, false
	}
	text = text[len("2006-01-02"):]
	if len(text) == 0 {
		return c, c.valid()
	}
	if len(text) < len("T15:04") || text[0] != 'T' && text[0] != ' ' || text[3] != ':' {
		return c, false
	}
	c.hour, c.minute = number(text, 1), number(text, 4)
	text = text[len("T15:04"):]
	if len(text) == 0 {
		return c, c.valid()
	}
	if text[0] != ':' {
		return c, false
	}
	c.second = number(text, 1)
	if !c.valid() {
		return c, false
	}
	text, ok = c.fraction(text[len(":05"):])
	if len(text) == 0 {
		return c, ok
	}
	text, zoned := c.zone(text)
	return c, ok && zoned && len(text) == 0
}

// fraction reads the fraction of a second that text may begin with.
func (c *clock) fraction(text []byte) (rest []byte, ok bool) {
	if len(text) < 2 || text[0] != '.' && text[0] != ',' {
		return text, true
	}
	n := leadingDigits(text[1:])
	if n > 9 {
		return text, false
	}
	for i := range 9 {
		c.nano *= 10
		if i < n {
			c.nano += int(text[1+i] - '0')
		}
	}
	if n > 0 {
		text = text[1+n:]
	}
	return text, true
}

// zone reads Z or an offset.
func (c *clock) zone(text []byte) (rest []byte, ok bool) {
	c.zoned = true
	if len(text) > 0 && text[0] == 'Z' {
		return text[1:], true
	}
	if len(text) < len("+07:00") || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return text, false
	}
	hour, minute := number(text, 1), number(text, 4)
	c.offset = (hour*60 + minute) * 60
	if text[0] == '-' {
		c.offset = -c.offset
	}
	return text[len("+07:00"):], hour < 24 && minute < 60
}

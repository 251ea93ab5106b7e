package convert

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// dateKind is what a number format makes of a number.
type dateKind uint8

const (
	noDate   dateKind = iota
	timeOnly          // hours, minutes, seconds
	withDate          // years, months or days too
)

// builtInDate gives the kind of the number formats that have no code in the
// file.
//
// Source: ECMA-376 part 1, 18.8.30, numFmt: ids 14 to 22 and 45 to 47; 27 to
// 36 and 50 to 58 are dates or times of East Asian locales.
// Assumed: of the latter all may be dates; a number below 1 in one of them is
// then left as it is, where a time was meant.
func builtInDate(id int) dateKind {
	switch {
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 36, id >= 50 && id <= 58:
		return withDate
	case id >= 18 && id <= 21, id == 45, id == 47:
		return timeOnly
	}
	return noDate // 46 is [h]:mm:ss: a length of time is no time of day
}

// dateCode reads a number format's own code: letters of dates and times that
// stand neither in quotes nor in brackets nor behind a backslash. Only the part
// for positive numbers counts.
func dateCode(code string) dateKind {
	kind := noDate
	minute := false // m alone is a month; beside h or s it is a minute
	clock := false
	for i := 0; i < len(code); i++ {
		switch c := code[i] | 0x20; code[i] {
		case ';':
			return settle(kind, minute, clock)
		case '"':
			i = skipTo(code, i, '"')
		case '[':
			end := skipTo(code, i, ']')
			if elapsed(code[i+1 : min(end, len(code))]) {
				return noDate
			}
			i = end
		case '\\', '_', '*':
			i++ // the next character is text
		default:
			switch c {
			case 'y', 'd':
				kind = withDate
			case 'm':
				minute = true
			case 'h', 's':
				clock = true
			case 'g', 'e': // General, and 0.00E+00
				if strings.HasPrefix(strings.ToLower(code[i:]), "general") {
					i += len("general") - 1
				}
			}
		}
	}
	return settle(kind, minute, clock)
}

func settle(kind dateKind, minute, clock bool) dateKind {
	switch {
	case kind == withDate, minute && !clock:
		return withDate
	case clock:
		return timeOnly
	}
	return noDate
}

// elapsed tells [h], [mm] and [ss] from [Red] and [$-409].
func elapsed(inside string) bool {
	inside = strings.ToLower(inside)
	return inside != "" && (strings.Trim(inside, "h") == "" || strings.Trim(inside, "m") == "" || strings.Trim(inside, "s") == "")
}

func skipTo(s string, from int, c byte) int {
	if n := strings.IndexByte(s[from+1:], c); n >= 0 {
		return from + 1 + n
	}
	return len(s)
}

const (
	lastSerial  = 2958466            // 10000-01-01, the first day that no format shows
	days1904    = 1462               // from 1899-12-31 plus the day that never was, to 1904-01-01
	dayInMillis = 24 * 60 * 60 * 1e3 // the least that formats show is a millisecond
)

// appendDate appends the number as ISO 8601: a date when it is whole, a date
// and time to the second when not (milliseconds where there are some), a time
// of day when it is below 1 in a format of times. A number that is no such date
// is appended as it is.
//
// Source: ECMA-376 part 1, 18.17.4, dates and times: day 1 is 1900-01-01, or
// day 0 is 1904-01-01; 1900 has a 29 February, day 60, which never was.
func appendDate(out []byte, number string, kind dateKind, since1904 bool) []byte {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || kind == noDate || f < 0 || f >= lastSerial {
		return append(out, number...)
	}
	millis := math.Round(f * dayInMillis)
	if f < 1 && kind == timeOnly {
		millis = min(millis, dayInMillis-1) // rounding makes no day of the last moment
	}
	day := int(math.Floor(millis / dayInMillis))
	rest := time.Duration(millis-float64(day)*dayInMillis) * time.Millisecond
	if f < 1 && kind == timeOnly {
		return appendClock(out, time.Time{}.Add(rest))
	}
	if since1904 {
		day += days1904
	}
	switch {
	case day < 1, day == 60, day >= lastSerial:
		return append(out, number...)
	case day > 60:
		day-- // the day that never was
	}
	at := time.Date(1899, 12, 31+day, 0, 0, 0, 0, time.UTC).Add(rest)
	out = at.AppendFormat(out, time.DateOnly)
	if rest == 0 {
		return out
	}
	return appendClock(append(out, 'T'), at)
}

func appendClock(out []byte, at time.Time) []byte {
	if at.Nanosecond() == 0 {
		return at.AppendFormat(out, time.TimeOnly)
	}
	return at.AppendFormat(out, "15:04:05.000")
}

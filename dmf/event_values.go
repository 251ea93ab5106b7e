package dmf

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var (
	errNoInteger = errors.New("is not an integer of 64 bits")
	errNoTime    = errors.New("is not a time in a known form")
)

// parseInteger reads a whole number without a detour through float64, which
// would change control numbers beyond 2^53. "12.00" is 12; "1e3" is refused.
func parseInteger(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if whole, zeros, found := strings.Cut(text, "."); found && strings.Trim(zeros, "0") == "" {
		text = whole
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errNoInteger
	}
	return n, nil
}

// parseTime reads a time in any form FinOps or its receivers have been seen
// to use: "/Date(1772442942000)/", the same with an offset ("+0000", which
// does not change the instant), ISO 8601 with or without a zone, bare
// milliseconds. The result is UTC; the null date gives the zero time.
//
// Source: Microsoft Learn, "Business events developer documentation": dates
// are sent as /Date(ms)/ and, from Platform update 30, in ISO form too.
// Assumed: an ISO time without a zone is UTC, as every time in X++ is.
func parseTime(text string) (time.Time, error) {
	t, err := parseInstant(strings.TrimSpace(text))
	if err != nil {
		return time.Time{}, err
	}
	if t = t.UTC(); isNullDate(t) {
		return time.Time{}, nil
	}
	// Years outside these cannot be written as JSON or ISO again.
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errNoTime
	}
	return t, nil
}

func parseInstant(text string) (time.Time, error) {
	text = strings.ReplaceAll(text, `\/`, "/")
	if inner, ok := strings.CutPrefix(text, "/Date("); ok {
		return parseDateCall(inner)
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	return parseISO(text)
}

// parseDateCall reads what follows "/Date(": milliseconds, an optional offset,
// ")/".
func parseDateCall(text string) (time.Time, error) {
	text, ok := strings.CutSuffix(text, ")/")
	if !ok || text == "" {
		return time.Time{}, errNoTime
	}
	if sign := strings.LastIndexAny(text, "+-"); sign > 0 {
		if !isOffset(text[sign+1:]) {
			return time.Time{}, errNoTime
		}
		text = text[:sign]
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, errNoTime
	}
	return time.UnixMilli(ms), nil
}

func isOffset(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil && len(text) == 4
}

// isoLayouts are tried in turn. time.Parse takes a fraction of a second of any
// length after the seconds, though the layouts do not show one.
var isoLayouts = []string{
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02",
}

func parseISO(text string) (time.Time, error) {
	for _, layout := range isoLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errNoTime
}

// isNullDate knows X++'s "no date", 1900-01-01: /Date(-2208988800000)/.
func isNullDate(t time.Time) bool {
	return t.Year() == 1900 && t.YearDay() == 1
}

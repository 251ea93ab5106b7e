package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// table prints rows under a head, in columns. Cells are one line each:
// whatever came from outside cannot move the cursor or fake a row.
func table(w io.Writer, head []string, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(head, "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = oneLine(row[i])
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	return tw.Flush()
}

// oneLine replaces tabs, line ends and all else that unsettles a terminal by
// spaces.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unsettling(r) {
			return ' '
		}
		return r
	}, s)
}

// printable is oneLine for text that may have several lines.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unsettling(r) && r != '\n' {
			return ' '
		}
		return r
	}, s)
}

// unsettling characters move the cursor, end a line or turn the direction of
// the text that follows, which can make one thing look like another.
func unsettling(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// show prints a time in UTC; "-" when there is none.
func showTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// ago gives the age of a moment in one unit: 12s, 5m, 3h, 9d; "-" for none.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return span(time.Since(t))
}

// agoOrNever is an age in a sentence: "5m ago", "never".
func agoOrNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return ago(t) + " ago"
}

// span gives a duration in one unit, rounded down.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// ahead gives a moment that is to come: "in 4m (2026-03-02 09:15:42Z)".
func ahead(t time.Time) string {
	left := time.Until(t)
	if left <= 0 {
		return "now"
	}
	return fmt.Sprintf("in %s (%s)", span(left), showTime(t))
}

// plural counts things.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// dash stands for nothing.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func number(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

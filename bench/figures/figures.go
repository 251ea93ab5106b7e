package figures

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Percentile gives the value below or at which p percent of the values lie
// (nearest rank); the zero value when there are none. The values may come in
// any order and are left alone.
func Percentile[T cmp.Ordered](values []T, p float64) T {
	if len(values) == 0 {
		var zero T
		return zero
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(p / 100 * float64(len(sorted)))
	return sorted[min(rank, len(sorted)-1)]
}

// Median gives the middle value, the upper one of two.
func Median[T cmp.Ordered](values []T) T { return Percentile(values, 50) }

// Ratios divides a by b round by round. A ratio of two numbers measured in the
// same round says more than a ratio of medians: what slows the machine down
// slows both.
func Ratios(a, b []float64) []float64 {
	var r []float64
	for i := range min(len(a), len(b)) {
		if b[i] != 0 {
			r = append(r, a[i]/b[i])
		}
	}
	return r
}

// Spread writes a median with its range: "3.21 (2.90-3.40)", with a third digit
// below 0.1: "0.034 (0.031-0.040)".
func Spread(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	median := Median(values)
	digits := 2
	if median < 0.1 {
		digits = 3
	}
	return fmt.Sprintf("%.*f (%.*f-%.*f)", digits, median, digits, slices.Min(values), digits, slices.Max(values))
}

// Ms writes a duration in milliseconds.
func Ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }

// Thousands writes a whole number in groups of three: 12,345.
func Thousands(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Met says whether a goal was reached, in the words of a report.
func Met(ok bool) string {
	if ok {
		return "met"
	}
	return "**missed**"
}

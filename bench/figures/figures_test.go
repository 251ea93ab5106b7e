package figures

import (
	"strings"
	"testing"
)

func TestPercentile(t *testing.T) {
	tests := []struct {
		values []int
		p      float64
		want   int
	}{
		{nil, 50, 0},
		{[]int{4}, 99, 4},
		{[]int{3, 1, 2}, 50, 2},
		{[]int{4, 3, 2, 1}, 50, 3},
		{[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 99, 10},
		{[]int{1, 2, 3, 4}, 100, 4},
		{[]int{1, 2, 3, 4}, 0, 1},
	}
	for _, tt := range tests {
		if got := Percentile(tt.values, tt.p); got != tt.want {
			t.Errorf("Percentile(%v, %v) = %v, want %v", tt.values, tt.p, got, tt.want)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%v) = %q, want %q", n, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"20MB": 20e6, "1gb": 1e9, "1.5KB": 1500, "7": 7} {
		var b Bytes
		if err := b.Set(text); err != nil || b != want {
			t.Errorf("Set(%q) = %d, %v; want %d", text, b, err, want)
		}
	}
	for _, text := range []string{"", "MB", "-1MB", "12XB"} {
		var b Bytes
		if err := b.Set(text); err == nil {
			t.Errorf("Set(%q) = %d, want an error", text, b)
		}
	}
	if got := Bytes(20e6).String(); got != "20MB" {
		t.Errorf("String() = %q, want 20MB", got)
	}
}

func TestReplaceSection(t *testing.T) {
	doc := "# Title\n\n## a\n\nold a\n\n## a b\n\nold ab\n"
	got := replaceSection(doc, "a", "## a\n\nnew\n")
	if want := "# Title\n\n## a\n\nnew\n\n## a b\n\nold ab\n"; got != want {
		t.Errorf("middle: got %q, want %q", got, want)
	}
	got = replaceSection(doc, "a b", "## a b\n\nnew\n")
	if want := "# Title\n\n## a\n\nold a\n\n## a b\n\nnew\n"; got != want {
		t.Errorf("end: got %q, want %q", got, want)
	}
	if got = replaceSection(doc, "c", "## c\n"); !strings.HasSuffix(got, "old ab\n\n## c\n") {
		t.Errorf("absent: got %q, want the section at the end", got)
	}
}

func TestSpread(t *testing.T) {
	for want, values := range map[string][]float64{
		"-":                   nil,
		"0.25 (0.20-1.00)":    {0.25, 1, 0.2},
		"0.034 (0.031-0.040)": {0.031, 0.034, 0.04},
	} {
		if got := Spread(values); got != want {
			t.Errorf("Spread(%v) = %s, want %s", values, got, want)
		}
	}
}

// The ratio is one of rounds, not of medians: a machine that is twice as slow
// in one round changes neither.
func TestRatios(t *testing.T) {
	ours, theirs := []float64{1, 2, 1}, []float64{4, 8, 5}
	if got := Spread(Ratios(ours, theirs)); got != "0.25 (0.20-0.25)" {
		t.Errorf("got %s", got)
	}
	if got := Ratios([]float64{1, 2}, []float64{0, 4}); len(got) != 1 || got[0] != 0.5 {
		t.Errorf("got %v, want a round without a divisor left out", got)
	}
}

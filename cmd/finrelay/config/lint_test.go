package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestLint(t *testing.T) {
	eachCase(t, "testdata/lint/*.txtar", func(t *testing.T, env func(string) (string, bool)) string {
		for _, name := range []string{"open.key"} {
			if err := os.Chmod(name, 0o644); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		c, err := Load("finrelay.yaml", env)
		if err != nil {
			t.Fatal(err)
		}
		return printFindings(Lint(c, readFacts(t)))
	})
}

func readFacts(t *testing.T) Facts {
	t.Helper()
	facts := Facts{HostsSeen: map[string][]string{}}
	text, err := os.ReadFile("facts")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		environment, host, _ := strings.Cut(strings.TrimSpace(line), " ")
		facts.HostsSeen[environment] = append(facts.HostsSeen[environment], host)
	}
	return facts
}

func printFindings(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%d %s %s: %s\n  %s\n", f.Line, f.Level, f.Field, f.Message, f.Hint)
	}
	return b.String()
}

func TestLintOfDefaults(t *testing.T) {
	c := Default()
	if findings := Lint(&c, Facts{}); len(findings) > 0 {
		t.Errorf("what runs without a file has findings:\n%s", printFindings(findings))
	}
}

func TestOverlap(t *testing.T) {
	pattern := func(s string) []rune { return []rune(strings.ReplaceAll(s, "{}", string(wild))) }
	tests := []struct {
		a, b string
		want bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"{}", "a", true},
		{"{}", "", false}, // a placeholder is never empty
		{"{}{}", "a", false},
		{"{}{}", "ab", true},
		{"{}.json", "{}.jsonl", false},
		{"{}.json", "{}.csv.json", true},
		{"x-{}", "{}-y", true}, // x-y... "x-a-y"
		{"x{}", "y{}", false},
		{"{}a{}b", "{}b", true},
		{"ab{}", "a{}c", true},
		{"{}", "{}", true},
	}
	for _, tt := range tests {
		for _, swap := range []bool{false, true} {
			a, b := pattern(tt.a), pattern(tt.b)
			if swap {
				a, b = b, a
			}
			if got := overlap(slices.Clone(a), slices.Clone(b)); got != tt.want {
				t.Errorf("overlap(%q, %q), swapped %t: got %t, want %t", tt.a, tt.b, swap, got, tt.want)
			}
		}
	}
}

func TestCoversGlob(t *testing.T) {
	tests := []struct {
		wide, narrow string
		want         bool
	}{
		{"Customers", "customers", true},
		{"*", "a/b", true},
		{"Cust*", "Customer groups", true},
		{"Cust*", "Customer*", true},
		{"Customer*", "Cust*", false},
		{"*s", "Cust*", false},
		{"*groups", "Customer *groups", true},
		{"Cust?mers", "Cust*mers", false},
		{"*b]", "x[ab]", true},
		{"Cust*", "Cust[ab]", true}, // brackets are text
	}
	for _, tt := range tests {
		if got := coversGlob(tt.wide, tt.narrow); got != tt.want {
			t.Errorf("coversGlob(%q, %q): got %t, want %t", tt.wide, tt.narrow, got, tt.want)
		}
	}
}

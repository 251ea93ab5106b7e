package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestOutNames: members of one name in two folders of an archive become two
// files, and a package's folder is not another input's file.
func TestOutNames(t *testing.T) {
	names := newOutNames("jsonl")
	for _, tt := range []struct{ path, want string }{
		{"a/x.csv", "x"},
		{"b/X.xml", "X (2)"},
		{"x.csv", "x (3)"},
		{"x (2).csv", "x (2) (2)"},
		{"x.jsonl.zip", "x.jsonl (2)"},
		{"y.jsonl.zip", "y.jsonl"},
		{"y.csv", "y (2)"},
		{strings.Repeat("é", 150) + ".csv", strings.Repeat("é", 100)},
		{strings.Repeat("é", 151) + ".csv", strings.Repeat("é", 100) + " (2)"},
	} {
		if got := names.claim(tt.path); got != tt.want {
			t.Errorf("%s is named %q, want %q", tt.path, got, tt.want)
		}
	}
	many := newOutNames("json")
	for n := 2; n < 20_000; n++ { // each in one step
		many.claim("same.csv")
	}
	if got, want := many.claim("SAME.csv"), fmt.Sprintf("SAME (%d)", 19_999); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

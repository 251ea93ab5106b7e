package main

import "testing"

// Members of one name in two folders of an archive become two files.
func TestDistinct(t *testing.T) {
	taken := map[string]bool{}
	for _, member := range []string{"a/x.csv", "b/X.xml", "x.csv"} {
		distinct(taken, member)
	}
	if len(taken) != 3 {
		t.Errorf("three members took the names %v", taken)
	}
	if got := distinct(map[string]bool{"x": true}, "b/x.csv"); got != "x (2)" {
		t.Errorf("got %q, want \"x (2)\"", got)
	}
}

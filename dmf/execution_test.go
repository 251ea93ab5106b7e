package dmf

import (
	"bytes"
	"errors"
	"regexp"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

func TestNewExecutionID(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 15, 42, 0, time.FixedZone("CET", 3600))
	random := bytes.Repeat([]byte{0x7d, 0x9a}, 4)
	for project, want := range map[DefinitionGroup]ExecutionID{
		"Contoso nightly customers": "Contoso-nightly-customers-20260302T091542Z-7d9a7d9a7d9a7d9a",
		"  a/b\\c:d..  ":            "a-b-c-d-20260302T091542Z-7d9a7d9a7d9a7d9a",
		"Ünïcode":                   "n-code-20260302T091542Z-7d9a7d9a7d9a7d9a",
		"":                          "export-20260302T091542Z-7d9a7d9a7d9a7d9a",
		"客户":                        "export-20260302T091542Z-7d9a7d9a7d9a7d9a",
	} {
		if got, err := NewExecutionID(project, now, bytes.NewReader(random)); got != want || err != nil {
			t.Errorf("NewExecutionID(%q) = %q, %v; want %q", project, got, err, want)
		}
	}
	broken := errors.New("no randomness")
	if id, err := NewExecutionID("p", now, iotest.ErrReader(broken)); id != "" || !errors.Is(err, broken) {
		t.Errorf("without randomness: %q, %v", id, err)
	}
}

func TestNewExecutionIDSafe(t *testing.T) {
	safe := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{1,73}$`)
	seen := map[ExecutionID]bool{}
	now := newTestClock().Now()
	rapid.Check(t, func(t *rapid.T) {
		project := rapid.String().Draw(t, "project")
		id, err := NewExecutionID(DefinitionGroup(project), now, nil)
		if err != nil || !safe.MatchString(string(id)) || seen[id] {
			t.Fatalf("NewExecutionID(%q) = %q, %v; seen before: %v", project, id, err, seen[id])
		}
		seen[id] = true
	})
}

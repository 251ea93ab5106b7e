package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"finrelay/dmf/sim"
)

// crashRuns, set in the environment, asks for so many random kills instead of
// the few fixed ones: FINRELAY_CRASH_RUNS=200 go test -run TestKill ./cmd/finrelay
const crashRuns = "FINRELAY_CRASH_RUNS"

// crashSteps are the steps of flows, in the order in which an event meets
// them. "mark" needs a large file and has a test of its own.
var crashSteps = []string{
	"accept", "accepted", "fetch", "prove", "fetched", "fetched-recorded", "open", "opened",
	"mark-place", "place-known", "convert", "commit", "delivered", "delivered-recorded",
}

// TestKillAtEveryStep kills a real server before each step between accept and
// settle, starts another and compares with an undisturbed run: the same files
// byte for byte, the same ledger, nothing lost, nothing double.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	w := newCrashWorkload(t)
	want, counts := undisturbed(t, w)
	if files := countPrefix(want, "file out/"); files != 9 || want["status"] != "need a person 3, on the way 0" {
		t.Fatalf("the undisturbed run is not as planned: %d files in the output, status %q", files, want["status"])
	}
	for step := range counts {
		if !slices.Contains(crashSteps, step) {
			t.Errorf("step %q is never killed at", step)
		}
	}
	for _, kills := range killPlan(t, counts) {
		t.Run(strings.Join(kills, ","), func(t *testing.T) {
			t.Parallel()
			l := &lineage{folder: w.folder(t, "10s")}
			for _, at := range kills {
				l.env = append(l.env, []string{killAt + "=" + at})
			}
			got, err := runLineage(t.Context(), w, l, 1)
			if err != nil {
				t.Fatal(err)
			}
			if d := want.difference(got); d != "" {
				t.Errorf("differs from the undisturbed run:\n%s\nlog of the last server:\n%s", d, l.now.Log())
			}
		})
	}
}

// killPlan gives the points to kill at, each a list for one server after the
// other: the first, a middle and the last time of each step; or random pairs.
func killPlan(t *testing.T, counts map[string]int) (plan [][]string) {
	if runs, _ := strconv.Atoi(os.Getenv(crashRuns)); runs > 0 {
		r := rand.New(rand.NewPCG(rand.Uint64(), 0))
		at := func() string {
			step := crashSteps[r.IntN(len(crashSteps))]
			return fmt.Sprintf("%s:%d", step, 1+r.IntN(max(counts[step], 1)))
		}
		for range runs {
			plan = append(plan, []string{at(), at()})
		}
		return plan
	}
	for _, step := range crashSteps {
		n := counts[step]
		if n == 0 {
			t.Errorf("step %q was never taken in the undisturbed run", step)
			continue
		}
		times := []int{1, (n + 1) / 2, n}
		for _, n := range slices.Compact(times) {
			plan = append(plan, []string{fmt.Sprintf("%s:%d", step, n)})
		}
	}
	// A crash during the recovery from a crash.
	return append(plan, []string{"accepted:1", "fetched:1"}, []string{"commit:2", "commit:1"}, []string{"delivered:1", "delivered:1"})
}

func countPrefix(o aftermath, prefix string) (n int) {
	for k := range o {
		if strings.HasPrefix(k, prefix) {
			n++
		}
	}
	return n
}

// TestKillAtMark kills a server around the marks of a download that is too
// large for one, and sees the next one go on from the mark that was recorded.
func TestKillAtMark(t *testing.T) {
	t.Parallel()
	w := startCrashSim(t)
	// Few long rows, because only the bytes matter here: 34 MB, marks at 16 and 32 MiB.
	table := sim.Table{Label: "Customer notes", Columns: []string{"ID", "NOTE"}}
	for i := range 340 {
		table.Rows = append(table.Rows, []string{strconv.Itoa(i), strings.Repeat(strconv.Itoa(i%10), 100_000)})
	}
	w.export(sim.ExportSpec{Entity: table.Label, Format: sim.CSVUTF8, Table: &table})
	want, counts := undisturbed(t, w)
	if counts["mark"] != 2 {
		t.Fatalf("%d marks in the undisturbed run, want 2: %v", counts["mark"], counts)
	}
	// At the n-th mark, n-1 are recorded: the second server asks from there.
	for n, from := range map[int]string{1: "", 2: "bytes=16777216-"} {
		w.finops.ForgetRequests()
		l := &lineage{folder: w.folder(t, "10s"), env: [][]string{{fmt.Sprintf("%s=mark:%d", killAt, n)}}}
		got, err := runLineage(t.Context(), w, l, 1)
		if err != nil {
			t.Fatal(err)
		}
		if d := want.difference(got); d != "" {
			t.Errorf("killed at mark %d, it differs from the undisturbed run:\n%s", n, d)
		}
		requests := w.finops.Requests()
		if len(requests) != 2 || requests[1].Range != from {
			t.Errorf("killed at mark %d, the requests are %+v, want a second one with range %q", n, requests, from)
		}
		if from != "" && requests[1].IfMatch == "" {
			t.Error("a download was continued without If-Match")
		}
	}
}

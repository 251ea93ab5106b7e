package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// queueKills, set in the environment, says how many runs TestKillWhilePolling
// makes; queueSeed names the first one's seed, to repeat a run that failed:
//
//	FINRELAY_KILLS=200 go test -run TestKillWhilePolling -timeout 30m ./cmd/finrelay
//	FINRELAY_KILLS=1 FINRELAY_KILLS_SEED=17 go test -run TestKillWhilePolling ./cmd/finrelay
const (
	queueKills = "FINRELAY_KILLS"
	queueSeed  = "FINRELAY_KILLS_SEED"
)

// defaultQueueKills is how many runs there are when nobody asks for more.
const defaultQueueKills = 20

// queueRunsAtOnce is more than there are cores: a run mostly waits for retries.
const queueRunsAtOnce = 8

// TestKillWhilePolling drains a queue of 14 messages with a real server that is
// killed up to five times, each time a random moment after a random call to the
// queue, while FinOps loses answers and refuses downloads and a proxy answers a
// tenth of the downloads with pages. Whatever happened,
// at the end every message is acked in FinOps, the output and the raw files are
// those of a run without kills byte for byte, the ledger says of each shipment
// and export what it says there, and each was landed once. At the moment of an
// ack the message's raw file and outputs are in place.
//
// It makes 20 runs, or as many as FINRELAY_KILLS says.
func TestKillWhilePolling(t *testing.T) {
	t.Parallel()
	runs := numberFrom(t, queueKills, defaultQueueKills)
	first := numberFrom(t, queueSeed, int(rand.Uint32()))
	t.Logf("%d runs, seeds from %d", runs, first)

	calm, want, tree := calmQueue(t)
	needs, err := calm.needs(tree)
	if err != nil {
		t.Fatal(err)
	}
	var next, deaths, repeated, paged atomic.Int64
	var all sync.WaitGroup
	for range min(queueRunsAtOnce, runs) {
		all.Go(func() {
			for i := next.Add(1); i <= int64(runs) && t.Context().Err() == nil; i = next.Add(1) {
				seed := uint64(first) + uint64(i) - 1
				q, err := killedQueue(t.Context(), seed, want, tree, needs)
				if err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
				if q != nil {
					deaths.Add(int64(q.l.deaths))
					repeated.Add(int64(q.repeats()))
					paged.Add(int64(q.w.paged))
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d servers were killed, %d messages came again, %d downloads brought a proxy's page", deaths.Load(), repeated.Load(), paged.Load())
	if deaths.Load() < int64(runs) {
		t.Errorf("%d servers were killed in %d runs, want one a run at the least", deaths.Load(), runs)
	}
}

// calmQueue is the run without kills and faults.
func calmQueue(t *testing.T) (*queueWorkload, aftermath, fileTree) {
	t.Helper()
	w, err := newQueueWorkload()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(false) })
	q := &queueRun{w: w}
	want, tree, err := q.run(t.Context())
	if err != nil {
		t.Fatalf("run without kills: %v", err)
	}
	// 13 files, of which 4 are bare and 9 packages of two; one bare file and
	// one package have a bad row each.
	if out, raw := countFiles(tree, "out/"), countFiles(tree, crashState); out != 2*(4+2*9-2) || raw != 13 {
		t.Fatalf("the run without kills is not as planned: %d files in the output, %d raw files, status %q", out, raw, want["status"])
	}
	return w, want, tree
}

func killedQueue(ctx context.Context, seed uint64, want aftermath, tree fileTree, needs map[string][]string) (q *queueRun, err error) {
	w, err := newQueueWorkload()
	if err != nil {
		return nil, err
	}
	defer func() { w.Close(err != nil) }()
	w.want, w.files = needs, tree
	r := rand.New(rand.NewPCG(seed, 0))
	w.trouble(r)
	q = &queueRun{w: w, rand: r, kills: 2 + r.IntN(4)}
	got, files, err := q.run(ctx)
	if err != nil {
		return q, fmt.Errorf("%w (kept for a look: %s)", err, w.folder)
	}
	if d := want.difference(got) + aftermath(tree).difference(aftermath(files)); d != "" {
		return q, fmt.Errorf("differs from the run without kills (kept for a look: %s):\n%s\nlog of the last server:\n%s", w.folder, d, q.l.now.Log())
	}
	return q, nil
}

// repeats is how often a message was handed out that had been before.
func (q *queueRun) repeats() (n int) {
	for _, m := range q.w.finops.Messages(queueActivity) {
		n += max(0, m.Dequeues()-1)
	}
	return n
}

func countFiles(tree fileTree, prefix string) int { return countPrefix(aftermath(tree), prefix) }

func numberFrom(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is no number", variable, text)
	}
	return n
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"finrelay/dmf/sim"
	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

// queueRun is one queue drained by servers of which some are killed.
type queueRun struct {
	w     *queueWorkload
	l     *lineage
	rand  *rand.Rand
	kills int // still to come
}

// run drains the queue. It gives the ledger's and the folder's contents at the
// end; the servers have ended then.
func (q *queueRun) run(ctx context.Context) (o aftermath, tree fileTree, err error) {
	q.l = &lineage{folder: q.w.folder}
	if err := q.l.start(); err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, q.l.now.Kill()) }()
	q.arm()
	if err := q.drain(ctx); err != nil {
		return nil, nil, err
	}
	q.w.onCalls(nil)
	if err := q.l.succeed(0); err != nil { // a kill that came with the last ack
		return nil, nil, err
	}
	if o, err = q.l.rest(ctx, 0); err != nil {
		return nil, nil, err
	}
	if code, err := q.l.now.Stop(); code != exitDone || err != nil {
		return nil, nil, fmt.Errorf("stop: exit code %d, %w\n%s", code, err, q.l.now.Log())
	}
	tree, err = q.w.readTree()
	return withoutOrder(o), tree, errors.Join(err, q.w.complaints())
}

// arm lets the server be killed a moment after one of its next calls to the
// queue: within them and the work that they begin.
func (q *queueRun) arm() {
	if q.kills == 0 {
		q.w.onCalls(nil)
		return
	}
	q.kills--
	victim := q.l.now.cmd.Process
	// A successor gets through a message at least: what three processes die over
	// is parked as interrupted, and that is another test's.
	after := 1 + q.rand.IntN(12)
	if q.l.deaths > 0 {
		after += 5
	}
	moment := time.Duration(q.rand.IntN(15_000)) * time.Microsecond
	q.w.onCalls(func(n int) {
		if n == after {
			time.AfterFunc(moment, func() { _ = victim.Kill() })
		}
	})
}

// onCalls counts the calls of the queue anew and tells f of each.
func (w *queueWorkload) onCalls(f func(n int)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.onCall = 0, f
}

// drain polls until FinOps has no message left and all is at rest, starting a
// successor for each server that died.
func (q *queueRun) drain(ctx context.Context) error {
	for until := time.Now().Add(longest); time.Now().Before(until); {
		deaths := q.l.deaths
		if err := q.l.succeed(time.Millisecond); err != nil {
			return err
		}
		if q.l.deaths > deaths {
			q.w.handOutAgain()
			q.arm()
		}
		res, err := q.l.client.Poll(ctx, web.PollRequest{Flow: "all"})
		if err != nil || strings.Contains(res.Problem, flows.ErrPolling.Error()) {
			continue // it was killed, or polls by its schedule
		}
		status, err := q.l.client.Status(ctx, "")
		if err == nil && status.OnTheWay == 0 && q.w.waiting() == 0 {
			return nil
		}
		if res.Messages+res.Redelivered == 0 || res.Problem != "" {
			q.w.handOutAgain()
		}
	}
	return fmt.Errorf("not drained after %s: %d messages wait\n%s", longest, q.w.waiting(), q.l.now.Log())
}

var lastRows = regexp.MustCompile(` last \d+`)

// withoutOrder leaves out what a redelivery may change: in which order messages
// were stored, and so which one a checkpoint names and which one landed last.
func withoutOrder(o aftermath) aftermath {
	maps.DeleteFunc(o, func(k, _ string) bool { return strings.HasPrefix(k, "checkpoint ") })
	for k, v := range o {
		if strings.HasPrefix(k, "status ") {
			o[k] = lastRows.ReplaceAllString(v, "")
		}
	}
	return o
}

// needs finds in an undisturbed run which files each message became.
func (w *queueWorkload) needs(tree fileTree) (map[string][]string, error) {
	needs := map[string][]string{}
	for _, m := range w.finops.Messages(queueActivity) {
		id := state.NewID("sh", "prod", "0", "queue:"+queueActivity+":"+m.CorrelationID)
		for name := range tree {
			if filepath.Base(name) == id {
				needs[m.CorrelationID] = append(needs[m.CorrelationID], name)
			}
			if !strings.HasSuffix(name, ".manifest.json") {
				continue
			}
			content, err := os.ReadFile(filepath.Join(w.folder, name))
			if err != nil {
				return nil, err
			}
			if strings.Contains(string(content), `"`+id+`"`) {
				needs[m.CorrelationID] = append(needs[m.CorrelationID], name, strings.TrimSuffix(name, ".manifest.json"))
			}
		}
		if m.Blob != nil && len(needs[m.CorrelationID]) == 0 {
			return nil, fmt.Errorf("no file of message %s (%s) among %v", m.CorrelationID, id, slices.Sorted(maps.Keys(tree)))
		}
	}
	return needs, nil
}

// trouble scripts what FinOps does wrong in a run: answers that are lost,
// and some 500s.
func (w *queueWorkload) trouble(r *rand.Rand) {
	for _, f := range []sim.Fault{
		{Route: sim.RouteDownload, Status: 500},
		{Route: sim.RouteDownload, Status: 500},
		{Route: sim.RouteDownload, CutAfter: 300},
		{Route: sim.RouteDownload, NoLength: true, CutAfter: 300},
		{Route: sim.RouteDownload, Gzip: true},
		{Route: sim.RouteAck, Lost: true, Reset: true},
		{Route: sim.RouteAck, Lost: true},
		{Route: sim.RouteAck, Status: 500},
		{Route: sim.RouteDequeue, Lost: true, Reset: true},
	} {
		if f.Skip = r.IntN(14); r.IntN(3) > 0 {
			w.finops.Fault(f)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages = rand.New(rand.NewPCG(r.Uint64(), 0))
}

package flows

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"finrelay/dmf"
	"finrelay/state"
)

// drawn is a history and a ledger of few names and times, so that much of it
// meets.
type drawn struct {
	rows []dmf.HistoryRow
	have []here
}

func draw(t *rapid.T) drawn {
	ids := rapid.SampledFrom([]string{"", "a", "b", "c"})
	entities := rapid.SampledFrom([]string{"Customer groups", "Vendor groups"})
	minutes := rapid.IntRange(0, 200)
	var d drawn
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		row := told(ids.Draw(t, "job"), entities.Draw(t, "entity"), int64(rapid.IntRange(0, 3).Draw(t, "count")))
		row = at(row, time.Duration(minutes.Draw(t, "begun"))*time.Minute)
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			row = timeless(row)
		case 1:
			row = said(row, "Error", "")
		case 2:
			row = said(row, "Executing", "NotRun")
		}
		// FinOps tells a job's entity once; twice, the later row would count.
		if row.JobID == "" || !slices.ContainsFunc(d.rows, func(x dmf.HistoryRow) bool { return x.JobID == row.JobID && x.Entity == row.Entity }) {
			d.rows = append(d.rows, row)
		}
	}
	for range rapid.IntRange(0, 8).Draw(t, "held") {
		h := here{source: rapid.SampledFrom([]string{"event", "queue"}).Draw(t, "source"), id: ids.Draw(t, "id"), entity: entities.Draw(t, "of"),
			rows: int64(rapid.IntRange(0, 3).Draw(t, "landed")), after: time.Duration(minutes.Draw(t, "came")) * time.Minute}
		h.state = rapid.SampledFrom([]state.State{state.Landed, state.Parked, state.Skipped, state.Open}).Draw(t, "state")
		if rapid.IntRange(0, 3).Draw(t, "unopened") == 0 {
			h = h.closed(rapid.SampledFrom([]state.State{state.Pending, state.Expired, state.Settled}).Draw(t, "shipment"))
		}
		d.have = append(d.have, h)
	}
	return d
}

// compareIn compares the drawn things, taken in an order of its own.
func (d drawn) compareIn(order *rand.Rand) *comparison {
	rows, have := slices.Clone(d.rows), make([]int, len(d.have))
	for i := range have {
		have[i] = i
	}
	if order != nil {
		order.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		order.Shuffle(len(have), func(i, j int) { have[i], have[j] = have[j], have[i] })
	}
	v := newLedgerView()
	for _, i := range have {
		v.put(i, d.have[i])
	}
	c := newComparison(ran.Add(48*time.Hour), pastRuns(rows), v)
	c.compare()
	return c
}

func (c *comparison) picture() string {
	var all []string
	for _, f := range c.found {
		all = append(all, fmt.Sprint(line(f), " ", f.Started.Unix()))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// Whatever FinOps and the ledger hold: what is found does not depend on the
// order they tell it in, one thing is never given to two runs, and nothing is
// certain to be missing that may be here.
func TestComparisonsHold(t *testing.T) {
	certain, given := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		d := draw(rt)
		c := d.compareIn(nil)
		seed := rapid.Uint64().Draw(rt, "order")
		if other := d.compareIn(rand.New(rand.NewPCG(seed, 1))).picture(); other != c.picture() {
			rt.Errorf("in one order\n%s\nin another\n%s", c.picture(), other)
		}
		taken := map[*holding]bool{}
		for _, e := range c.entries {
			for _, h := range e.held {
				if h.shipment.ExecutionID == "" && h.export != nil {
					given++
					if taken[h] {
						rt.Errorf("%s was given to two runs", h.export.ID)
					}
					taken[h] = true
				}
			}
		}
		for _, f := range c.found {
			if !f.fixable() {
				continue
			}
			certain++
			if f.ExecutionID == "" {
				rt.Errorf("certain without an id: %s", line(f))
			}
			for _, h := range c.view.byExecution(f.ExecutionID) {
				if h.stand >= standComing && h.export != nil && h.key == entityKey(f.Entity) {
					rt.Errorf("%s, and %s holds it", line(f), h.export.ID)
				}
			}
		}
	})
	if certain == 0 || given == 0 {
		t.Errorf("%d certain findings and %d matches by time; the test has lost its point", certain, given)
	}
}

// A week of a busy environment is compared in little time.
func BenchmarkCompareAWeek(b *testing.B) {
	const runs, entities = 2016, 10 // every five minutes
	var rows []dmf.HistoryRow
	v := newLedgerView()
	for i := range runs {
		after := time.Duration(i) * 5 * time.Minute
		for j := range entities {
			rows = append(rows, at(told(fmt.Sprint("run ", i), fmt.Sprint("Entity ", j), 3), after))
			if i%2 == 0 {
				v.put(i*entities+j, message("", fmt.Sprint("Entity ", j), 3).later(after))
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		c := newComparison(ran.Add(8*24*time.Hour), pastRuns(rows), v)
		c.compare()
		if len(c.found) < runs*entities/2 {
			b.Fatalf("%d findings", len(c.found))
		}
	}
}

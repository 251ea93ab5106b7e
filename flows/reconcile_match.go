package flows

import (
	"cmp"
	"slices"
	"time"
)

// How far from a run its file may come, where only time tells whose it is.
const (
	clockSlack    = 10 * time.Minute // before the run began: two clocks are compared
	eventWindow   = 2 * time.Hour    // after it: FinOps sends an event within minutes
	queueWindow   = 24 * time.Hour   // after it: a queue may be polled once a day
	settlingTime  = 15 * time.Minute // after it a file may be on its way without anything being here
	queuePatience = 24 * time.Hour   // after it a run counts as missing though it may wait in a queue
	// A queue hides a message for half an hour from when it was handed out: only
	// found empty after that does it not have a run's file.
	//
	// Source: Microsoft Learn, "Recurring integrations", 30 minutes.
	hiddenTime = 35 * time.Minute
)

// entry is one entity of one run, with what the ledger has of it.
type entry struct {
	run       *pastRun
	entity    *pastEntity
	held      []*holding
	byID      bool // held by the execution's id
	ambiguous bool
}

// lineKey names what a project exports of an entity, run after run.
func (e *entry) lineKey() string { return fold(e.run.project) + "\x00" + entityKey(e.entity.label) }

// comparison is FinOps' history beside the ledger. It asks nobody.
type comparison struct {
	now     time.Time
	runs    []pastRun
	view    ledgerView
	entries []*entry
	good    map[string]*pastRun // the latest success, by project and entity
	found   []*Finding
}

func newComparison(now time.Time, runs []pastRun, view ledgerView) *comparison {
	return &comparison{now: now, runs: runs, view: view, good: map[string]*pastRun{}}
}

// compare finds what there is to say of each run.
func (c *comparison) compare() {
	c.matchIDs()
	for _, queue := range []bool{false, true} {
		c.matchTimes(queue)
	}
	c.matchUnopened()
	for _, e := range c.entries {
		c.judge(e)
	}
	c.judgeOwn()
}

// matchIDs gives each entity what came under its execution's id.
func (c *comparison) matchIDs() {
	for i := range c.runs {
		run := &c.runs[i]
		for j := range run.entities {
			e := &entry{run: run, entity: &run.entities[j]}
			for _, h := range c.view.byExecution(run.id) {
				if h.covers(run, e.entity.label) {
					e.held, e.byID = append(e.held, h), true
				}
			}
			c.entries = append(c.entries, e)
			if was := c.good[e.lineKey()]; e.entity.fate == fateExported && (was == nil || run.begun().After(was.begun())) {
				c.good[e.lineKey()] = run
			}
		}
	}
}

// idless says whether something came without an execution id that may hold the
// entity of a run: then its absence is not certain. It need not be near in
// time: one such shipment shows that ids are not known to come.
func (c *comparison) idless(run *pastRun, label string) bool {
	for _, key := range []string{entityKey(label), entityKey(run.project), ""} {
		if slices.ContainsFunc(c.view.idless[key], func(h *holding) bool { return h.mayHold(run, label) }) {
			return true
		}
	}
	return slices.ContainsFunc(c.view.unreadable, func(at time.Time) bool { return at.After(run.begun().Add(-clockSlack)) })
}

func sameProject(a, b string) bool { return a == "" || b == "" || fold(a) == fold(b) }

// pair is an entity of a run, and what may be its rows.
type pair struct {
	e     *entry
	h     *holding
	apart time.Duration
}

func (p pair) rowsFit() bool {
	return p.h.stand == standLanded && slices.Contains(p.e.entity.counts, p.h.export.Rows+p.h.export.BadRows)
}

// matchTimes gives entities what came without an id, the nearest first, each
// thing to one run. By event and by queue is matched apart, because the same
// rows may have come both ways: what came one way by its id may have come the
// other way without.
func (c *comparison) matchTimes(queue bool) {
	pairs := c.pairs(queue)
	slices.SortStableFunc(pairs, func(a, b pair) int {
		// Of runs equally near that goes first which has as many rows, then one
		// that has any: one without may have sent no file at all.
		return cmp.Or(cmp.Compare(a.apart, b.apart), compareBool(b.rowsFit(), a.rowsFit()), slices.Compare(b.e.entity.counts, a.e.entity.counts), a.e.run.begun().Compare(b.e.run.begun()),
			cmp.Compare(a.e.run.id, b.e.run.id), cmp.Compare(a.h.shipment.ID, b.h.shipment.ID))
	})
	taken, given := map[*holding]bool{}, map[*entry]bool{}
	for len(pairs) > 0 {
		n := 1
		for n < len(pairs) && pairs[n].apart == pairs[0].apart {
			n++
		}
		giveEquallyNear(pairs[:n], taken, given)
		pairs = pairs[n:]
	}
}

// giveEquallyNear gives what is free among pairs of one distance. Who has a
// choice there, or competes, is ambiguous, whether it is given something or not;
// but not what an id tells of.
func giveEquallyNear(pairs []pair, taken map[*holding]bool, given map[*entry]bool) {
	free := slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return taken[p.h] || given[p.e] })
	ofEntry, ofHolding := map[*entry]int{}, map[*holding]int{}
	for _, p := range free {
		ofEntry[p.e]++
		ofHolding[p.h]++
	}
	for _, p := range free {
		p.e.ambiguous = p.e.ambiguous || !p.e.byID && (ofEntry[p.e] > 1 || ofHolding[p.h] > 1 || p.e.run.timeless())
		if !taken[p.h] && !given[p.e] {
			taken[p.h], given[p.e] = true, true
			p.e.held = append(p.e.held, p.h)
		}
	}
}

// pairs lists what may belong together by entity and time. Seconds are as fine
// as FinOps' history tells.
func (c *comparison) pairs(queue bool) []pair {
	after := eventWindow
	if queue {
		after = queueWindow
	}
	byEntity := map[string][]*holding{}
	for key, all := range c.view.idless {
		byEntity[key] = slices.DeleteFunc(slices.Clone(all), func(h *holding) bool {
			return h.stand == standEmpty || (h.shipment.Source == "queue") != queue
		})
		slices.SortFunc(byEntity[key], func(a, b *holding) int { return a.at().Compare(b.at()) })
	}
	var pairs []pair
	for _, e := range c.entries {
		key := entityKey(e.entity.label)
		if key == "" || e.entity.fate != fateExported || e.cameBy(queue) || queue && e.ofPackage() {
			continue
		}
		for _, h := range within(byEntity[key], e.run, after) {
			if sameProject(h.project, e.run.project) {
				pairs = append(pairs, pair{e, h, h.at().Sub(e.run.at()).Abs().Truncate(time.Second)})
			}
		}
	}
	return pairs
}

// ofPackage says whether the run is known to be one of the package API, which
// puts nothing into a queue.
func (e *entry) ofPackage() bool {
	return slices.ContainsFunc(e.held, func(h *holding) bool { return h.shipment.Source == "package" })
}

// within cuts out of a list in order of time what a run may have sent; of a run
// without a time that is all.
func within(all []*holding, run *pastRun, after time.Duration) []*holding {
	if run.timeless() {
		return all
	}
	from, to := run.begun().Add(-clockSlack), run.at().Add(after)
	first, _ := slices.BinarySearchFunc(all, from, func(h *holding, t time.Time) int { return h.at().Compare(t) })
	end := first
	for end < len(all) && !all[end].at().After(to) {
		end++
	}
	return all[first:end]
}

// matchUnopened gives what has not been opened, and does not name its entities,
// to all that it may hold: it is on its way, and no more is known.
func (c *comparison) matchUnopened() {
	var unopened []*holding
	for _, all := range c.view.idless {
		for _, h := range all {
			if h.export == nil && h.stand == standComing {
				unopened = append(unopened, h)
			}
		}
	}
	slices.SortFunc(unopened, func(a, b *holding) int { return cmp.Compare(a.shipment.ID, b.shipment.ID) })
	for _, e := range c.entries {
		if len(e.held) > 0 || e.entity.fate != fateExported {
			continue
		}
		for _, h := range unopened {
			if h.mayHold(e.run, e.entity.label) && len(within([]*holding{h}, e.run, queueWindow)) > 0 {
				e.held = append(e.held, h)
			}
		}
	}
}

// cameBy says whether something came by queue, or otherwise.
func (e *entry) cameBy(queue bool) bool {
	return slices.ContainsFunc(e.held, func(h *holding) bool { return (h.shipment.Source == "queue") == queue })
}

// best is how far the best of what is held has come.
func (e *entry) best() stand {
	best := standEmpty
	for _, h := range e.held {
		best = max(best, h.stand)
	}
	return best
}

// at gives those of what is held that stand there.
func (e *entry) at(s stand) []*holding {
	var all []*holding
	for _, h := range e.held {
		if h.stand == s {
			all = append(all, h)
		}
	}
	return all
}

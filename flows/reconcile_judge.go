package flows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"finrelay/state"
)

// add notes a finding.
func (c *comparison) add(f Finding) *Finding {
	c.found = append(c.found, &f)
	return &f
}

// about begins a finding on one entity of a run.
func (c *comparison) about(e *entry, kind FindingKind, held []*holding, cause string) *Finding {
	f := Finding{
		Kind: kind, Cause: cause, Ambiguous: e.ambiguous, Timeless: e.run.timeless(),
		Project: e.run.project, ExecutionID: e.run.id, Entity: e.entity.label, Started: e.run.started, Ended: e.run.ended,
		Exported: e.entity.rows(), held: held, run: e.run,
	}
	for _, h := range held {
		if !slices.Contains(f.Shipments, h.shipment.ID) {
			f.Shipments = append(f.Shipments, h.shipment.ID)
		}
		if h.export != nil {
			f.Exports = append(f.Exports, h.export.ID)
		}
	}
	return c.add(f)
}

// judge says what there is to say of one entity of a run; of most it is nothing.
func (c *comparison) judge(e *entry) {
	switch e.entity.fate {
	case fateRunning:
		cause := "FinOps says " + e.entity.status
		if !e.run.timeless() {
			cause += ", for " + shortly(c.now.Sub(e.run.begun()))
		}
		c.about(e, FindRunning, e.held, cause).Certain = true
		return
	case fateFailed:
		c.judgeFailed(e)
		return
	}
	if e.entity.empty() {
		c.about(e, FindNoRows, e.held, "FinOps exported no rows").Certain = true
	}
	switch e.best() {
	case standLanded:
		c.judgeLanded(e)
	case standComing:
		if !e.entity.empty() {
			held := e.at(standComing)
			c.about(e, FindOnTheWay, held, "finrelay has it and has not landed it yet").Certain = identified(held) > 0
		}
	case standDropped: // a person has decided
	case standStill:
		if !e.entity.empty() {
			c.judgeStanding(e)
		}
	default:
		if !e.entity.empty() {
			c.judgeAbsent(e)
		}
	}
}

// judgeFailed: a failed run exported nothing, and FinOps' marker has not moved,
// so the project's next good run brings the rows.
//
// Assumed: of an incremental project too; a run after a failed one that lacks
// its rows would show it wrong.
func (c *comparison) judgeFailed(e *entry) {
	f := c.about(e, FindFailed, e.held, "FinOps says "+e.entity.status)
	f.Certain, f.Open = true, true
	if later := c.good[e.lineKey()]; later != nil && later.begun().After(e.run.begun()) {
		f.Open = false
		f.Cause += "; execution " + later.id + " of the same project succeeded later"
	}
}

func (c *comparison) judgeLanded(e *entry) {
	all := e.at(standLanded)
	switch {
	case len(all) > 1 && !e.ambiguous:
		f := c.about(e, FindTwice, all, fmt.Sprintf("it landed in %d exports, which came %s", len(all), ways(all)))
		f.Certain = identified(all) > 1
		f.Open = f.Certain
	case e.ambiguous:
		c.about(e, FindAmbiguous, all, "something landed that may be it; several runs or files are equally near, so rows are not compared")
		return
	}
	for _, h := range all {
		n := h.export.Rows + h.export.BadRows
		byID := identified([]*holding{h}) > 0
		if len(e.entity.counts) == 0 || slices.Contains(e.entity.counts, n) || !byID && identified(all) > 0 {
			continue // of what an id names, another's rows say nothing
		}
		f := c.about(e, FindRows, []*holding{h}, fmt.Sprintf("FinOps counted %d rows and %d landed", e.entity.counts[0], n))
		f.Certain, f.Open, f.Landed = byID, true, &n
	}
}

// identified counts what came under an execution's id.
func identified(all []*holding) (n int) {
	for _, h := range all {
		if h.shipment.ExecutionID != "" {
			n++
		}
	}
	return n
}

func ways(all []*holding) string {
	var sources []string
	for _, h := range all {
		if by := "by " + h.shipment.Source; !slices.Contains(sources, by) {
			sources = append(sources, by)
		}
	}
	return strings.Join(sources, " and ")
}

// judgeStanding: it is known here and only a person moves it.
func (c *comparison) judgeStanding(e *entry) {
	held := e.at(standStill)
	h := held[0]
	at, reason := string(h.shipment.State), h.shipment.Reason
	if h.export != nil {
		at, reason = string(h.export.State), h.export.Reason
	}
	f := c.about(e, FindMissing, held, fmt.Sprintf("it is %s (%s) and has not landed", at, reason))
	f.Certain, f.Open, f.Horizon = identified(held) == len(held), true, horizonOf(e.run, c.now)
}

// judgeAbsent: nothing here is it.
func (c *comparison) judgeAbsent(e *entry) {
	run := e.run
	if x, own := c.view.executions[fold(run.id)]; own && liveExecution(x) {
		return // told by judgeOwn
	}
	since := c.now.Sub(run.at())
	inQueue := c.view.queued && c.view.drained.Before(run.at().Add(hiddenTime))
	switch {
	case run.timeless():
	case since < settlingTime:
		c.about(e, FindOnTheWay, nil, fmt.Sprintf("it ended %s ago: its event or message may still come", shortly(since)))
		return
	case inQueue && since < queuePatience:
		c.about(e, FindOnTheWay, nil, "it may wait in a queue: not all queues of the environment were found empty after it ended")
		return
	}
	cause := "nothing came here"
	if len(e.held) > 0 {
		cause = "its message in the queue has no file, though FinOps counted rows"
	}
	if e.ambiguous {
		cause = "fewer files came than there are runs equally near in time, and this may be the one that is missing"
	}
	f := c.about(e, FindMissing, e.held, cause)
	f.Horizon = horizonOf(run, c.now)
	f.Certain = !run.timeless() && !inQueue && !e.ambiguous && run.id != "" && (c.view.knows(run.id) || !c.idless(run, e.entity.label))
	// Without a time it may be older than finrelay itself.
	f.Open = !run.timeless()
	if run.timeless() {
		f.Cause += "; FinOps tells no time for this run, so it may be older than what is compared"
	}
}

func liveExecution(x state.Execution) bool {
	switch x.State {
	case state.Queued, state.Starting, state.Running, state.Stuck:
		return true
	}
	return false
}

// judgeOwn tells of runs that finrelay asked for and that have not ended.
func (c *comparison) judgeOwn() {
	for _, x := range c.view.executions {
		if !liveExecution(x) {
			continue
		}
		c.add(Finding{own: x.ID, Kind: FindOwn, Open: x.State == state.Stuck, Certain: true, Project: x.Project, ExecutionID: x.ExecutionID, Started: x.CalledAt,
			Cause: fmt.Sprintf("%s, which %s asked for, is %s; FinOps says %s", x.ID, x.RequestedBy, x.State, orNothing(x.Status))})
	}
}

func orNothing(s string) string {
	if s == "" {
		return "nothing yet"
	}
	return s
}

// shortly writes a span in its two largest units: 2d3h, 5h10m, 40m.
func shortly(d time.Duration) string {
	switch d = d.Round(time.Minute); {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

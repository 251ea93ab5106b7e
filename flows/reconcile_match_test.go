package flows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// ran is when the runs of these tables began; they end a minute later.
var ran = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// told is a row of FinOps' history.
func told(id, entity string, rows int64) dmf.HistoryRow {
	return dmf.HistoryRow{JobID: id, DefinitionGroup: "Nightly", Entity: entity, StagingStatus: "Finished", TargetStatus: "Finished",
		TargetCreated: &rows, Started: ran, Ended: ran.Add(time.Minute)}
}

func at(row dmf.HistoryRow, after time.Duration) dmf.HistoryRow {
	row.Started, row.Ended = ran.Add(after), ran.Add(after+time.Minute)
	return row
}

func timeless(row dmf.HistoryRow) dmf.HistoryRow {
	row.Started, row.Ended = time.Time{}, time.Time{}
	return row
}

func said(row dmf.HistoryRow, staging, target string) dmf.HistoryRow {
	row.StagingStatus, row.TargetStatus = staging, target
	return row
}

// here is what the ledger has: source, execution id, entity, state and rows of
// an export, and how long after the run it came.
type here struct {
	source, id, entity string
	state              state.State
	rows               int64
	after              time.Duration
	project            string
	unopened           bool
}

func (v *ledgerView) put(i int, h here) {
	s := state.Shipment{ID: fmt.Sprintf("sh_%d", i), Environment: "prod", Source: h.source, ExecutionID: h.id, Entity: h.entity,
		DefinitionGroup: h.project, Order: state.OrderKey{At: ran.Add(h.after)}, State: h.state}
	if h.unopened {
		stand := map[state.State]stand{state.Expired: standStill, state.Parked: standStill, state.Settled: standEmpty, state.Skipped: standDropped}[h.state]
		if h.state == state.Pending || h.state == state.Waiting {
			stand = standComing
		}
		v.hold(s, nil, stand)
		return
	}
	s.State = state.Settled
	v.hold(s, []*state.Export{{ID: fmt.Sprintf("ex_%d", i), ShipmentID: s.ID, Entity: h.entity, State: h.state, Rows: h.rows}}, standEmpty)
}

func event(id, entity string, rows int64) here {
	return here{source: "event", id: id, entity: entity, state: state.Landed, rows: rows, after: 2 * time.Minute}
}

func message(id, entity string, rows int64) here {
	return here{source: "queue", id: id, entity: entity, state: state.Landed, rows: rows, after: 5 * time.Minute}
}

func (h here) later(d time.Duration) here { h.after += d; return h }
func (h here) is(s state.State) here      { h.state, h.rows = s, 0; return h }
func (h here) closed(s state.State) here  { h.state, h.unopened = s, true; return h }
func (h here) from(project string) here   { h.project = project; return h }

// line is a finding as these tables write it.
func line(f *Finding) string {
	words := []string{string(f.Kind), f.ExecutionID, f.Entity}
	for word, is := range map[string]bool{"open": f.Open, "likely": !f.Certain, "ambiguous": f.Ambiguous, "timeless": f.Timeless} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words[3:])
	return strings.Join(words, " ")
}

func TestCompare(t *testing.T) {
	const groups, vendors = "Customer groups", "Vendor groups"
	hour := time.Hour
	for _, c := range []struct {
		name string
		rows []dmf.HistoryRow
		have []here
		view func(*ledgerView)
		now  time.Duration // after the run; 0 is a day
		want []string
	}{
		{name: "all is well by id", rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 4)},
			have: []here{event("A", groups, 9), event("a", "vendor GROUPS", 4)}},
		{name: "a label that is no file name", rows: []dmf.HistoryRow{told("a", "Country/regions", 9)}, have: []here{event("a", "Countryregions", 9)}},
		{name: "rows set aside are rows", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 9)}},
		{name: "nothing at all is here", rows: []dmf.HistoryRow{told("a", groups, 9)}, want: []string{"missing a Customer groups open"}},
		{name: "one entity is not", rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 4)}, have: []here{event("a", groups, 9)},
			want: []string{"missing a Vendor groups open"}},
		{name: "the link expired", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 0).closed(state.Expired)},
			want: []string{"missing a Customer groups open"}},
		{name: "an expired event of the whole package", rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 4)},
			have: []here{event("a", "Nightly", 0).closed(state.Expired)}, want: []string{"missing a Customer groups open", "missing a Vendor groups open"}},
		{name: "parked", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 0).is(state.Parked)},
			want: []string{"missing a Customer groups open"}},
		{name: "parked, and landed another way", rows: []dmf.HistoryRow{told("a", groups, 9)},
			have: []here{event("a", groups, 0).closed(state.Expired), message("a", groups, 9)}},
		{name: "a person skipped it", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 0).is(state.Skipped)}},
		{name: "on the way", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 0).closed(state.Pending)},
			want: []string{"on_the_way a Customer groups"}},
		{name: "twice by id", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 9), message("a", groups, 9)},
			want: []string{"landed_twice a Customer groups open"}},
		{name: "twice, as it seems", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("", groups, 9), message("", groups, 9)},
			want: []string{"landed_twice a Customer groups likely"}},
		{name: "twice, one of them without an id", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 9), message("", groups, 8)},
			want: []string{"landed_twice a Customer groups likely"}},
		{name: "each run its own message", rows: []dmf.HistoryRow{told("a", groups, 9), at(told("b", groups, 8), hour)},
			have: []here{event("a", groups, 9), message("", groups, 8).later(hour)}},
		{name: "a run of the package API puts nothing into the queue", rows: []dmf.HistoryRow{told("a", groups, 325), at(told("b", groups, 0), 4*time.Minute)},
			have: []here{{source: "package", id: "b", entity: groups, state: state.Landed, after: 5 * time.Minute}, message("", groups, 325)},
			want: []string{"no_rows b Customer groups"}},
		{name: "expired by event, landed by queue without an id", rows: []dmf.HistoryRow{told("a", groups, 9)},
			have: []here{event("a", groups, 0).closed(state.Expired), message("", groups, 9)}},
		{name: "rows differ by id", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("a", groups, 8)},
			want: []string{"rows_differ a Customer groups open"}},
		{name: "rows differ, as it seems", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("", groups, 8)},
			want: []string{"rows_differ a Customer groups likely open"}},
		{name: "FinOps counted nothing", rows: []dmf.HistoryRow{{JobID: "a", DefinitionGroup: "Nightly", Entity: groups, TargetStatus: "Finished", Started: ran}},
			have: []here{event("a", groups, 8)}},
		{name: "the count stands at the other step", rows: []dmf.HistoryRow{{JobID: "a", DefinitionGroup: "Nightly", Entity: groups, TargetStatus: "NotRun",
			StagingStatus: "Finished", TargetCreated: ptr(int64(0)), StagingCreated: ptr(int64(8)), Started: ran}}, have: []here{event("a", groups, 8)}},
		{name: "no rows", rows: []dmf.HistoryRow{told("a", groups, 0)}, want: []string{"no_rows a Customer groups"}},
		{name: "no rows, and an empty file", rows: []dmf.HistoryRow{told("a", groups, 0)}, have: []here{event("a", groups, 0)},
			want: []string{"no_rows a Customer groups"}},
		{name: "still running", rows: []dmf.HistoryRow{said(told("a", groups, 0), "Finished", "Executing")}, want: []string{"running a Customer groups"}},
		{name: "a status of another day", rows: []dmf.HistoryRow{said(told("a", groups, 0), "Pondering", "")}, want: []string{"running a Customer groups"}},
		{name: "failed", rows: []dmf.HistoryRow{said(told("a", groups, 0), "Error", "NotRun")}, want: []string{"failed a Customer groups open"}},
		{name: "failed, and made good", rows: []dmf.HistoryRow{said(told("a", groups, 0), "Error", "Error"), at(told("b", groups, 3), hour)},
			have: []here{event("b", groups, 3).later(hour)}, want: []string{"failed a Customer groups"}},
		{name: "failed for one entity, and only the other was made good", rows: []dmf.HistoryRow{said(told("a", groups, 0), "Error", ""), at(told("b", vendors, 3), hour)},
			have: []here{event("b", vendors, 3).later(hour)}, want: []string{"failed a Customer groups open"}},

		{name: "by entity and time", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("", groups, 9)}},
		{name: "of another project", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("", groups, 9).from("Weekly")},
			want: []string{"missing a Customer groups open"}},
		{name: "too late for an event", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("", groups, 9).later(3 * hour)},
			want: []string{"missing a Customer groups likely open"}},
		{name: "not too late for a queue", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{message("", groups, 9).later(3 * hour)}},
		{name: "ids are not known to come", rows: []dmf.HistoryRow{told("a", groups, 9), at(told("b", groups, 3), 5*hour)},
			have: []here{event("", groups, 3).later(5 * hour)}, want: []string{"missing a Customer groups likely open"}},
		{name: "the nearest, each once", rows: []dmf.HistoryRow{told("a", groups, 1), at(told("b", groups, 2), hour), at(told("c", groups, 3), 2*hour)},
			have: []here{event("", groups, 3).later(2 * hour), event("", groups, 1)}, want: []string{"missing b Customer groups likely open"}},
		{name: "two of equal nearness, both here", rows: []dmf.HistoryRow{told("a", groups, 1), told("b", groups, 2)},
			have: []here{event("", groups, 2), event("", groups, 1)},
			want: []string{"ambiguous a Customer groups ambiguous likely", "ambiguous b Customer groups ambiguous likely"}},
		{name: "two of equal nearness, one here", rows: []dmf.HistoryRow{told("a", groups, 1), told("b", groups, 2)}, have: []here{event("", groups, 2)},
			want: []string{"ambiguous b Customer groups ambiguous likely", "missing a Customer groups ambiguous likely open"}},
		{name: "one run, two files of equal nearness", rows: []dmf.HistoryRow{told("a", groups, 1)}, have: []here{event("", groups, 1), event("", groups, 1)},
			want: []string{"ambiguous a Customer groups ambiguous likely"}},
		{name: "an unopened message may be it", rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 4)},
			have: []here{message("", "", 0).closed(state.Pending)}, want: []string{"on_the_way a Customer groups likely", "on_the_way a Vendor groups likely"}},
		{name: "an event that nobody could read", rows: []dmf.HistoryRow{told("a", groups, 9)},
			view: func(v *ledgerView) { v.unreadable = []time.Time{ran.Add(hour)} }, want: []string{"missing a Customer groups likely open"}},
		{name: "an event that nobody could read, of an earlier day", rows: []dmf.HistoryRow{told("a", groups, 9)},
			view: func(v *ledgerView) { v.unreadable = []time.Time{ran.Add(-hour)} }, want: []string{"missing a Customer groups open"}},

		{name: "no time, by id", rows: []dmf.HistoryRow{timeless(told("a", groups, 9))}, have: []here{event("a", groups, 9)}},
		{name: "no time, nothing here", rows: []dmf.HistoryRow{timeless(told("a", groups, 9))}, want: []string{"missing a Customer groups likely timeless"}},
		{name: "no time, expired here", rows: []dmf.HistoryRow{timeless(told("a", groups, 9))}, have: []here{event("a", groups, 0).closed(state.Expired)},
			want: []string{"missing a Customer groups open timeless"}},
		{name: "no time, something here", rows: []dmf.HistoryRow{timeless(told("a", groups, 9))}, have: []here{event("", groups, 1)},
			want: []string{"ambiguous a Customer groups ambiguous likely timeless"}},
		{name: "no execution id", rows: []dmf.HistoryRow{told("", groups, 9)}, want: []string{"missing  Customer groups likely open"}},
		{name: "a row that comes twice", rows: []dmf.HistoryRow{told("a", groups, 9), told("A", groups, 9)}, want: []string{"missing a Customer groups open"}},

		{name: "just ended", rows: []dmf.HistoryRow{told("a", groups, 9)}, now: 10 * time.Minute, want: []string{"on_the_way a Customer groups likely"}},
		{name: "may wait in a queue", rows: []dmf.HistoryRow{told("a", groups, 9)}, now: 3 * hour, view: func(v *ledgerView) { v.queued, v.drained = true, ran },
			want: []string{"on_the_way a Customer groups likely"}},
		{name: "the queue was empty since", rows: []dmf.HistoryRow{told("a", groups, 9)}, now: 3 * hour, view: func(v *ledgerView) { v.queued, v.drained = true, ran.Add(hour) },
			want: []string{"missing a Customer groups open"}},
		{name: "a queue that is polled no more", rows: []dmf.HistoryRow{told("a", groups, 9)}, now: 30 * hour, view: func(v *ledgerView) { v.queued = true },
			want: []string{"missing a Customer groups likely open"}},
		{name: "a message without its file", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{message("a", "", 0).closed(state.Settled)},
			want: []string{"missing a Customer groups open"}},
		{name: "our own run is followed", rows: []dmf.HistoryRow{told("a", groups, 9)}, view: func(v *ledgerView) {
			v.executions["a"] = state.Execution{ID: "xc_1", ExecutionID: "a", State: state.Running}
		}, want: []string{"own_execution a "}},
		{name: "our own run that we gave up", rows: []dmf.HistoryRow{told("a", groups, 9)}, have: []here{event("", groups, 1).later(9 * hour)}, view: func(v *ledgerView) {
			v.executions["a"] = state.Execution{ID: "xc_1", ExecutionID: "a", State: state.Failed}
		}, want: []string{"missing a Customer groups open"}},
		{name: "our own run is stuck", view: func(v *ledgerView) {
			v.executions["a"] = state.Execution{ID: "xc_1", ExecutionID: "a", State: state.Stuck}
		}, want: []string{"own_execution a  open"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newLedgerView()
			for i, h := range c.have {
				v.put(i, h)
			}
			if c.view != nil {
				c.view(&v)
			}
			now := ran.Add(24 * time.Hour)
			if c.now > 0 {
				now = ran.Add(time.Minute + c.now)
			}
			cmp := newComparison(now, pastRuns(c.rows), v)
			cmp.compare()
			var got []string
			for _, f := range cmp.found {
				got = append(got, line(f))
				if f.Cause == "" {
					t.Errorf("%s: no cause", line(f))
				}
				if want := f.Kind == FindMissing && !f.Timeless; (f.Horizon != nil) != want {
					t.Errorf("%s: horizon %+v", line(f), f.Horizon)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// A package is taken whole only when nothing of it is here and all of it is
// wanted.
func TestWholeAbsent(t *testing.T) {
	const groups, vendors = "Customer groups", "Vendor groups"
	for name, c := range map[string]struct {
		rows []dmf.HistoryRow
		have []here
		want bool
	}{
		"nothing is here":           {rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 4)}, want: true},
		"nothing but rows it lacks": {rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 0)}, want: true},
		"its empty file is here":    {rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 0)}, have: []here{event("a", vendors, 0)}},
		"one entity failed":         {rows: []dmf.HistoryRow{told("a", groups, 9), said(told("a", vendors, 4), "Error", "")}},
		"one came without an id":    {rows: []dmf.HistoryRow{told("a", groups, 9), told("a", vendors, 4)}, have: []here{event("", vendors, 4)}},
	} {
		v := newLedgerView()
		for i, h := range c.have {
			v.put(i, h)
		}
		cmp := newComparison(ran.Add(24*time.Hour), pastRuns(c.rows), v)
		cmp.compare()
		var absent []*Finding
		for _, f := range cmp.found {
			if f.Kind == FindMissing && f.Certain {
				absent = append(absent, f)
			}
		}
		if len(absent) == 0 {
			t.Errorf("%s: nothing is certain to be missing", name)
			continue
		}
		if got := cmp.wholeAbsent(absent[0].run, absent); got != c.want {
			t.Errorf("%s: whole %t, want %t", name, got, c.want)
		}
	}
}

func TestHorizon(t *testing.T) {
	run := &pastRun{started: ran, ended: ran}
	for age, want := range map[time.Duration]Horizon{
		0:                    {Left: "7d0h"},
		100 * time.Hour:      {Left: "2d20h"},
		6*24*time.Hour + 1e9: {Left: "1d0h", Soon: true},
		167 * time.Hour:      {Left: "1h0m", Soon: true},
		BlobLife:             {Left: "gone", Gone: true},
	} {
		want.Until = ran.Add(BlobLife)
		if got := horizonOf(run, ran.Add(age)); *got != want {
			t.Errorf("after %s: %+v, want %+v", age, *got, want)
		}
	}
}

package flows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"finrelay/dmf"
)

// fate is what became of one entity of a run in FinOps.
type fate int

const (
	fateExported fate = iota
	fateRunning
	fateFailed
)

// pastRun is one execution as FinOps' history tells it.
type pastRun struct {
	id, project    string
	started, ended time.Time // zero when FinOps does not tell
	entities       []pastEntity
}

type pastEntity struct {
	label  string
	fate   fate
	status string  // FinOps' words
	counts []int64 // figures that may be the number of rows, the likeliest first; none: not told
}

func (run pastRun) timeless() bool { return run.started.IsZero() && run.ended.IsZero() }

// at is when a run was done, as far as FinOps tells.
func (run pastRun) at() time.Time {
	if run.ended.IsZero() {
		return run.started
	}
	return run.ended
}

func (run pastRun) begun() time.Time {
	if run.started.IsZero() {
		return run.ended
	}
	return run.started
}

// pastRuns gathers the history's rows, in FinOps' order. A row without an
// execution id stands for a run of its own.
//
// Source: published metadata of DataManagementExecutionJobDetails: its key is
// project, job and entity, so a row that comes twice is one.
func pastRuns(rows []dmf.HistoryRow) []pastRun {
	var runs []pastRun
	where := map[string]int{}
	for i, row := range rows {
		key := fold(row.JobID) + "\x00" + fold(string(row.DefinitionGroup))
		if row.JobID == "" {
			key = fmt.Sprint("row ", i)
		}
		n, known := where[key]
		if !known {
			n = len(runs)
			where[key] = n
			runs = append(runs, pastRun{id: row.JobID, project: string(row.DefinitionGroup)})
		}
		runs[n].take(row)
	}
	return runs
}

func (run *pastRun) take(row dmf.HistoryRow) {
	if !row.Started.IsZero() && (run.started.IsZero() || row.Started.Before(run.started)) {
		run.started = row.Started
	}
	if row.Ended.After(run.ended) {
		run.ended = row.Ended
	}
	e := pastEntity{label: row.Entity, fate: fateOf(row), status: statusOf(row), counts: countsOf(row)}
	same := func(x pastEntity) bool { return entityKey(x.label) == entityKey(e.label) }
	if i := slices.IndexFunc(run.entities, same); i >= 0 {
		run.entities[i] = e
		return
	}
	run.entities = append(run.entities, e)
}

// fateOf reads the two statuses of a row, of the step into staging and of that
// into the file.
//
// Observed: scripts of a 10.0.48 sandbox for Finished, Error and Executing.
// Assumed: the rest of both enumerations, and that a step which a project does
// not have stays NotRun beside a finished one. A spelling not known here counts
// as running and is shown.
func fateOf(row dmf.HistoryRow) fate {
	steps := []string{fold(row.StagingStatus), fold(row.TargetStatus)}
	has := func(words ...string) bool {
		return slices.ContainsFunc(steps, func(s string) bool { return slices.Contains(words, s) })
	}
	switch {
	case has("error", "failed", "canceled", "cancelled", "canceling", "aborted", "didnotrun", "didntrun"):
		return fateFailed
	case has("executing", "running", "waiting", "ready", "scheduled", "queued"):
		return fateRunning
	case has("finished", "succeeded", "partiallysucceeded", "completed", "ended"):
		return fateExported
	}
	return fateRunning
}

func statusOf(row dmf.HistoryRow) string {
	staging, target := strings.TrimSpace(row.StagingStatus), strings.TrimSpace(row.TargetStatus)
	switch {
	case staging == "" && target == "":
		return "nothing"
	case strings.EqualFold(staging, target) || staging == "":
		return target
	case target == "":
		return staging
	}
	return fmt.Sprintf("%s (staging), %s (target)", staging, target)
}

// countsOf gives the figures of a row that may be the number of exported rows.
//
// Assumed: an export counts them as created in the target, or in staging where
// it writes no target count; a recorded row of an export would show which.
func countsOf(row dmf.HistoryRow) []int64 {
	var counts []int64
	for _, pair := range [][2]*int64{{row.TargetCreated, row.TargetUpdated}, {row.StagingCreated, row.StagingUpdated}} {
		if pair[0] == nil && pair[1] == nil {
			continue
		}
		var n int64
		for _, c := range pair {
			if c != nil {
				n += *c
			}
		}
		counts = append(counts, n)
	}
	if len(counts) == 2 && counts[0] == 0 { // the other step may have the figure
		counts[0], counts[1] = counts[1], counts[0]
	}
	return slices.Compact(counts)
}

// empty says that FinOps counted no rows.
func (e pastEntity) empty() bool { return len(e.counts) > 0 && e.counts[0] == 0 }

// rows is the likeliest count; nil when FinOps tells none.
func (e pastEntity) rows() *int64 {
	if len(e.counts) == 0 {
		return nil
	}
	n := e.counts[0]
	return &n
}

package flows

import (
	"fmt"
	"time"

	"finrelay/state"
)

// explainSilence judges what FinOps did since a flow was last heard of. A run
// of 0 rows, or one that has not ended, is a reason to be quiet; rows that were
// exported and did not come, a run that failed or does not end, and no run at all
// are none.
//
// sure is false when all that speaks against the silence are runs that may be
// another company's; ExplainedAt is then when the last of them ended.
//
// maxAge is after what time a run should have ended.
func explainSilence(runs []pastRun, whose func(pastRun, pastEntity) claim, maxAge func(pastRun) time.Duration, since, now time.Time) (s state.Silence, sure bool) {
	var f findings
	for _, run := range runs {
		before := f
		for _, e := range run.entities {
			// What ended before the flow was last heard of has been heard of.
			if e.fate != fateRunning && !run.at().After(since) {
				continue
			}
			tooLong := !run.started.IsZero() && now.Sub(run.started) > maxAge(run)
			f.add(run, e, whose(run, e), tooLong)
		}
		// A run is of one company: an entity without rows beside one that has
		// some, and did not come, excuses nothing.
		if f.others != before.others {
			f.empty, f.emptyAt = before.empty, before.emptyAt
		}
	}
	return f.judge(since)
}

// findings are the last words of a history for and against a silence.
type findings struct {
	missing, failed             string // against it
	running, empty              string // for it
	others                      string // against it, if it is of the flow's company
	failedAt, emptyAt, othersAt time.Time
}

func (f *findings) add(run pastRun, e pastEntity, whose claim, tooLong bool) {
	switch {
	case whose == notOurs:
	case whose == cameToAnother:
		f.empty, f.emptyAt = fmt.Sprintf("what execution %s exported came here, and another flow took it", run.id), run.at()
	case e.fate == fateRunning && !tooLong:
		f.running = fmt.Sprintf("execution %s has been running since %s", run.id, stamp(run.started))
	case e.fate == fateExported && e.empty():
		f.empty, f.emptyAt = fmt.Sprintf("execution %s exported 0 rows at %s", run.id, stamp(run.at())), run.at()
	case whose == maybeOurs:
		f.others, f.othersAt = accuse(run, e)+"; its history does not say of which company", run.at()
	case e.fate == fateExported:
		f.missing = accuse(run, e)
	case e.fate == fateFailed:
		f.failed, f.failedAt = accuse(run, e), run.at()
	default:
		f.failed = accuse(run, e)
	}
}

// accuse says what speaks against a silence.
func accuse(run pastRun, e pastEntity) string {
	switch e.fate {
	case fateRunning:
		return fmt.Sprintf("execution %s has been running since %s, for longer than any should", run.id, stamp(run.started))
	case fateFailed:
		return fmt.Sprintf("execution %s failed in FinOps at %s: %s", run.id, stamp(run.at()), e.status)
	}
	return fmt.Sprintf("FinOps exported %sof %s at %s (execution %s) and nothing of it came; finrelay reconcile shows more",
		rowsText(e), e.label, stamp(run.at()), run.id)
}

func (f findings) judge(since time.Time) (s state.Silence, sure bool) {
	madeGood := f.empty != "" && f.emptyAt.After(f.failedAt) && !f.failedAt.IsZero() // by a later run
	switch {
	case f.missing != "":
		return state.Silence{To: state.Late, Detail: f.missing}, true
	case f.running != "":
		return state.Silence{To: state.Quiet, Detail: f.running}, true
	case f.failed != "" && !madeGood:
		return state.Silence{To: state.Late, Detail: f.failed}, true
	case f.empty != "":
		return state.Silence{To: state.Quiet, Detail: f.empty, ExplainedAt: f.emptyAt}, true
	case f.others != "":
		return state.Silence{To: state.Late, Detail: f.others, ExplainedAt: f.othersAt}, false
	}
	return state.Silence{To: state.Late, Detail: "FinOps has run nothing of it since " + stamp(since) + ": " + whyNoRun}, true
}

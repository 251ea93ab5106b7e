package flows

import (
	"cmp"
	"slices"
	"time"
)

// FindingKind says what a comparison found.
type FindingKind string

// Kinds of findings. Which of them are open, and so need a person, stands
// behind each.
const (
	FindMissing   FindingKind = "missing"           // FinOps exported it, and it has not landed here; open
	FindRows      FindingKind = "rows_differ"       // another number of rows landed than FinOps counted; open
	FindTwice     FindingKind = "landed_twice"      // open when certain
	FindFailed    FindingKind = "failed"            // FinOps failed to export; open unless a later run of the project succeeded
	FindTruncated FindingKind = "history_truncated" // the history is longer than what was read; open
	FindOwn       FindingKind = "own_execution"     // a run that finrelay asked for has not ended; open when stuck
	FindOnTheWay  FindingKind = "on_the_way"        // it comes, or may still come
	FindRunning   FindingKind = "running"           // FinOps has not ended it
	FindNoRows    FindingKind = "no_rows"           // a run that exported nothing
	FindAmbiguous FindingKind = "ambiguous"         // landed, but which of several runs it was cannot be told
)

// Finding is one difference between FinOps' history and the ledger, or one
// thing worth knowing about both.
type Finding struct {
	Kind FindingKind `json:"kind"`
	Open bool        `json:"open"`
	// Certain: decided by the execution's id. Else only likely: by entity and
	// time, which no identity of FinOps confirms.
	Certain   bool `json:"certain"`
	Ambiguous bool `json:"ambiguous,omitempty"` // several are equally near in time
	// Timeless: FinOps tells no time for the run, so that it may be older than
	// what was asked for.
	Timeless    bool      `json:"timeless,omitempty"`
	Project     string    `json:"project,omitempty"`
	ExecutionID string    `json:"execution_id,omitempty"`
	Entity      string    `json:"entity,omitempty"`
	Started     time.Time `json:"started,omitzero"`
	Ended       time.Time `json:"ended,omitzero"`
	Exported    *int64    `json:"rows_exported,omitempty"` // as FinOps counted
	Landed      *int64    `json:"rows_landed,omitempty"`   // rows set aside included
	Shipments   []string  `json:"shipments,omitempty"`
	Exports     []string  `json:"exports,omitempty"`
	Cause       string    `json:"cause"`
	Where       string    `json:"whereabouts,omitempty"`
	Next        string    `json:"next,omitempty"`
	Horizon     *Horizon  `json:"horizon,omitempty"` // of what is missing
	Fix         *Fixed    `json:"fix,omitempty"`     // when it was asked for and this is certain

	held []*holding
	run  *pastRun
	own  string // our id of the run, of FindOwn
}

// Horizon is how long FinOps keeps the package of a run.
type Horizon struct {
	Until time.Time `json:"until"`
	Left  string    `json:"left"`           // "2d3h", "5h", "40m"; "gone"
	Soon  bool      `json:"soon,omitempty"` // less than a day is left
	Gone  bool      `json:"gone,omitempty"`
}

// horizonWarning is how long before its end a package is spoken of.
const horizonWarning = 24 * time.Hour

// horizonOf counts from the end of a run; nil when FinOps tells no time.
func horizonOf(run *pastRun, now time.Time) *Horizon {
	if run.timeless() {
		return nil
	}
	h := &Horizon{Until: run.at().Add(BlobLife)}
	left := h.Until.Sub(now)
	switch {
	case left <= 0:
		h.Gone, h.Left = true, "gone"
	default:
		h.Soon, h.Left = left < horizonWarning, shortly(left)
	}
	return h
}

// Fixed is what Fix did about a finding.
type Fixed struct {
	Done bool `json:"done"`
	// Action is "rerun", of a shipment that stood still, or "adopted", of a
	// package that nothing had brought here.
	Action   string `json:"action,omitempty"`
	Shipment string `json:"shipment,omitempty"`
	Note     string `json:"note,omitempty"` // why not, or what came of it
}

// sorted puts what needs a person first, then what is older.
func sorted(found []*Finding) []Finding {
	all := make([]Finding, 0, len(found))
	for _, f := range found {
		all = append(all, *f)
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(-compareBool(a.Open, b.Open), a.Started.Compare(b.Started), cmp.Compare(a.Project, b.Project),
			cmp.Compare(a.ExecutionID, b.ExecutionID), cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

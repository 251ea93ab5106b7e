package web

import (
	"slices"

	"finrelay/state"
)

// Unwell says whether something is to be looked at that is on no list of what
// needs a person: a landed export with a remark that alert_on names, or an
// output that is not there.
func (v StatusView) Unwell() bool {
	return slices.ContainsFunc(v.Remarks, func(r RemarkView) bool { return r.Alerts }) ||
		slices.ContainsFunc(v.Waiting, func(w WaitView) bool { return w.Reason == state.ReasonOutputMissing })
}

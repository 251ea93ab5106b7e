package flows

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"finrelay/state"
)

// noted is what a person should know of an export that lands all the same: a
// sentence each, and the words that stand for them.
type noted struct {
	notes   string
	remarks state.Remarks
}

// add takes a sentence; an empty one is nothing to say. Without a remark it is
// for the notes only: what the flow asked for is no cause to look.
func (n *noted) add(remark state.Remark, sentence string) {
	if sentence == "" {
		return
	}
	n.notes = join(n.notes, sentence)
	if remark != "" {
		n.remarks = n.remarks.And(state.Remarks{remark})
	}
}

// addAll takes what another has to say.
func (n *noted) addAll(more noted) {
	n.notes, n.remarks = join(n.notes, more.notes), n.remarks.And(more.remarks)
}

// RemarkAdvice says what to look at.
func RemarkAdvice(remark state.Remark) string { return remarkAdvice[remark] }

var remarkAdvice = map[state.Remark]string{
	state.RemarkRowMismatch:     "compare with the execution in FinOps (finrelay reconcile ENVIRONMENT): its number may be early, or rows are missing",
	state.RemarkRowsSetAside:    "look at the file of rows set aside, beside the data: each has its place and what is wrong; correct read or columns of the flow and finrelay rerun EXPORT-ID, or correct the rows in FinOps",
	state.RemarkEncodingGuessed: "look whether letters outside ASCII are right, say the code page with read.encoding of the flow, finrelay reload, finrelay rerun EXPORT-ID",
	state.RemarkBytesReplaced:   "compare read.encoding of the flow with what FinOps writes: U+FFFD stands where bytes meant nothing in it",
	state.RemarkStrayQuotes:     "look at the places named; set read.quote of the flow if the fields are not quoted, or read.strict to make such records bad rows",
	state.RemarkTypeErrors:      "look at the columns named: correct their type or format in the flow, finrelay reload, finrelay rerun EXPORT-ID",
	state.RemarkColumnsMissing:  "compare the flow's columns with the entity's mapping in the data project: a column was renamed or left out",
	state.RemarkRecordsUneven:   "rows without such a record have no key for it: declare the ones that you need with read.children of the flow",
	state.RemarkPackageOdd:      "look at the raw file: the package is not as its manifest says",
}

// nextOf says what to do about an export's remarks that nobody has looked at;
// "" when there are none.
func nextOf(unseen state.Remarks, environment string) string {
	if len(unseen) == 0 {
		return ""
	}
	advice := make([]string, len(unseen))
	for i, remark := range unseen {
		advice[i] = string(remark) + ": " + strings.ReplaceAll(RemarkAdvice(remark), "ENVIRONMENT", environment)
	}
	return strings.Join(advice, "; ") + "; then finrelay seen EXPORT-ID"
}

// Seen is an export whose remarks a person has looked at.
type Seen struct {
	ID      string        `json:"id"`
	Entity  string        `json:"entity,omitempty"`
	Remarks state.Remarks `json:"remarks"`           // those that count no more
	Refusal string        `json:"refusal,omitempty"` // why there are none
}

// SeenIDs takes the remarks of exports off the list of what nobody has looked at.
func (r *Relay) SeenIDs(ctx context.Context, ids []string, by string) ([]Seen, error) {
	all := make([]Seen, 0, len(ids))
	for _, start := range ids {
		id, err := r.db.Find(ctx, start)
		if err == nil && state.KindOf(id) != state.KindExport {
			err = fmt.Errorf("%s is no export: %w", id, state.ErrNotFound)
		}
		if errors.Is(err, state.ErrNotFound) {
			all = append(all, Seen{ID: start, Refusal: err.Error()})
			continue
		}
		if err != nil {
			return all, err
		}
		e, err := r.db.Export(ctx, id)
		if err != nil {
			return all, err
		}
		one, err := r.seen(ctx, e, nil, by)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

// SeenMatching is SeenIDs for the exports that a filter finds; of its Remark, if
// it names one, and of no other: what a person looked at was that.
func (r *Relay) SeenMatching(ctx context.Context, f state.Filter, by string) ([]Seen, error) {
	f.Unseen, f.Limit = true, -1
	exports, err := r.db.Exports(ctx, f)
	if err != nil {
		return nil, err
	}
	var only state.Remarks
	if f.Remark != "" {
		only = state.Remarks{f.Remark}
	}
	all := make([]Seen, 0, len(exports))
	for _, e := range exports {
		one, err := r.seen(ctx, e, only, by)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (r *Relay) seen(ctx context.Context, e state.Export, only state.Remarks, by string) (Seen, error) {
	remarks, err := r.db.Seen(ctx, e.ID, only, "by "+by)
	if err != nil {
		return Seen{}, fmt.Errorf("remarks of %s: %w", e.ID, err)
	}
	s := Seen{ID: e.ID, Entity: e.Entity, Remarks: remarks}
	if len(remarks) == 0 {
		s.Refusal = "it has no remark that nobody has looked at"
	}
	return s, nil
}

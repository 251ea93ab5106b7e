package state

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// landWith delivers to an output, with remarks.
func (l *ledger) landWith(exportID, output, notes string, remarks ...Remark) {
	l.t.Helper()
	l.must(l.Delivered(bg, DeliveryKey{exportID, output}, Landing{Path: "p", Counts: Counts{Rows: 1}, Notes: notes, Remarks: remarks}))
}

func (l *ledger) wantRemarks(what, id, notes, remarks, unseen string) {
	l.t.Helper()
	if e := l.export(id); e.Notes != notes || e.Remarks.String() != remarks || e.Unseen.String() != unseen {
		l.t.Errorf("%s: notes %q, remarks %q, unseen %q; want %q, %q, %q", what, e.Notes, e.Remarks, e.Unseen, notes, remarks, unseen)
	}
}

// What landed with a remark says so until a person has looked; a landing that
// finds it again says it again, and one that does not takes it back.
func TestRemarks(t *testing.T) {
	l := newLedger(t)
	shipment := l.fetched("a")
	l.must(l.Opened(bg, shipment, "", []NewExport{{Entity: "E", Flow: "all", Notes: "opened",
		Deliveries: []NewDelivery{{"one", "all"}, {"two", "all"}}}}))
	id := ExportID(shipment, "")
	l.running()
	l.landWith(id, "one", "set aside; guessed", RemarkEncodingGuessed, RemarkRowsSetAside)
	if counts, err := l.UnseenRemarks(bg, ""); err != nil || len(counts) > 0 {
		t.Errorf("what has not landed is counted: %v, %v", counts, err)
	}
	landed := l.Now()
	l.landWith(id, "two", "set aside; guessed", RemarkRowsSetAside, RemarkEncodingGuessed)
	l.wantRemarks("landed in two", id, "opened; set aside; guessed", "rows_set_aside encoding_guessed", "rows_set_aside encoding_guessed")
	l.pass(time.Hour)
	l.landed("plain", 1)

	counts, err := l.UnseenRemarks(bg, "prod")
	want := []RemarkCount{{RemarkRowsSetAside, 1, landed}, {RemarkEncodingGuessed, 1, landed}}
	if err != nil || !slices.EqualFunc(counts, want, func(a, b RemarkCount) bool {
		return a.Remark == b.Remark && a.Exports == b.Exports && a.Since.Equal(b.Since.Truncate(time.Millisecond))
	}) {
		t.Errorf("counted %v, %v; want %v", counts, err, want)
	}
	if counts, err := l.UnseenRemarks(bg, "uat"); err != nil || len(counts) > 0 {
		t.Errorf("of another environment: %v, %v", counts, err)
	}
	finds := func(f Filter) int {
		t.Helper()
		f.Limit = -1
		found, err := l.Exports(bg, f)
		l.must(err)
		return len(found)
	}
	if n := []int{finds(Filter{Remark: RemarkEncodingGuessed}), finds(Filter{Remark: RemarkRowMismatch}), finds(Filter{Unseen: true}), finds(Filter{})}; !slices.Equal(n, []int{1, 0, 1, 2}) {
		t.Errorf("lists find %v", n)
	}

	seen, err := l.Seen(bg, id, Remarks{RemarkEncodingGuessed, RemarkRowMismatch}, "by eve")
	if err != nil || seen.String() != "encoding_guessed" {
		t.Errorf("seen %q, %v", seen, err)
	}
	l.wantRemarks("one looked at", id, "opened; set aside; guessed", "rows_set_aside encoding_guessed", "rows_set_aside")
	if n := []int{finds(Filter{Remark: RemarkEncodingGuessed, Unseen: true}), finds(Filter{Remark: RemarkRowsSetAside, Unseen: true})}; !slices.Equal(n, []int{0, 1}) {
		t.Errorf("lists of what nobody has looked at find %v", n)
	}
	for _, want := range []string{"rows_set_aside", ""} { // the second time there is nothing to look at
		if seen, err := l.Seen(bg, id, nil, "by eve"); err != nil || seen.String() != want {
			t.Errorf("seen %q, %v; want %q", seen, err, want)
		}
	}
	var told []string
	for _, e := range l.journal() {
		if e.Reason == ReasonSeen {
			told = append(told, e.Detail)
		}
	}
	if got := strings.Join(told, "|"); got != "encoding_guessed, by eve|rows_set_aside, by eve" {
		t.Errorf("the journal tells %q", got)
	}

	l.must(l.RerunExport(bg, id, "all", []NewDelivery{{"one", "all"}, {"two", "all"}}, "by eve"))
	l.wantRemarks("on its way again", id, "opened", "", "")
	l.running()
	l.landWith(id, "one", "guessed", RemarkEncodingGuessed)
	l.landWith(id, "two", "")
	l.wantRemarks("landed anew", id, "opened; guessed", "encoding_guessed", "encoding_guessed")
}

// Of two outputs one can park: what the other found is still true when only
// that one is tried again.
func TestRemarksOfAnOutputThatIsDone(t *testing.T) {
	l := newLedger(t)
	id := l.opened("a", "one", "two")
	l.running()
	l.landWith(id, "one", "mismatch", RemarkRowMismatch)
	l.must(l.ParkDelivery(bg, DeliveryKey{id, "two"}, ReasonPathTaken, "", Counts{}))
	l.must(l.RerunExport(bg, id, "all", []NewDelivery{{"one", "all"}, {"two", "all"}}, "by eve"))
	l.running()
	l.landWith(id, "two", "match", RemarkBytesReplaced) // no part of another sentence
	l.wantRemarks("landed", id, "mismatch; match", "row_mismatch bytes_replaced", "row_mismatch bytes_replaced")
}

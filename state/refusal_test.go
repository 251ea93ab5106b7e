package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func (l *ledger) refusals(environment string) []Refusal {
	l.t.Helper()
	all, err := l.Refusals(bg, environment)
	l.must(err)
	return all
}

func TestRefusals(t *testing.T) {
	l := newLedger(t)
	now := func() time.Time { return l.Now().UTC().Truncate(time.Millisecond) }
	refuse := func(environment string, status int, count int64, remotes ...string) {
		t.Helper()
		l.must(l.AddRefusals(bg, []Refusal{{environment, status, "no key", count, now(), now(), remotes}}))
	}
	began := now()
	refuse("prod", 401, 2, "10.0.0.1")
	refuse("", 401, 1, "192.0.2.1")
	l.pass(23 * time.Hour)
	for i := range 2 * MostRemotes {
		refuse("prod", 401, 1, fmt.Sprint("10.0.1.", i))
	}
	refuse("prod", 401, 1, "10.0.1.7")
	all := l.refusals("prod")
	if len(all) != 2 {
		t.Fatalf("%+v", all)
	}
	r := all[slices.IndexFunc(all, func(r Refusal) bool { return r.Environment == "prod" })]
	if r.Count != 13 || !r.Since.Equal(began) || !r.Last.Equal(now()) || strings.Join(r.Remotes, " ") != "10.0.1.7 10.0.1.9 10.0.1.8 10.0.1.6 10.0.1.5" {
		t.Errorf("%+v", r)
	}
	if other := l.refusals("uat"); len(other) != 1 || other[0].Environment != "" {
		t.Errorf("of another environment: %+v", other)
	}
	l.pass(2 * time.Hour) // what was refused of strangers is a day old
	if all := l.refusals(""); len(all) != 1 || all[0].Environment != "prod" {
		t.Errorf("two hours later: %+v", all)
	}
	l.pass(23 * time.Hour)
	if all := l.refusals(""); len(all) != 0 {
		t.Errorf("a day later: %+v", all)
	}
	refuse("prod", 401, 1, "10.0.0.9")
	if all := l.refusals(""); len(all) != 1 || all[0].Count != 1 || !all[0].Since.Equal(now()) || len(all[0].Remotes) != 1 {
		t.Errorf("after a day without: %+v", all)
	}
	told := 0
	for _, e := range l.journal() {
		if e.Kind == KindRefusal {
			told++
		}
	}
	if told != 3 {
		t.Errorf("the journal tells of %d counts, want 3: prod, strangers, prod again", told)
	}
}

// Rows do not grow by who knocks.
func TestRefusalsAreFew(t *testing.T) {
	l := newLedger(t)
	for i := range 3 * mostRefusals {
		l.pass(time.Second)
		l.must(l.AddRefusals(bg, []Refusal{{fmt.Sprint("invented", i), 413, "large", 1, l.Now(), l.Now(), []string{"a"}}}))
	}
	if n := l.count(`SELECT count(*) FROM refusals`); n != mostRefusals {
		t.Errorf("%d rows, want %d", n, mostRefusals)
	}
	if all := l.refusals(fmt.Sprint("invented", 3*mostRefusals-1)); len(all) != 1 {
		t.Errorf("the newest is gone: %+v", all)
	}
}

func TestProbe(t *testing.T) {
	l := newLedger(t)
	for range 3 {
		l.must(l.Probe(bg))
	}
	l.must(l.Answers(bg))
	if n := l.count(`SELECT count(*) FROM probes`); n != 1 || len(l.journal()) != 0 {
		t.Errorf("%d rows of probes, %d of the journal", n, len(l.journal()))
	}
	if free, known := l.Free(); !known || free == 0 {
		t.Skip("free space is looked at on Linux only")
	}
	// A ledger that may grow no more is a full disk.
	var pages int
	l.must(l.conn.QueryRowContext(bg, "PRAGMA page_count").Scan(&pages))
	l.must(l.conn.QueryRowContext(bg, fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&pages))
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = l.Accept(bg, []Arrival{arrival(fmt.Sprint(i))})
	}
	if !DiskFull(err) || ReadOnly(err) || Refused(err) {
		t.Errorf("%v is no full disk", err)
	}
	if DiskFull(errors.New("x")) || DiskFull(nil) {
		t.Error("anything is a full disk")
	}
}

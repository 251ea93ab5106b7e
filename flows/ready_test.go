package flows

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"finrelay/state"
)

// look is Troubles without what a look of this second found.
func (w *rig) look() string {
	w.relay.ready.at = time.Time{}
	var all []string
	for _, t := range w.relay.Troubles() {
		if t.Detail == "" {
			w.t.Errorf("%s: no detail", t.What)
		}
		all = append(all, t.What)
	}
	return strings.Join(all, "\n")
}

func TestTroubles(t *testing.T) {
	w := newRig(t)
	w.open(w.takesAll())
	if got := w.look(); got != "" {
		t.Errorf("of a ledger that is well: %q", got)
	}
	w.sql(`CREATE TRIGGER refuse BEFORE UPDATE ON probes BEGIN SELECT RAISE(ABORT, 'not today'); END`)
	if got := w.look(); got != "the ledger cannot be written" {
		t.Errorf("of one that is not: %q", got)
	}
	w.sql(`DROP TRIGGER refuse`)
	w.relay.ready.at = time.Now().Add(time.Hour) // just now, however slow this machine is
	if got := w.relay.Troubles(); len(got) != 1 {
		t.Errorf("asked again at once: %v", got)
	}
	if got := w.look(); got != "" {
		t.Errorf("after the mending: %q", got)
	}
	commits := w.db.Commits()
	var all sync.WaitGroup
	w.relay.ready.at = time.Time{}
	for range 200 {
		all.Go(func() { w.relay.Troubles() })
	}
	all.Wait()
	if n := w.db.Commits() - commits; n > 3 {
		t.Errorf("a storm of questions cost %d commits", n)
	}
}

// A disk that hangs is said to hang, and is asked once.
func TestTroubleOfALedgerThatHangs(t *testing.T) {
	var q question
	free := make(chan struct{})
	asked := make(chan struct{}, 10)
	hang := func(context.Context) error {
		asked <- struct{}{}
		<-free
		return nil
	}
	for range 3 {
		q.ask(hang)
		patience, done := context.WithTimeout(t.Context(), time.Millisecond)
		if err := q.answer(patience); err != errTooSlow || why(err) != ": it takes too long" {
			t.Errorf("%v%s", err, why(err))
		}
		done()
	}
	close(free)
	if err := q.answer(t.Context()); err != nil || len(asked) != 1 {
		t.Errorf("%v, asked %d times", err, len(asked))
	}
	q.ask(hang)
	if err := q.answer(t.Context()); err != nil || len(asked) != 2 {
		t.Errorf("%v, asked %d times", err, len(asked))
	}
}

// What is refused is kept while the ledger cannot be written, and is there after
// a restart when it could.
func TestRefusalsAreKept(t *testing.T) {
	w := newRig(t)
	w.run(w.takesAll())
	heal := func() { w.sql(`DROP TRIGGER refuse`) }
	w.sql(`CREATE TRIGGER refuse BEFORE INSERT ON refusals BEGIN SELECT RAISE(ABORT, 'disk is full'); END`)
	w.relay.Refused("prod", 503, "not stored", "10.0.0.1:4711")
	w.relay.Refused("prod", 503, "not stored", "10.0.0.2:4711")
	if err := w.relay.SaveRefusals(t.Context()); err == nil {
		t.Error("written to a full disk")
	}
	want := func(what string, environment string, count int64, remotes string) {
		t.Helper()
		all, err := w.relay.Refusals(t.Context(), environment)
		if err != nil || len(all) != 1 || all[0].Count != count || all[0].Status != 503 || strings.Join(all[0].Remotes, " ") != remotes {
			t.Errorf("%s: %+v, %v; want %d from %s", what, all, err, count, remotes)
		}
	}
	want("on a full disk", "", 2, "10.0.0.2 10.0.0.1")
	if all, err := w.relay.Refusals(t.Context(), "uat"); err != nil || len(all) != 0 {
		t.Errorf("of another environment: %+v, %v", all, err)
	}
	heal()
	if err := w.relay.SaveRefusals(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("after the mending", "prod", 2, "10.0.0.2 10.0.0.1")
	w.relay.Refused("prod", 503, "not stored", "10.0.0.3:4711")
	want("one more", "prod", 3, "10.0.0.3 10.0.0.2 10.0.0.1")
	if err := w.relay.SaveRefusals(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.run(w.takesAll())
	want("after a restart", "", 3, "10.0.0.3 10.0.0.2 10.0.0.1")
	w.advance(state.RefusalMemory + time.Second)
	if all, err := w.relay.Refusals(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("a day later: %+v, %v", all, err)
	}
}

// Whoever knocks takes no memory, and hides nobody.
func TestRefusalsInMemoryAreFew(t *testing.T) {
	w := newRig(t)
	w.open(w.takesAll())
	for i := range 10 * mostRefusals {
		w.relay.Refused(fmt.Sprint("invented", i), 401, "no key", fmt.Sprintf("192.0.2.%d:1", i%256))
	}
	w.relay.Refused("prod", 401, strings.Repeat("é", refusalText), "[2001:db8::1]:1")
	all := w.relay.refused.all()
	if len(all) != 2 {
		t.Fatalf("%d kinds: %+v", len(all), all)
	}
	for _, one := range all {
		switch {
		case one.Environment == "prod" && (one.Count != 1 || one.Remotes[0] != "2001:db8::1" || len(one.Why) > refusalText):
			t.Errorf("%+v", one)
		case one.Environment == "" && (one.Count != 10*mostRefusals || len(one.Remotes) != state.MostRemotes):
			t.Errorf("%+v", one)
		}
	}
	for i := range 10 * mostRefusals {
		w.relay.refused.add(state.Refusal{Environment: fmt.Sprint("named", i), Status: 413, Count: 1, Since: w.now(), Last: w.now()})
	}
	if all := w.relay.refused.all(); len(all) > mostRefusals+1 {
		t.Errorf("%d kinds are kept", len(all))
	}
}

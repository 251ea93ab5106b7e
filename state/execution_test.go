package state

import (
	"testing"
	"time"
)

func init() {
	run := func(build func(l *ledger, id string)) func(*ledger) subject {
		return func(l *ledger) subject {
			id := l.request("first")[0]
			build(l, id)
			return subject{execution: id}
		}
	}
	claim := func(l *ledger) {
		_, err := l.ClaimExecutions(bg, 9)
		l.must(err)
	}
	running := func(l *ledger, id string) {
		claim(l)
		l.must(l.Calling(bg, id))
		l.must(l.Started(bg, id, "x-first", l.Now()))
	}
	situations["execution queued"] = run(func(*ledger, string) {})
	situations["execution starting"] = run(func(l *ledger, _ string) { claim(l) })
	situations["execution running"] = run(running)
	situations["execution stuck"] = run(func(l *ledger, id string) {
		running(l, id)
		l.must(l.EndExecution(bg, id, Stuck, "Executing", ReasonStuck, ""))
	})
	situations["execution failed"] = run(func(l *ledger, id string) {
		running(l, id)
		l.must(l.EndExecution(bg, id, Failed, "Failed", ReasonExecution, ""))
	})
	situations["execution done"] = run(func(l *ledger, id string) {
		running(l, id)
		_, err := l.Executed(bg, id, NewPackage{Link: "https://a.example/p?sig=s", LinkPath: "a.example/p"})
		l.must(err)
	})
	transitions["claim executions"] = func(l *ledger, _ subject) error { _, err := l.ClaimExecutions(bg, 9); return err }
	transitions["started"] = func(l *ledger, s subject) error { return l.Started(bg, s.execution, "x", l.Now()) }
	transitions["executed"] = func(l *ledger, s subject) error {
		_, err := l.Executed(bg, s.execution, NewPackage{Link: "https://a.example/p?sig=s", LinkPath: "a.example/p"})
		return err
	}
	transitions["execution failed"] = func(l *ledger, s subject) error {
		return l.EndExecution(bg, s.execution, Failed, "Failed", ReasonExecution, "")
	}
	transitions["execution stuck"] = func(l *ledger, s subject) error {
		return l.EndExecution(bg, s.execution, Stuck, "Executing", ReasonStuck, "")
	}
	transitions["skip execution"] = func(l *ledger, s subject) error { return l.Skip(bg, s.execution, "eve", "") }
}

func (l *ledger) request(ids ...string) []string {
	l.t.Helper()
	var wanted []NewExecution
	for _, id := range ids {
		wanted = append(wanted, NewExecution{Environment: "prod", Project: "Nightly", LegalEntity: "usmf", ExecutionID: id, By: "eve"})
	}
	got, err := l.RequestExecutions(bg, wanted)
	l.must(err)
	return got
}

// Runs of one project go one after the other, whatever the first comes to; a
// stuck one keeps the others waiting until a person lets go of it.
func TestOneRunOfAProjectAtATime(t *testing.T) {
	l := newLedger(t)
	ids := l.request("one", "two", "three")
	claim := func() []Execution {
		t.Helper()
		x, err := l.ClaimExecutions(bg, 9)
		l.must(err)
		return x
	}
	want := func(x []Execution, id string) {
		t.Helper()
		if len(x) != 1 || x[0].ID != id {
			t.Fatalf("claimed %+v; want %s alone", x, id)
		}
	}
	want(claim(), ids[0])
	if again := claim(); len(again) != 0 {
		t.Fatalf("claimed again at once: %+v", again)
	}
	l.clock.Add(startLease.Milliseconds())
	if x := claim(); len(x) != 1 || x[0].Attempts != 2 {
		t.Fatalf("after the lease: %+v; want the first, a second attempt", x)
	}
	l.must(l.EndExecution(bg, ids[0], Failed, "", ReasonNotStarted, "no"))
	want(claim(), ids[1])
	l.must(l.EndExecution(bg, ids[1], Stuck, "Executing", ReasonStuck, "six hours"))
	if x := claim(); len(x) != 0 {
		t.Fatalf("a run beside a stuck one: %+v", x)
	}
	if s, err := l.Status(bg, ""); err != nil || s.NeedPerson != 2 || s.OnTheWay != 1 {
		t.Errorf("status %+v, %v; want two that need a person, one on the way", s, err)
	}
	l.must(l.Skip(bg, ids[1], "eve", "killed in FinOps"))
	want(claim(), ids[2])
	l.must(l.Started(bg, ids[2], "three-of-finops", l.Now().Add(time.Minute)))
	shipment, err := l.Executed(bg, ids[2], NewPackage{Status: "Succeeded", Link: "https://a.example/p?sig=s", LinkPath: "a.example/p"})
	l.must(err)
	s, err := l.Shipment(bg, shipment)
	if err != nil || s.Source != "package" || s.ExecutionID != "three-of-finops" || s.State != Pending {
		t.Errorf("its package: %+v, %v", s, err)
	}
}

// Nobody looks at a start that is in flight: FinOps does not know it yet.
func TestStartInFlightIsNotClaimed(t *testing.T) {
	l := newLedger(t)
	_, err := l.RequestExecutions(bg, []NewExecution{{Environment: "prod", Project: "Nightly", ExecutionID: "x"}})
	l.must(err)
	claimed, err := l.ClaimExecutions(bg, 2)
	l.must(err)
	l.must(l.Calling(bg, claimed[0].ID))
	l.pass(12 * time.Minute) // a start may take ten, the question before it two
	if again, err := l.ClaimExecutions(bg, 2); err != nil || len(again) != 0 {
		t.Errorf("claimed %+v, %v beside the one in flight", again, err)
	}
}

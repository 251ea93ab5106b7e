package state

import (
	"testing"
	"time"
)

func init() {
	transitions["entity expected no more"] = func(l *ledger, _ subject) error {
		return l.NotExpected(bg, Missing{Flow: "all", Environment: "prod", Entity: "customer GROUPS"}, "the flow does not take it")
	}
	for _, to := range []State{Quiet, Late} {
		transitions["entity missing, "+string(to)] = func(l *ledger, _ subject) error {
			return l.EntityMissing(bg, Missing{Flow: "all", Environment: "prod", Entity: "Customer groups", HeardAt: l.Now(), State: to, Detail: "so"})
		}
	}
}

// An entity is missing until it is heard of again, by whatever spelling; what
// was found out while it came counts no more.
func TestMissingEntity(t *testing.T) {
	l := newLedger(t)
	at := l.landed("a", 1) // opened just now
	entity := l.export(at).Entity
	heard, err := l.Arrivals(bg, "all", "prod", l.Now().Add(-time.Hour))
	l.must(err)
	if len(heard) != 1 || heard[0].Entity != entity || !heard[0].At.Equal(l.Now()) {
		t.Fatalf("arrivals %+v; want one of %s, now", heard, entity)
	}
	missing := Missing{Flow: "all", Environment: "prod", Entity: entity, HeardAt: heard[0].At, State: Late, Detail: "FinOps ran nothing of it"}
	known := func() []Missing {
		all, err := l.Missing(bg, "all", "prod")
		l.must(err)
		return all
	}
	l.pass(3 * time.Hour)
	l.must(l.EntityMissing(bg, missing))
	l.must(l.EntityMissing(bg, missing)) // no news
	if all := known(); len(all) != 1 || all[0].State != Late || !all[0].HeardAt.Equal(heard[0].At) || !all[0].LookedAt.Equal(l.Now()) {
		t.Fatalf("missing: %+v", all)
	}
	checkInvariants(t, l.DB, "missing")
	story, err := l.Story(bg, "all@prod/"+entity)
	l.must(err)
	if len(story) != 1 {
		t.Errorf("the story has %d entries; want the one that was news", len(story))
	}
	l.landed("b", 1)
	if all := known(); len(all) != 0 {
		t.Errorf("heard of again, it is %+v", all)
	}
	l.must(l.EntityMissing(bg, missing)) // found out before it came
	if all := known(); len(all) != 0 {
		t.Errorf("it has come since, and is %+v", all)
	}
	checkInvariants(t, l.DB, "heard again")
}

package web

import (
	"testing"
	"time"

	"finrelay/flows"
	"finrelay/flows/cadence"
	"finrelay/state"
)

// A status names the flows that are late first, and counts them; those of
// another environment are left out.
func TestStatusTellsWhoIsLate(t *testing.T) {
	r := newRig(t)
	every, err := cadence.Parse("2h, Mon-Fri", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	relay, err := flows.New(r.db, flows.Config{
		Environments: map[string]flows.Environment{"prod": {}, "uat": {}},
		Flows:        []flows.Flow{{Name: "all", Cadence: every}},
	})
	if err != nil {
		t.Fatal(err)
	}
	local := Local((&API{DB: r.db, Relay: relay}).Handler())
	for _, environment := range []string{"prod", "uat"} {
		if err := r.db.Watch(t.Context(), "all", environment); err != nil {
			t.Fatal(err)
		}
	}
	c, err := r.db.Cadence(t.Context(), "all", "uat")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.db.Silent(t.Context(), state.Silence{Flow: "all", Environment: "uat", HeardAt: c.HeardAt, To: state.Late, Detail: "nothing ran"}); err != nil {
		t.Fatal(err)
	}
	for environment, want := range map[string]struct{ all, late int }{"": {2, 1}, "prod": {1, 0}, "uat": {1, 1}} {
		s, err := local.Status(t.Context(), environment)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Cadences) != want.all || s.Late != want.late {
			t.Errorf("%q: %+v, %d late; want %d, %d", environment, s.Cadences, s.Late, want.all, want.late)
			continue
		}
		if first := s.Cadences[0]; want.late > 0 && (first.State != state.Late || first.Detail != "nothing ran" || first.Every != "2h, Mon-Fri") || first.DueAt.Before(time.Now()) {
			t.Errorf("%q: first is %+v", environment, first)
		}
	}
	// One entity of a flow that is punctual makes it late, and is named.
	missing := state.Missing{Flow: "all", Environment: "prod", Entity: "Vendor groups", HeardAt: time.Now(), State: state.Late, Detail: "rows did not come"}
	if err := r.db.EntityMissing(t.Context(), missing); err != nil {
		t.Fatal(err)
	}
	s, err := local.Status(t.Context(), "prod")
	if err != nil || s.Late != 1 || len(s.Cadences) != 1 || len(s.Cadences[0].Missing) != 1 || s.Cadences[0].Missing[0].Entity != missing.Entity {
		t.Errorf("%+v, %d late, %v; want the missing entity named", s.Cadences, s.Late, err)
	}
}

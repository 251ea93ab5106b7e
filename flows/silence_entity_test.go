package flows

import (
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/flows/cadence"
	"finrelay/state"
)

// slot lets FinOps run its project and brings the events of some entities. Rows
// of those that are named are new.
func (w *rig) slot(changed, come string) {
	w.t.Helper()
	for _, entity := range strings.Split(changed, ",") {
		w.fo.Grow("Nightly", entity, 1)
	}
	run := w.fo.RunProject("Nightly", "usmf")
	for i, entity := range []string{"Customer groups", "Vendor groups"} {
		if strings.Contains(come, entity) {
			w.export(sim.ExportSpec{Entity: entity, LegalEntity: "usmf", Table: &run.Tables[i], ExecutionID: run.ID})
		}
	}
	w.settle()
	w.pass(2 * time.Hour)
}

// One entity of several does not come while the others do: it is named when
// FinOps exported rows of it, or ran nothing of it; not when it had no changes,
// nor when it never came at the flow's rhythm.
func TestOneEntityIsMissing(t *testing.T) {
	t.Parallel()
	const both, customers, vendors = "Customer groups,Vendor groups", "Customer groups", "Vendor groups"
	for _, c := range []struct {
		name        string
		vendorsCome int // in how many of the five slots before
		changed     string
		says        string // of the missing entity; "" when none is named
	}{
		{"its rows were exported", 5, both, "exported 1 rows of Vendor groups"},
		{"it had no changes", 5, customers, ""},
		{"it comes now and then", 3, both, ""},
		{"it never came", 0, both, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg, _ := w.expects()
			w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: customers, Rows: 1}, {Label: vendors, Rows: 1}}})
			cfg.Queues = nil
			w.run(cfg)
			watched := w.watch()
			w.pass(time.Minute)
			for slot := range 5 {
				come := both
				if slot >= c.vendorsCome {
					come = customers
				}
				w.slot(both, come)
			}
			look := func() {
				t.Helper()
				if _, err := w.relay.lookEntities(t.Context(), watched); err != nil {
					t.Fatal(err)
				}
			}
			look()
			if m := w.stands().Missing; len(m) != 0 {
				t.Fatalf("all came, and missing is %+v", m)
			}
			last := w.db.Now().Add(-2 * time.Hour).Truncate(time.Hour)
			w.slot(c.changed, customers)
			look()
			s := w.stands()
			if s.State != state.Punctual {
				t.Errorf("the flow is %s; want it punctual, as the other entity came", s.State)
			}
			if c.says == "" {
				if len(s.Missing) != 0 {
					t.Fatalf("missing is %+v; want none", s.Missing)
				}
				return
			}
			if len(s.Missing) != 1 || s.Missing[0].Entity != vendors || !strings.Contains(s.Missing[0].Detail, c.says) || s.Missing[0].HeardAt.Before(last) {
				t.Fatalf("missing is %+v; want %s since %v, %q", s.Missing, vendors, last, c.says)
			}
			next, err := w.relay.lookEntities(t.Context(), watched)
			if err != nil || next.Before(w.db.Now().Add(time.Minute)) {
				t.Errorf("it is looked at again at %v (now %v), %v", next, w.db.Now(), err)
			}
			w.slot(both, both)
			if m := w.stands().Missing; len(m) != 0 {
				t.Errorf("heard of again, it is %+v", m)
			}
		})
	}
}

// Nothing is said of single entities where FinOps cannot be asked, and what
// waits in the queue or on the list is not missing.
func TestEntityThatIsNotMissing(t *testing.T) {
	t.Parallel()
	const both, customers, vendors = "Customer groups,Vendor groups", "Customer groups", "Vendor groups"
	for name, arrange := range map[string]func(w *rig, cfg *Config){
		"no sign-in": func(w *rig, cfg *Config) { cfg.Environments["prod"] = loopback() },
		"the history does not answer": func(w *rig, _ *Config) {
			w.fo.Fault(sim.Fault{Route: sim.RouteHistory, Status: 403, Times: sim.Always})
		},
		"its link is dead": func(w *rig, _ *Config) {
			e, _ := w.fo.Export(sim.ExportSpec{Entity: vendors, LegalEntity: "usmf", Rows: 1, Link: sim.LinkOptions{Life: -time.Minute}})
			w.post(w.fo.Payload(e))
			w.until("expired", func() bool {
				all, err := w.db.Shipments(t.Context(), state.Filter{States: []state.State{state.Expired}})
				return err == nil && len(all) == 1
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newRig(t)
			cfg, _ := w.expects()
			w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: customers, Rows: 1}, {Label: vendors, Rows: 1}}})
			cfg.Queues = nil
			if name == "no sign-in" {
				arrange(w, &cfg)
			}
			w.run(cfg)
			watched := w.watch()
			for range 5 {
				w.slot(both, both)
			}
			if name != "no sign-in" {
				arrange(w, &cfg)
			}
			w.slot(both, customers)
			if _, err := w.relay.lookEntities(t.Context(), watched); err != nil {
				t.Fatal(err)
			}
			if m := w.stands().Missing; len(m) != 0 {
				t.Errorf("missing is %+v; want nothing said", m)
			}
		})
	}
}

// A weekly entity that stays away is named until 30 days after it last came,
// and then no more: that it was learned from weeks long past does not bring it
// back.
func TestEntityIsMissingForThirtyDays(t *testing.T) {
	t.Parallel()
	const both, customers, vendors = "Customer groups,Vendor groups", "Customer groups", "Vendor groups"
	w := newRig(t)
	cfg, _ := w.expects()
	weekly, err := cadence.Parse("1w", "", 30*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Flows[0].Cadence, cfg.Queues = weekly, nil
	cfg.RetainIdentities, cfg.RetainRaw = 400*24*time.Hour, 400*24*time.Hour
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: customers, Rows: 1}, {Label: vendors, Rows: 1}}})
	w.run(cfg)
	watched := w.watch()
	week := func(come string) {
		w.slot(both, come)
		w.pass(7*24*time.Hour - 2*time.Hour)
	}
	for range 5 {
		week(both)
	}
	for n := 1; n <= 6; n++ {
		week(customers)
		for range 2 {
			if _, err := w.relay.lookEntities(t.Context(), watched); err != nil {
				t.Fatal(err)
			}
			// Weeks since it came: n of silence, and the one that ended with it.
			if got, want := len(w.stands().Missing), n+1 <= 4; (got == 1) != want {
				t.Errorf("%d weeks after it last came, %d are missing; want it named: %t", n+1, got, want)
			}
			w.pass(16 * time.Minute)
		}
	}
	story, err := w.db.Journal(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, j := range story {
		if strings.HasSuffix(j.Subject, "/"+vendors) && j.To == state.Late && j.From != state.Late {
			told++
		}
	}
	if told != 1 {
		t.Errorf("it went missing %d times in the journal; want once", told)
	}
}

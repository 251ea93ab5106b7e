package flows

import (
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/flows/cadence"
	"finrelay/state"
)

// flowPerCompany is a flow for usmf and one for demf, both expected every two
// hours; the one for usmf has heard five slots of both entities.
func (w *rig) flowPerCompany() (usmf watch) {
	w.t.Helper()
	cfg, _ := w.expects()
	cfg.Queues, cfg.Projects = nil, nil
	cfg.Flows[0].LegalEntities = []string{"usmf"}
	every2h, err := cadence.Parse("2h", "", 30*time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Flows = append(cfg.Flows, Flow{Name: "de", LegalEntities: []string{"demf"}, Environments: []string{"prod"}, Outputs: []string{"files"}, Cadence: every2h})
	w.fo.AddProject(sim.Project{Name: "Nightly", Incremental: true, Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 1}, {Label: "Vendor groups", Rows: 1}}})
	w.run(cfg)
	for _, x := range w.relay.watched() {
		if err := w.db.Watch(w.t.Context(), x.flow.Name, x.environment); err != nil {
			w.t.Fatal(err)
		}
		if x.flow.Name == "all" {
			usmf = x
		}
	}
	w.pass(time.Minute)
	for range 5 {
		w.slot("Customer groups,Vendor groups", "Customer groups,Vendor groups")
	}
	return usmf
}

// ofCompany runs the project for a company and brings the events of so many of
// its entities. A company's first run exports all rows.
func (w *rig) ofCompany(company string, events int) {
	w.t.Helper()
	run := w.fo.RunProject("Nightly", company)
	for i, entity := range []string{"Customer groups", "Vendor groups"}[:events] {
		w.export(sim.ExportSpec{Entity: entity, LegalEntity: company, Table: &run.Tables[i], ExecutionID: run.ID})
	}
	w.settle()
}

// FinOps' history names no company: what it exported of another one is no
// reason to call a company's flow late, nor an entity of it missing.
func TestCompaniesAreToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		happens func(w *rig)
		flow    state.State
		missing int
	}{
		{"the other's rows landed, ours had none", func(w *rig) {
			w.ofCompany("demf", 2)
			w.slot("Customer groups", "Customer groups")
		}, state.Punctual, 0},
		{"the other's rows never came, ours had none", func(w *rig) {
			w.ofCompany("demf", 0)
			w.slot("Customer groups", "Customer groups")
		}, state.Punctual, 0},
		{"ours did not come", func(w *rig) {
			w.ofCompany("demf", 2)
			w.slot("Customer groups,Vendor groups", "Customer groups")
		}, state.Punctual, 1},
		{"the flow had no rows, the other's landed", func(w *rig) {
			w.ofCompany("demf", 2)
			w.fo.RunProject("Nightly", "usmf")
			w.pass(time.Hour)
		}, state.Quiet, 0},
		{"the flow's run did not come", func(w *rig) {
			w.ofCompany("demf", 2)
			w.fo.Grow("Nightly", "Customer groups", 1)
			w.ofCompany("usmf", 0)
			w.pass(time.Hour)
		}, state.Late, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newRig(t)
			usmf := w.flowPerCompany()
			c.happens(w)
			var err error
			if c.flow == state.Punctual {
				_, err = w.relay.lookEntities(t.Context(), usmf)
			} else {
				err = w.relay.look(t.Context(), usmf)
			}
			if err != nil {
				t.Fatal(err)
			}
			all, err := w.relay.Cadences(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if s.Flow == "all" && (s.State != c.flow || len(s.Missing) != c.missing) {
					t.Errorf("it is %s (%s), missing %+v; want %s and %d", s.State, s.Detail, s.Missing, c.flow, c.missing)
				}
			}
		})
	}
}

package flows

import (
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

const (
	jobA = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	jobB = "3f2504e0-4f89-41d3-9a0c-0305e82c3302"
)

// Criteria on where an export came from.
func TestOriginMatch(t *testing.T) {
	queued := Subject{Source: byQueue, Queue: jobB, Polled: "b", Project: "Vendors daily"}
	left := Subject{Source: byQueue, Queue: jobB} // polled by no flow any more
	event := Subject{Source: byEvent}
	for _, c := range []struct {
		name    string
		flow    Flow
		subject Subject
		want    bool
		why     string
	}{
		{"queue by id", Flow{Queues: []string{jobA, jobB}}, queued, true, "fits"},
		{"queue by id, polled no more", Flow{Queues: []string{jobB}}, left, true, "fits"},
		{"queue by the flow's name", Flow{Queues: []string{"b"}}, queued, true, "fits"},
		{"another queue", Flow{Queues: []string{jobA, "a"}}, queued, false, "the queue of flow b is not in " + jobA + ", a"},
		{"another queue, polled no more", Flow{Queues: []string{"a"}}, left, false, "queue " + jobB + " is not in a"},
		{"an event is of no queue", Flow{Queues: []string{jobA, "", "b"}}, event, false, "no queue is not in"},
		{"project", Flow{Projects: []string{"vendors *"}}, queued, true, "fits"},
		{"another project", Flow{Projects: []string{"Customers*"}}, queued, false, `data project "Vendors daily" is not in Customers*`},
		{"a project that is not known", Flow{Projects: []string{"V*"}}, event, false, `data project "" is not in V*`},
		{"source", Flow{Sources: []string{"package", "queue"}}, queued, true, "fits"},
		{"another source", Flow{Sources: []string{"queue", "package"}}, event, false, `source "event" is not in queue, package`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := compiled(t, c.flow).match(t.Context(), c.subject)
			if err != nil || m.Takes != c.want || !strings.Contains(m.Why, c.why) {
				t.Errorf("takes %t because %q, %v; want %t because %q", m.Takes, m.Why, err, c.want, c.why)
			}
		})
	}
}

// Whose queue or data project brought an export is asked before the others, if
// it is clear whose that is.
func TestWhatCameForAFlowIsAskedFirst(t *testing.T) {
	projects := []Project{
		{Flow: "nightly", Environment: "prod", Name: "Nightly"},
		{Flow: "us", Environment: "prod", Name: "Weekly", LegalEntities: []string{"usmf"}},
		{Flow: "de", Environment: "prod", Name: "Weekly", LegalEntities: []string{"demf"}},
		{Flow: "own choice", Environment: "prod", Name: "Weekly"},
		{Flow: "uat", Environment: "uat", Name: "Weekly"},
		{Flow: "one", Environment: "prod", Name: "Twice"},
		{Flow: "two", Environment: "prod", Name: "Twice"},
	}
	for _, c := range []struct {
		name    string
		subject Subject
		want    string
	}{
		{"its queue", Subject{Source: byQueue, Polled: "us"}, "us"},
		{"its queue, though the project is another's", Subject{Source: byQueue, Polled: "us", Project: "Nightly"}, "us"},
		{"a queue that nobody polls any more", Subject{Source: byQueue, Queue: jobA, Project: "Nightly"}, "list"},
		{"its data project", Subject{Source: byPackage, Project: "NIGHTLY"}, "nightly"},
		{"its data project, told by an event", Subject{Source: byEvent, Project: "nightly"}, "nightly"},
		{"a company that it did not ask for", Subject{Source: byPackage, Project: "Nightly", LegalEntity: "frrt"}, "nightly"},
		{"one of three, by the company", Subject{Source: byPackage, Project: "Weekly", LegalEntity: "DEMF"}, "de"},
		{"one of three, by there being none", Subject{Source: byPackage, Project: "Weekly"}, "own choice"},
		{"one of three, and nobody asked for that company", Subject{Source: byPackage, Project: "Weekly", LegalEntity: "frrt"}, "list"},
		{"one of two, and nothing tells which", Subject{Source: byPackage, Project: "Twice", LegalEntity: "usmf"}, "list"},
		{"another environment's", Subject{Source: byPackage, Environment: "uat", Project: "Nightly"}, "list"},
		{"nothing tells the project", Subject{Source: byEvent}, "list"},
	} {
		for _, all := range []bool{false, true} {
			cfg := Config{Flows: []Flow{{Name: "list"}}, Projects: projects, MatchAll: all}
			for _, p := range projects {
				cfg.Flows = append(cfg.Flows, Flow{Name: p.Flow})
			}
			if c.subject.Environment == "" {
				c.subject.Environment = "prod"
			}
			r, err := New(nil, cfg)
			if err != nil {
				t.Fatal(err)
			}
			taken, err := r.route(t.Context(), c.subject)
			if err != nil || taken[0].Name != c.want {
				t.Errorf("%s, all %t: %s takes it first (%v), want %s", c.name, all, taken[0].Name, err, c.want)
			}
			want := 1
			if all {
				want = len(cfg.Flows)
			}
			if len(taken) != want {
				t.Errorf("%s, all %t: %d flows take it, want %d", c.name, all, len(taken), want)
			}
		}
	}
}

// outputFor adds an output of its own for a flow.
func (w *rig) outputFor(cfg *Config, f Flow) {
	w.t.Helper()
	out, err := outputs.NewFiles(outputs.FilesOptions{Name: f.Name, Folder: w.out, Template: f.Name + "/{legal_entity}/{export_id}.jsonl"})
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Outputs[f.Name] = out
	f.Outputs = []string{f.Name}
	cfg.Flows = append(cfg.Flows, f)
}

// twoJobs is a rig with two recurring jobs of one entity, which two flows poll.
func (w *rig) twoJobs(a, b Flow) (Config, []Queue) {
	w.t.Helper()
	cfg, q := w.polls(BacklogLand)
	w.fo.AddActivity(jobB, sim.ActivityOptions{})
	a.Name, b.Name, cfg.Flows = "a", "b", nil
	w.outputFor(&cfg, a)
	w.outputFor(&cfg, b)
	other := q
	q.Flow, q.Activity = "a", jobA
	other.Flow, other.Activity = "b", jobB
	cfg.Queues = []Queue{q, other}
	return cfg, cfg.Queues
}

// landedBy drains both queues, of which each holds a message, and gives the
// exports that the second brought, and where they are.
func (w *rig) landedBy(queues []Queue, data []byte) (state.Export, string) {
	w.t.Helper()
	w.fo.Enqueue(string(queues[0].Activity), data, sim.MessageOptions{})
	m := w.fo.Enqueue(string(queues[1].Activity), data, sim.MessageOptions{})
	for _, q := range queues {
		w.poll(q)
	}
	w.settle()
	e := w.only(w.shipmentOf(m))
	var all []string
	for _, path := range w.where(e).Paths {
		all = append(all, strings.TrimPrefix(strings.TrimSuffix(path, e.ID+".jsonl"), w.out+"/"))
	}
	return e, strings.Join(all, " ")
}

// Two recurring jobs of one entity with different filters land in two outputs,
// also one for each company, though neither message nor package names one.
func TestTwoJobsOfOneEntity(t *testing.T) {
	vendors := Flow{Entities: []string{"Customer groups"}}
	company := func(c ...string) Flow { return Flow{LegalEntities: c} }
	for _, c := range []struct {
		name string
		a, b Flow
		all  bool
		want string // where the second job's export is
	}{
		{"of the same criteria", vendors, vendors, false, "b/_/"},
		{"of the same criteria, match: all", vendors, vendors, true, "b/_/ a/_/"},
		{"match: all, kept apart", Flow{Queues: []string{"a"}}, Flow{Queues: []string{jobB}}, true, "b/_/"},
		{"one for each company", company("usmf"), company("demf"), false, "b/demf/"},
		{"one for each company, match: all", company("usmf"), company("demf"), true, "b/demf/"},
		{"the other takes all companies", Flow{}, company("demf"), true, "b/demf/ a/demf/"},
		{"its own flow does not take it", Flow{}, Flow{Entities: []string{"Vendor*"}}, false, "a/_/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRig(t)
			cfg, queues := w.twoJobs(c.a, c.b)
			cfg.MatchAll = c.all
			w.run(cfg)
			data, _ := w.queued(0)
			e, at := w.landedBy(queues, data)
			w.wantExport(e, state.Landed, "", LandedHere)
			if at != c.want {
				t.Errorf("landed in %s, want %s", at, c.want)
			}
		})
	}
}

// A message names no company, so that of several none is met: it says so. With
// one left it is given that, also when it runs again.
func TestSeveralCompaniesTakeNothingOfAQueue(t *testing.T) {
	w := newRig(t)
	cfg, queues := w.twoJobs(Flow{LegalEntities: []string{"usmf"}}, Flow{LegalEntities: []string{"demf", "frrt"}})
	w.run(cfg)
	data, _ := w.queued(0)
	e, _ := w.landedBy(queues, data)
	w.wantExport(e, state.Parked, state.ReasonNoFlow, SafeHere)
	for _, says := range []string{"not even flow b, though its queue brought it", "names no company", "exactly one in legal_entities"} {
		if !strings.Contains(e.Detail, says) {
			t.Errorf("%q does not say %q", e.Detail, says)
		}
	}
	again := func() Rerun {
		t.Helper()
		all, err := w.relay.RerunIDs(t.Context(), []string{e.ID}, false, "eve")
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		return all[0]
	}
	if one := again(); one.Queued || !strings.Contains(one.Refusal, "not even flow b") {
		t.Errorf("rerun with the same configuration: %+v", one)
	}
	cfg.Flows[1].LegalEntities = []string{"demf"}
	w.run(cfg)
	if one := again(); !one.Queued {
		t.Fatalf("rerun: %+v", one)
	}
	w.settle()
	if e = w.only(e.ShipmentID); e.LegalEntity != "demf" || e.Flow != "b" || e.State != state.Landed {
		t.Errorf("%s for flow %s, company %q; want landed for b, demf\n%s", e.State, e.Flow, e.LegalEntity, w.picture())
	}
	// What has landed keeps its name: under another it would be a second file.
	cfg.Flows[1].LegalEntities = []string{"frrt"}
	w.run(cfg)
	if one := again(); !one.Queued {
		t.Fatalf("rerun of what has landed: %+v", one)
	}
	w.settle()
	if e = w.only(e.ShipmentID); e.LegalEntity != "demf" || len(w.tree()) != 4 { // with a's, data and manifest each
		t.Errorf("company %q, files %v", e.LegalEntity, w.tree())
	}
}

// A bare file bears the name of the flow's one entity, also when that is given
// after it was parked.
func TestBareFileIsNamedAnew(t *testing.T) {
	w := newRig(t)
	cfg, queues := w.twoJobs(Flow{}, Flow{Entities: []string{"Customer*", "Vendor*"}})
	cfg.Flows[0].Entities = []string{"Units"}
	w.run(cfg)
	bare := w.fo.Render(sim.CSVUTF8, w.fo.SampleEntity("Customer groups", 3))
	e, _ := w.landedBy(queues, bare)
	if e.Entity != "b" || e.Reason != state.ReasonNoFlow {
		t.Fatalf("a bare file is %q %s; want one called b, no flow", e.Entity, e.Reason)
	}
	cfg.Flows[1].Entities = []string{"Customer groups"}
	w.run(cfg)
	if all, err := w.relay.RerunIDs(t.Context(), []string{e.ID}, false, "eve"); err != nil || !all[0].Queued {
		t.Fatalf("%+v, %v", all, err)
	}
	w.settle()
	if e = w.only(e.ShipmentID); e.Entity != "Customer groups" || e.State != state.Landed || e.Flow != "b" {
		t.Errorf("%q is %s for flow %s (%s)", e.Entity, e.State, e.Flow, e.Detail)
	}
}

// A run that a flow asked for goes to that flow, and has its company where
// FinOps chose it; the run's event goes the same way.
func TestOwnRunsGoToTheirFlow(t *testing.T) {
	w := newRig(t)
	cfg := w.runs(sim.ExecutionScript{})
	w.outputFor(&cfg, Flow{Name: "nightly", LegalEntities: []string{"usmf"}})
	cfg.Projects = []Project{{Flow: "nightly", Environment: "prod", Name: "Nightly"}}
	w.run(cfg)
	for _, c := range []struct{ asked, flow, company string }{{"", "nightly", "usmf"}, {"usmf", "nightly", "usmf"}, {"demf", "all", "demf"}} {
		x := w.untilExecution(w.ask(c.asked)[0], state.Done)
		w.untilPassing("landed", func() bool { return w.shipment(x.ShipmentID).State == state.Settled })
		for _, e := range w.exports(x.ShipmentID) {
			w.wantExport(e, state.Landed, "", LandedHere)
			if e.Flow != c.flow || e.LegalEntity != c.company {
				t.Errorf("run for %q: flow %s, company %q; want %s, %s", c.asked, e.Flow, e.LegalEntity, c.flow, c.company)
			}
		}
	}
	spec := sim.ExportSpec{Entity: "Units", Rows: 2, LegalEntity: "usmf", DefinitionGroup: "Nightly"}
	event, _ := w.fo.Export(spec)
	in := w.relay.Inspect(t.Context(), "prod", w.fo.Payload(event))[0]
	if strings.Join(in.TakenBy, " ") != "nightly" || !strings.Contains(in.Flows[0].Why, "asked first, because it is of its data project Nightly") {
		t.Errorf("inspect: taken by %v: %+v", in.TakenBy, in.Flows)
	}
	receipt := w.post(w.fo.Payload(event))[0]
	w.settle()
	if e := w.only(receipt.ShipmentID); e.Flow != "nightly" {
		t.Errorf("flow %s took the event, inspect said nightly", e.Flow)
	}
}

// A dead link's rows are looked for in the queues that may bring them: as what
// the queue would bring, not as the event that told of them.
func TestQueuesThatMayHoldTheRows(t *testing.T) {
	cfg := Config{Flows: []Flow{
		{Name: "queued", Sources: []string{byQueue}},
		{Name: "evented", Sources: []string{byEvent}},
		{Name: "other", Queues: []string{"queued"}},
		{Name: "named", Queues: []string{"named"}, Projects: []string{"Daily*"}},
	}}
	for _, f := range cfg.Flows {
		cfg.Queues = append(cfg.Queues, Queue{Flow: f.Name, Environment: "prod"})
	}
	r, err := New(nil, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for project, want := range map[string]string{"": "queued named", "Daily customers": "queued named", "Nightly": "queued"} {
		var got []string
		for _, q := range r.queuesFor(state.Shipment{Environment: "prod", Source: byEvent, DefinitionGroup: project, Entity: "Units", LegalEntity: "usmf"}) {
			got = append(got, q.Flow)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("project %q: queues of %v, want %s", project, got, want)
		}
	}
}

// What a flow's cadence is about follows its criteria on where exports come from.
func TestCadenceIsOfTheFlowsOrigin(t *testing.T) {
	cfg := Config{
		Flows: []Flow{{Name: "polls"}, {Name: "named", Queues: []string{"polls"}}, {Name: "by id", Queues: []string{jobB}}, {Name: "any"}},
		Queues: []Queue{
			{Flow: "polls", Environment: "prod", Activity: jobA}, {Flow: "elsewhere", Environment: "uat", Activity: jobB},
		},
	}
	r, err := New(nil, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for flow, want := range map[string]string{"polls": "prod", "named": "prod", "by id": "uat", "any": ""} {
		if got := strings.Join(r.expectedFrom(r.flows[flow]), " "); got != want {
			t.Errorf("flow %s is expected from %q, want %q", flow, got, want)
		}
	}
	c := claims{flow: &Flow{Projects: []string{"Daily*"}}, takes: func(pastEntity) bool { return true }}
	for project, want := range map[string]claim{"daily customers": isOurs, "Nightly": notOurs} {
		if got := c.of(pastRun{project: project}, pastEntity{label: "Units"}); got != want {
			t.Errorf("a run of %s: %v, want %v", project, got, want)
		}
	}
}

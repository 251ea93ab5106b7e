package config

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// ownWay is a way of its own by which exports come to a flow: the queue that it
// polls, or the runs of its data project.
type ownWay struct {
	way         string // see ways
	name        string // for people
	environment string
	project     string   // "" when it is not known
	companies   []string // of the runs; none: FinOps names none with what it sends
}

// ownWays lists them. A data project beside a queue only says where the rows
// come from, unless something runs it.
func (c *Config) ownWays(i int) []ownWay {
	f := &c.Flows[i]
	q, p := f.Queue, f.Project
	var own []ownWay
	if q.Activity != "" {
		w := ownWay{way: "queue", name: "queue", environment: q.Environment}
		if p.Environment == q.Environment {
			w.project = p.Name
		}
		own = append(own, w)
	}
	if runs := p.Schedule != "" || p.RunWhenLost || q.Activity == ""; p.Name != "" && runs && !c.sharesProject(i) {
		own = append(own, ownWay{way: "package", name: "data project", environment: p.Environment, project: p.Name, companies: p.LegalEntities})
	}
	return own
}

// sharesProject reports whether another flow names the same data project for a
// company in common: whose run it is cannot be told then, and the order of the
// list decides.
func (c *Config) sharesProject(i int) bool {
	p := &c.Flows[i].Project
	for j := range c.Flows {
		o := &c.Flows[j].Project
		if i == j || o.Environment != p.Environment || !strings.EqualFold(o.Name, p.Name) {
			continue
		}
		common := slices.ContainsFunc(o.LegalEntities, func(company string) bool {
			return slices.ContainsFunc(p.LegalEntities, func(own string) bool { return strings.EqualFold(own, company) })
		})
		if common || len(o.LegalEntities)+len(p.LegalEntities) == 0 {
			return true
		}
	}
	return false
}

// criterion is one that stands in the way of a flow's own exports.
type criterion struct{ field, why, hint string }

// unmet lists the criteria of a flow that nothing of an own way can meet.
func unmet(f *Flow, own ownWay) []criterion {
	var all []criterion
	add := func(field, why, hint string) { all = append(all, criterion{field, why, hint}) }
	if len(f.Environments) > 0 && !slices.Contains(f.Environments, own.environment) {
		add("environments", "the "+own.name+" is in "+own.environment, "add "+own.environment)
	}
	if !f.Source.allows(own.way) {
		add("source", "it brings exports of source "+own.way, "add "+own.way)
	}
	switch named := slices.Contains(f.QueueIDs(), f.Name) || slices.Contains(f.QueueIDs(), bare(f.Queue.Activity)); {
	case len(f.Queues) == 0:
	case own.way != "queue":
		add("queues", "its packages come from no queue", "leave the line out")
	case !named:
		add("queues", "it is not among them", "add "+f.Name+", or leave the line out: what the flow polls is offered to it first")
	}
	if own.project != "" && !fitsAny(f.Projects, own.project) {
		add("projects", "the data project is "+own.project, "add it, or leave the line out")
	}
	if !slices.ContainsFunc(own.exported(f), func(company string) bool { return fitsAny(f.LegalEntities, company) }) {
		why, hint := "FinOps names no company with what comes from there", "name exactly one company, without wildcards, and it is given to what comes from there; or leave the line out"
		if len(own.companies) > 0 {
			why, hint = "it is run for "+strings.Join(own.companies, ", "), "name a company that it is run for"
		}
		add("legal_entities", why, hint)
	}
	if !trueWithoutEvent(f.When) {
		add("when", "what comes from there has no event, and the condition is not true of null", "leave it out, or let it pass what has no event: . == null or (CONDITION)")
	}
	return all
}

// exported gives the companies that exports of an own way are of, "" for none.
func (w ownWay) exported(f *Flow) []string {
	switch {
	case len(w.companies) > 0:
		return w.companies
	case len(f.LegalEntities) == 1 && !strings.ContainsAny(f.LegalEntities[0], "*?"):
		return f.LegalEntities // it is given
	}
	return []string{""}
}

// unmet warns about criteria that keep a flow from its own exports.
func (l *linter) unmet() {
	for i := range l.c.Flows {
		f, field := &l.c.Flows[i], "flows["+itoa(i)+"]."
		for _, own := range l.c.ownWays(i) {
			for _, c := range unmet(f, own) {
				l.warn(field+c.field, "nothing of the flow's own "+own.name+" can meet this: "+c.why+". It goes to another flow that takes it, or is parked", c.hint)
			}
		}
		if f.Queue.Activity != "" {
			l.bareFiles(field, f)
		}
		for n, q := range f.QueueIDs() {
			polled := func(o Flow) bool { return o.Queue.Activity != "" && (o.Name == q || bare(o.Queue.Activity) == q) }
			if !slices.ContainsFunc(l.c.Flows, polled) {
				l.warn(field+"queues["+itoa(n)+"]", "no flow polls this queue", "poll it for a flow, or remove it")
			}
		}
	}
}

// bareFiles warns about criteria that only a package can meet: a queue's file
// that is none names neither entity nor data project.
func (l *linter) bareFiles(field string, f *Flow) {
	const packages = "packages are not concerned, their manifest names it"
	called := f.Name
	if len(f.Entities) == 1 && !strings.ContainsAny(f.Entities[0], "*?") {
		called = f.Entities[0]
	}
	at := "entities"
	if len(f.Entities) == 0 {
		at = "target_entities"
	}
	if len(f.Entities)+len(f.TargetEntities) > 0 && (len(f.Entities) == 0 || !fitsAny(f.Entities, called)) {
		l.warn(field+at, "a file from the flow's own queue that is no package names no entity, so it is called "+called+", as the flow is, which does not fit. It goes to another flow that takes it, or is parked",
			packages+"; for bare files name the one entity that they hold in entities, in full, or leave the criterion out")
	}
	if !fitsAny(f.Projects, "") {
		l.warn(field+"projects", "a file from the flow's own queue that is no package names no data project. It goes to another flow that takes it, or is parked",
			packages+"; for bare files leave the line out: what the flow polls is offered to it first")
	}
}

// fitsAny is how flows match: an empty list takes all, * and ? are wildcards,
// letter case does not matter.
func fitsAny(globs []string, text string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
		pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(glob))
		ok, err := regexp.MatchString("(?is)^"+pattern+"$", text)
		return err == nil && ok
	})
}

// conditionTime bounds a condition, as flows do.
const conditionTime = 2 * time.Second

// trueWithoutEvent evaluates a condition on null, which is what it gets of an
// export that no event announced.
func trueWithoutEvent(condition string) bool {
	query, err := gojq.Parse(condition)
	if condition == "" || err != nil {
		return true // Validate has refused what is no program
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), conditionTime)
	defer cancel()
	v, ok := code.RunWithContext(ctx, nil).Next()
	_, failed := v.(error)
	return ok && !failed && v != nil && v != false
}

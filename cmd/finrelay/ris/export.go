package ris

import (
	"slices"
	"strings"
)

// export turns a job that has FinOps run a data project into a flow that does,
// or says why not. Jobs that run one project for several companies become one
// flow: FinOps cannot run a project twice at a time, and a project has one
// schedule here.
//
// Source: microsoft/Recurring-Integrations-Scheduler, Job.Export/Export.cs: one
// run for one company, each under an execution id of its own, which names the
// package too.
func (c *converter) export(j job) {
	project, company := clean(j.get(keyDataProject)), clean(j.get(keyCompany))
	switch {
	case j.flag(keyPaused):
		c.note("job %s is paused for good and was left out: data project %q, company %q", j.title(), project, company)
		return
	case project == "":
		c.note("job %s was left out: it names no data project", j.title())
		return
	case company == "":
		c.note("job %s was left out: it names no company: finrelay export %q runs the project when asked", j.title(), project)
		return
	}
	e := c.environment(j)
	if e == nil {
		return
	}
	same := e.url + " " + strings.ToLower(project)
	if other := c.projects[same]; other != nil {
		c.join(j, company, other)
		return
	}
	f := &flow{name: c.name("flow", j.Name, j.Group+" "+j.Name), title: j.title(), description: j.Description, environment: e, project: project, companies: []string{company}}
	c.projects[same] = f
	e.flows++
	c.schedule(j, f)
	f.output = c.output(j, f.name)
	c.flows = append(c.flows, f)
	c.odd(j)
}

// join lets the flow that runs a job's data project already run it for the
// job's company too.
func (c *converter) join(j job, company string, other *flow) {
	if slices.ContainsFunc(other.companies, func(known string) bool { return strings.EqualFold(known, company) }) {
		c.note("job %s was left out: it runs the same data project for the same company as job %s, and flow %s does that", j.title(), other.title, other.name)
		return
	}
	other.companies = append(other.companies, company)
	c.note("job %s runs the data project of job %s for company %q: flow %s runs it for both, one after the other, by the schedule and into the folder of job %s; it was %s, %s",
		j.title(), other.title, company, other.name, other.title, dashed(c.words(j)), dashed(j.get(keyFolder)))
	c.odd(j)
}

// words are a job's triggers for people.
func (c *converter) words(j job) string {
	var all []string
	for _, t := range c.timings[key(j.Name, j.Group)] {
		all = append(all, t.words())
	}
	return strings.Join(all, " and ")
}

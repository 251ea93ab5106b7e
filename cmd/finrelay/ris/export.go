package ris

import (
	"slices"
	"strings"
)

// export turns a job that has FinOps run a data project into a flow that does,
// or says why not. Of jobs that run one project for several companies the first
// becomes the flow that runs it for all: FinOps cannot run a project twice at a
// time, and a project has one schedule here. The others become flows that take
// their company's exports into their own folder.
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
	f := &flow{name: c.name("flow", j.Name, j.Group+" "+j.Name), title: j.title(), description: j.Description, environment: e, project: project, companies: []string{company}, takes: []string{company}}
	c.projects[same] = f
	c.schedule(j, f)
	f.output = c.output(j, f.name)
	c.flows = append(c.flows, f)
	c.odd(j)
}

// join lets the flow that runs a job's data project already run it for the
// job's company too. Where the job had another folder, a flow of its own takes
// that company's exports there.
func (c *converter) join(j job, company string, runs *flow) {
	if slices.ContainsFunc(runs.companies, func(known string) bool { return strings.EqualFold(known, company) }) {
		c.note("job %s was left out: it runs the same data project for the same company as job %s, and flow %s does that", j.title(), runs.title, runs.name)
		return
	}
	runs.companies = append(runs.companies, company)
	c.note("job %s runs the data project of job %s for company %q: flow %s runs it for both, one after the other, by the schedule of job %s; it was %s",
		j.title(), runs.title, company, runs.name, runs.title, dashed(c.words(j)))
	c.odd(j)
	out := c.output(j, j.Name)
	for _, f := range append([]*flow{runs}, c.flows...) {
		if (f == runs || f.ranBy == runs) && f.output == out {
			f.takes = append(f.takes, company)
			return
		}
	}
	c.flows = append(c.flows, &flow{
		name: c.name("flow", j.Name, j.Group+" "+j.Name), title: j.title(), description: j.Description,
		environment: runs.environment, project: runs.project, takes: []string{company}, ranBy: runs, output: out,
	})
}

// words are a job's triggers for people.
func (c *converter) words(j job) string {
	var all []string
	for _, t := range c.timings[key(j.Name, j.Group)] {
		all = append(all, t.words())
	}
	return strings.Join(all, " and ")
}

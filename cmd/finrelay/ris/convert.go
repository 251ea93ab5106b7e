package ris

import (
	"fmt"
	"io"
	"strings"

	"finrelay/dmf"
)

// Result is a schedule turned into a configuration.
type Result struct {
	// YAML is a finrelay.yaml with comments, the notes among them. It names
	// secrets as variables, ${FINOPS_SECRET_ENVIRONMENT}, and holds none.
	YAML []byte
	// Variables are the names of those.
	Variables []string
	// Notes say what needs a person, a sentence or two each.
	Notes []string
	// Flows counts the flows that download and export jobs became.
	Flows int
}

// Convert reads a Schedule.xml. source is the file's name, for the comments.
// The error says why it is not one; what is odd within a schedule is a note.
func Convert(r io.Reader, source string) (Result, error) {
	s, err := read(r)
	if err != nil {
		return Result{}, err
	}
	c := &converter{seen: map[string]bool{}, activities: map[string]string{}, projects: map[string]*flow{}, timings: map[string][]*timing{}, taken: map[string]bool{}}
	for _, part := range s.Schedules {
		for _, t := range part.Triggers {
			if one := t.timing(); one != nil {
				k := key(one.JobName, one.JobGroup)
				c.timings[k] = append(c.timings[k], one)
			}
		}
	}
	for _, part := range s.Schedules {
		for _, j := range part.Jobs {
			c.job(j)
		}
	}
	c.general()
	res := Result{Notes: c.notes, Flows: len(c.flows)}
	for _, e := range c.environments {
		res.Variables = append(res.Variables, e.variable)
	}
	res.YAML = c.write(source)
	return res, nil
}

type converter struct {
	environments []*environment
	flows        []*flow
	outputs      []*output
	notes        []string

	seen       map[string]bool      // jobs, by key
	activities map[string]string    // title of the job that polls it, by environment and activity
	projects   map[string]*flow     // the flow that runs it, by environment and data project
	timings    map[string][]*timing // by the job's key
	taken      map[string]bool      // names given, folded, each behind its kind
}

// flow polls a queue, or runs a data project, or takes what one brings that
// another flow runs.
type flow struct {
	name, title, description string
	environment              *environment
	activity                 string   // of the queue
	project                  string   // data project that is run; "" for a queue
	companies                []string // that it is run for
	schedule, zone           string   // schedule "": only when a person asks
	was                      string   // the trigger as the scheduler has it
	output                   *output
	// Of a data project that another flow runs too, for other companies: the
	// companies whose exports go to this one. ranBy is that flow, nil for the
	// one that runs it.
	takes []string
	ranBy *flow
}

type output struct{ name, was string }

func (c *converter) note(format string, args ...any) {
	c.notes = append(c.notes, clean(fmt.Sprintf(format, args...)))
}

func (c *converter) job(j job) {
	if k := key(j.Name, j.Group); c.seen[k] {
		c.note("job %s stands in the file twice: only its first form was looked at", j.title())
		return
	} else {
		c.seen[k] = true
	}
	switch j.kind() {
	case downloadJobType:
		c.download(j)
	case exportJobType:
		c.export(j)
	default:
		c.note("job %s (%s) is not for finrelay, which only brings data out of FinOps: leave it where it is", j.title(), afterLastDot(j.kind()))
	}
}

// download turns a job into a flow, or says why not.
func (c *converter) download(j job) {
	if j.flag(keyPaused) {
		c.note("job %s is paused for good and was left out: activity %s, folder %s", j.title(), j.get(keyActivity), j.get(keyFolder))
		return
	}
	activity, err := dmf.ParseActivityID(j.get(keyActivity))
	if err != nil {
		c.note("job %s was left out: its activity id is none: take the ID from FinOps, Data management > Manage scheduled data jobs", j.title())
		return
	}
	e := c.environment(j)
	if e == nil {
		return
	}
	same := e.url + " " + string(activity)
	if other := c.activities[same]; other != "" {
		c.note("job %s was left out: it empties the same queue as job %s, and one flow does that", j.title(), other)
		return
	}
	c.activities[same] = j.title()
	f := &flow{name: c.name("flow", j.Name, j.Group+" "+j.Name), title: j.title(), description: j.Description, activity: string(activity), environment: e}
	c.schedule(j, f)
	f.output = c.output(j, f.name)
	c.flows = append(c.flows, f)
	c.odd(j)
}

// odd notes settings that mean something else here, or nothing that is known.
func (c *converter) odd(j job) {
	if unknown := j.unknown(); len(unknown) > 0 {
		c.note("job %s has settings that are not known here: %s", j.title(), strings.Join(unknown, ", "))
	}
	if j.get(keyUnzip) != "" && !j.flag(keyUnzip) {
		c.note("job %s keeps data packages as they are (UnzipPackage is false): finrelay unpacks them and lands rows; the package itself stays in the state folder for retention.raw_files", j.title())
	}
}

func (c *converter) output(j job, name string) *output {
	was := j.get(keyFolder)
	for _, o := range c.outputs {
		if was != "" && strings.EqualFold(trimFolder(o.was), trimFolder(was)) {
			return o
		}
	}
	last := trimFolder(was)
	if i := strings.LastIndexAny(last, `\/:`); i >= 0 {
		last = last[i+1:]
	}
	o := &output{name: c.name("output", firstOf(last, name), name), was: was}
	c.outputs = append(c.outputs, o)
	return o
}

func trimFolder(s string) string { return strings.TrimRight(s, `\/`) }

// general is what holds for every import.
func (c *converter) general() {
	if len(c.flows) == 0 {
		return
	}
	if len(c.activities) > 0 {
		c.note("stop the scheduler's download jobs before the first poll: two programs on one queue take each other's messages. To compare side by side, give finrelay a copied recurring data job of its own")
		c.note("what waits in the queues at the first poll is asked about: set backlog to land or park in each queue, or finrelay poll FLOW --backlog land once")
	}
	if len(c.projects) > 0 {
		c.note("stop the scheduler's export jobs before finrelay serve: FinOps cannot run one data project twice at a time, and of an incremental project each program would get a part of the rows. To compare side by side, give finrelay a copied data project")
		c.note("the scheduler takes what a partly succeeded run gives; finrelay parks it unless the flow says refresh: full or project.on_partial: land")
	}
	c.note("folders were Windows paths and became folders below ./out: set them; finrelay lands rows as JSON there, not the scheduler's zip files")
	c.note("say refresh: full for each flow whose data project exports all rows each time; incremental is assumed")
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func dashed(s string) string { return firstOf(s, "(none)") }

func afterLastDot(s string) string { return firstOf(s[strings.LastIndexByte(s, '.')+1:], "no type") }

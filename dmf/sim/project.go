package sim

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Project is an export data project: entities whose tables grow, see Grow.
type Project struct {
	Name     string
	Entities []ProjectEntity
	// Incremental projects export the rows that came since their last run that
	// made a file, fetched or not; others export all rows each time.
	Incremental   bool
	LegalEntities []string // companies there are, in any case; nil = any
	Format        Format   // of the data files; "" = CSVUTF16LE, FinOps' default
	// Script is what an execution does that ScriptNext has no script for.
	Script ExecutionScript
}

// ProjectEntity is one entity of a project.
type ProjectEntity struct {
	Label  string
	Rows   int  // the table's rows to begin with, in each company
	Shared bool // one table for all companies
}

// project is a Project with its data.
type project struct {
	Project
	scripts []ExecutionScript // of the next executions
	rows    map[string]int    // by label
	marks   map[mark]int      // rows already exported
	data    map[mark]*grower
}

// mark is what a table and its change-tracking marker belong to.
type mark struct{ entity, company string }

// packages holds projects and executions.
type packages struct {
	mu         sync.Mutex
	projects   map[string]*project   // by name in lower case
	executions map[string]*execution // by id in lower case
	order      []*execution
}

func newPackages() *packages {
	return &packages{projects: make(map[string]*project), executions: make(map[string]*execution)}
}

// AddProject adds a data project, or puts it in place of the one of that name,
// whose executions stay.
func (s *Sim) AddProject(p Project) {
	if p.Format == "" {
		p.Format = CSVUTF16LE
	}
	pr := &project{Project: p, rows: make(map[string]int), marks: make(map[mark]int), data: make(map[mark]*grower)}
	for _, e := range p.Entities {
		pr.rows[e.Label] = e.Rows
	}
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	s.packages.projects[strings.ToLower(p.Name)] = pr
}

// Grow adds rows to an entity's table. It panics on a project or entity that
// does not exist.
func (s *Sim) Grow(project, entity string, rows int) {
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	p := s.packages.mustFind(project)
	if _, ok := p.rows[entity]; !ok {
		panic("sim: project " + project + " has no entity " + entity)
	}
	p.rows[entity] += rows
}

// ScriptNext says what the next executions of a project do, one script each,
// behind those that wait already. It panics on a project that does not exist.
func (s *Sim) ScriptNext(project string, scripts ...ExecutionScript) {
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	p := s.packages.mustFind(project)
	p.scripts = append(p.scripts, scripts...)
}

// RunProject runs a project as FinOps' own batch does for a recurring job: it
// is done at once, an incremental project's marker has moved, and what becomes
// of the file is the caller's business: Enqueue with Blob, or an event. Scripts
// are for the package API and not used up. It panics on a project that does not
// exist.
func (s *Sim) RunProject(project, legalEntity string) Execution {
	return s.snapshot(s.batch(project, legalEntity))
}

// batch is RunProject without the data package, which is made when wanted.
func (s *Sim) batch(project, legalEntity string) *execution {
	now := s.clock.Now()
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	p := s.packages.mustFind(project)
	e := s.newExecution(p, run{
		id:      p.Name + "-" + now.Format("2006-01-02T15:04:05") + "-" + s.ids.hex32("execution"),
		company: legalEntity,
		now:     now,
	}, ExecutionScript{Statuses: []string{StatusSucceeded}, URLEmpty: -1})
	e.ended = now
	return e
}

// Executions returns all executions in the order of their starts.
func (s *Sim) Executions() []Execution {
	s.packages.mu.Lock()
	order := slices.Clone(s.packages.order)
	s.packages.mu.Unlock()
	all := make([]Execution, len(order))
	for i, e := range order {
		all[i] = s.snapshot(e)
	}
	return all
}

func (p *packages) mustFind(name string) *project {
	pr := p.projects[strings.ToLower(name)]
	if pr == nil {
		panic("sim: no project " + name + "; add it with AddProject")
	}
	return pr
}

// projectOf names the project that an action's parameters are about.
func (p *packages) projectOf(ps params) string {
	if name := ps.text("definitionGroupId"); name != "" {
		return name
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.executions[strings.ToLower(ps.text("executionId"))]; e != nil {
		return e.project.Name
	}
	return ""
}

// knows reports whether a project's company exists.
func (p *project) knows(company string) bool {
	return p.LegalEntities == nil || slices.ContainsFunc(p.LegalEntities, func(c string) bool { return strings.EqualFold(c, company) })
}

// tables makes what a run exports and moves the markers. Incremental exports
// and deltas begin behind the marker.
//
// Source: Microsoft Learn, "Data management package REST API": a change-tracked
// entity gives what changed since the last run of the project.
func (p *project) tables(s *Sim, r run, advance bool) []Table {
	var all []Table
	for _, e := range p.Entities {
		if r.only != nil && !slices.Contains(r.only, e.Label) {
			continue
		}
		company := strings.ToLower(r.company)
		purpose := "entity " + e.Label
		switch {
		case e.Shared:
			company = ""
		case company != "usmf":
			purpose += " of " + company
		}
		k := mark{e.Label, company}
		if p.data[k] == nil {
			p.data[k] = s.grower(e.Label, purpose)
		}
		t := p.data[k].first(p.rows[e.Label])
		if p.Incremental || r.delta {
			t.Rows = t.Rows[min(p.marks[k], len(t.Rows)):]
		}
		if r.limit > 0 {
			t.Rows = t.Rows[:min(r.limit, len(t.Rows))]
		}
		if advance {
			p.marks[k] = p.rows[e.Label]
		}
		all = append(all, t)
	}
	return all
}

// run is one start of a project.
type run struct {
	id      string
	company string
	only    []string // labels; nil = all
	delta   bool
	limit   int // rows of each entity; 0 = all
	now     time.Time
}

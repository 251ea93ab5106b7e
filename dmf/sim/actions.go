package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// emptyGUID is what a start that failed may answer with 200.
// Source: Dynamics-AX-Integration, the Logic App sample tests for it.
const emptyGUID = "00000000-0000-0000-0000-000000000000"

const edmString = "Edm.String"

// answered is what an action answers with 200.
type answered struct {
	kind   string // after "$metadata#"; "" = Edm.String
	value  any
	nested bool
}

// actions are the actions there are, by name.
//
// Source: protocol reference, 3.1. What serves imports only is not simulated.
var actions = map[string]func(*Sim, *call) (answered, *odataError){
	"ExportToPackage":               (*Sim).exportToPackage,
	"ExportToPackageAsync":          (*Sim).exportToPackage,
	"ExportToPackageDelta":          (*Sim).exportToPackage,
	"ExportToPackagePreview":        (*Sim).exportToPackage,
	"ExportToPackagePreviewAsync":   (*Sim).exportToPackage,
	"GetExecutionSummaryStatus":     (*Sim).executionSummaryStatus,
	"GetExportedPackageUrl":         (*Sim).exportedPackageURL,
	"GetExecutionErrors":            (*Sim).executionErrors,
	"GetExecutionSummaryPageUrl":    (*Sim).executionPageURL,
	"GetMessageStatus":              (*Sim).messageStatus,
	"GetExecutionIdByMessageId":     (*Sim).executionOfMessage,
	"ResetVersionToken":             (*Sim).resetVersionToken,
	"InitializeDataManagement":      (*Sim).initialize,
	"InitializeDataManagementAsync": (*Sim).initialize,
}

func actionRoute(action string) string {
	switch {
	case strings.HasPrefix(action, "ExportToPackage"):
		return RouteExport
	case action == "GetExecutionSummaryStatus":
		return RouteStatus
	case action == "GetExportedPackageUrl":
		return RouteURL
	case action == "GetExecutionErrors":
		return RouteErrors
	}
	return RouteAction
}

// serveAction answers the package API.
func (s *Sim) serveAction(w http.ResponseWriter, r *http.Request, c *call) {
	if !s.signIn(w, r, nil) {
		return
	}
	act, ok := actions[c.action]
	switch {
	case r.Method != http.MethodPost:
		s.writeODataError(w, &odataError{status: http.StatusMethodNotAllowed, text: "The requested resource does not support http method '" + r.Method + "'."})
		return
	case !ok: // Assumed: 404 and the text
		s.writeODataError(w, &odataError{status: http.StatusNotFound, text: "No HTTP resource was found that matches the request URI."})
		return
	case c.params == nil:
		s.writeODataError(w, &odataError{status: http.StatusBadRequest, text: "The request body is not a JSON object."})
		return
	}
	a, no := act(s, c)
	if no != nil {
		s.writeODataError(w, no)
		return
	}
	s.writeValue(w, orElse(a.kind, edmString), a.value, a.nested)
}

// exportToPackage starts an execution.
//
// Source: protocol reference, 3.2.
func (s *Sim) exportToPackage(c *call) (answered, *odataError) {
	ps, now := c.params, s.clock.Now()
	name, id := ps.text("definitionGroupId"), ps.text("executionId")
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	p := s.packages.projects[strings.ToLower(name)]
	if p == nil {
		return answered{}, badRequest(c.action, "The data project '%s' does not exist.", name)
	}
	r := run{id: id, company: ps.text("legalEntityId"), delta: strings.HasSuffix(c.action, "Delta"), now: now}
	if !p.knows(r.company) {
		return answered{}, badRequest(c.action, "The company %s does not exist.", r.company)
	}
	if list := ps.text("entityList"); list != "" {
		r.only = strings.Split(list, ",")
	}
	if strings.Contains(c.action, "Preview") {
		r.limit = ps.number("count", "exportPreviewCount")
	}
	if r.id == "" {
		r.id = s.packages.freeID("ExportPackage-" + now.Format("01/02/2006 03:04:05 pm"))
	}
	if old := s.packages.executions[strings.ToLower(r.id)]; old != nil {
		if ps.flag("reExecute") {
			return answered{value: old.id, nested: old.script.Nested}, nil
		}
		return answered{}, badRequest(c.action, "The execution id '%s' already exists.", r.id)
	}
	if other := s.packages.running(p, now); other != nil {
		return answered{}, badRequest(c.action, "Cannot edit a record in Data project (DMFDefinitionGroup). Deadlock, where one or more users have simultaneously locked the whole table or part of it. Execution '%s' is running.", other.id)
	}
	sc := p.nextScript()
	switch {
	case sc.EmptyGUID:
		return answered{value: emptyGUID, nested: sc.Nested}, nil
	case sc.Refuse != "":
		return answered{}, badRequest(c.action, "%s", sc.Refuse)
	}
	e := s.newExecution(p, r, sc)
	return answered{value: e.id, nested: sc.Nested}, nil
}

func (p *project) nextScript() ExecutionScript {
	if len(p.scripts) == 0 {
		return p.Script
	}
	sc := p.scripts[0]
	p.scripts = p.scripts[1:]
	return sc
}

// number returns the first of the parameters that is a number.
func (ps params) number(names ...string) int {
	for _, name := range names {
		var n int
		if ps[name] != nil && json.Unmarshal(ps[name], &n) == nil {
			return n
		}
	}
	return 0
}

func (p *packages) freeID(id string) string {
	free := id
	for n := 2; p.executions[strings.ToLower(free)] != nil; n++ {
		free = fmt.Sprintf("%s (%d)", id, n)
	}
	return free
}

// running returns an execution of the project that is not over.
//
// Source: Microsoft Learn, error descriptions DMF1996 and DMF2025: parallel
// runs of one project are not supported.
func (p *packages) running(pr *project, now time.Time) *execution {
	i := slices.IndexFunc(p.order, func(e *execution) bool { return e.project == pr && !e.done(now) })
	if i < 0 {
		return nil
	}
	return p.order[i]
}

// execution finds one that the caller knows; the lock is held.
func (p *packages) execution(c *call) (*execution, *odataError) {
	id := c.params.text("executionId")
	e := p.executions[strings.ToLower(id)]
	if e == nil {
		return nil, badRequest(c.action, "Execution details were not found for execution id: %s", id)
	}
	return e, nil
}

func (s *Sim) executionSummaryStatus(c *call) (answered, *odataError) {
	now := s.clock.Now()
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	e, no := s.packages.execution(c)
	if no != nil {
		return answered{}, no
	}
	status := e.poll(now)
	if status == StatusNotFound {
		return answered{}, badRequest(c.action, "Execution details were not found for execution id: %s", e.id)
	}
	return answered{value: status, nested: e.script.Nested}, nil
}

// exportedPackageURL gives "" while there is no file, then a fresh link to the
// one file with every request.
func (s *Sim) exportedPackageURL(c *call) (answered, *odataError) {
	now := s.clock.Now()
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	e, no := s.packages.execution(c)
	if no != nil {
		return answered{}, no
	}
	link := ""
	if s.pack(e); e.done(now) && e.blob != nil {
		if e.urls >= e.script.URLEmpty {
			link = s.Link(e.blob, LinkOptions{})
			e.links++
		}
		e.urls++
	}
	return answered{value: link, nested: e.script.Nested}, nil
}

func (s *Sim) executionErrors(c *call) (answered, *odataError) {
	now := s.clock.Now()
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	e, no := s.packages.execution(c)
	if no != nil {
		return answered{}, no
	}
	return answered{value: e.errorsText(now), nested: e.script.Nested}, nil
}

// executionPageURL gives a page of FinOps' own. Assumed: its query.
func (s *Sim) executionPageURL(c *call) (answered, *odataError) {
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	e, no := s.packages.execution(c)
	if no != nil {
		return answered{}, no
	}
	return answered{value: s.BaseURL() + "/?cmp=" + url.QueryEscape(e.company) + "&mi=DMFExecutionHistoryWorkspace&q=" + url.QueryEscape(e.id)}, nil
}

// resetVersionToken makes the next incremental run of an entity a full one, in
// all companies.
// Assumed: what it does, from its name and parameters.
func (s *Sim) resetVersionToken(c *call) (answered, *odataError) {
	name, entity := c.params.text("definitionGroupId"), c.params.text("entityName")
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	p := s.packages.projects[strings.ToLower(name)]
	if p == nil {
		return answered{}, badRequest(c.action, "The data project '%s' does not exist.", name)
	}
	if _, ok := p.rows[entity]; !ok {
		return answered{}, badRequest(c.action, "Entity %s does not exist in the target environment", entity)
	}
	for k := range p.marks {
		if k.entity == entity {
			delete(p.marks, k)
		}
	}
	return answered{kind: "Edm.Boolean", value: true}, nil
}

// initialize refreshes the entity list, which is always fresh here.
// Assumed: 200; clients also know 204.
func (s *Sim) initialize(*call) (answered, *odataError) { return answered{value: ""}, nil }

package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"finrelay/dmf"
)

// scenarioCheck collects what is wrong with a scenario that has the right
// shape.
type scenarioCheck struct {
	file       *ast.File
	found      []error
	projects   map[string]ScenarioProject
	activities map[string]bool
}

func (c *scenarioCheck) wrong(field, format string, args ...any) {
	e := &ScenarioError{Field: field, Err: fmt.Errorf(format, args...)}
	e.Line, e.Column = place(c.file, field)
	c.found = append(c.found, e)
}

func (c *scenarioCheck) notNegative(field string, d time.Duration) {
	if d < 0 {
		c.wrong(field, "%v is negative", d)
	}
}

func (c *scenarioCheck) scenario(sc Scenario) {
	c.notNegative("link_life", sc.LinkLife)
	c.notNegative("retention", sc.Retention)
	c.notNegative("sign_in.token_life", sc.SignIn.TokenLife)
	for i, a := range sc.SignIn.Apps {
		if a.ClientID == "" {
			c.wrong(fmt.Sprintf("sign_in.apps[%d].client_id", i), "missing")
		}
	}
	c.projects = make(map[string]ScenarioProject)
	for i, p := range sc.Projects {
		c.project(fmt.Sprintf("projects[%d]", i), p)
	}
	c.activities = make(map[string]bool)
	for i, a := range sc.Activities {
		c.activity(fmt.Sprintf("activities[%d]", i), a, sc.SignIn.OnPremises)
	}
	for i, st := range sc.Timeline {
		c.step(fmt.Sprintf("timeline[%d]", i), st)
	}
	for i, f := range sc.Faults {
		c.fault(fmt.Sprintf("faults[%d]", i), f)
	}
}

func (c *scenarioCheck) project(field string, p ScenarioProject) {
	key := strings.ToLower(p.Name)
	if _, twice := c.projects[key]; twice {
		c.wrong(field+".name", "%q is there twice", p.Name)
	}
	if p.Name == "" {
		c.wrong(field+".name", "missing")
	}
	c.projects[key] = p
	if p.Format != "" {
		if _, err := ParseFormat(p.Format); err != nil {
			c.wrong(field+".format", "%w", err)
		}
	}
	if len(p.Entities) == 0 {
		c.wrong(field+".entities", "missing; a project exports at least one entity")
	}
	for i, e := range p.Entities {
		if e.Label == "" {
			c.wrong(fmt.Sprintf("%s.entities[%d].label", field, i), "missing")
		}
		if e.Rows < 0 {
			c.wrong(fmt.Sprintf("%s.entities[%d].rows", field, i), "%d is negative", e.Rows)
		}
	}
	c.script(field+".script", p.Script)
	for i, sc := range p.Executions {
		c.script(fmt.Sprintf("%s.executions[%d]", field, i), sc)
	}
}

func (c *scenarioCheck) script(field string, sc ScenarioScript) {
	for i, name := range sc.Statuses {
		if !isStatus(name) {
			c.wrong(fmt.Sprintf("%s.statuses[%d]", field, i), "status %q is not known; one of %v", name, statuses)
		}
	}
	c.notNegative(field+".lasts", sc.Lasts)
}

func (c *scenarioCheck) activity(field string, a ScenarioActivity, onPremises bool) {
	switch {
	case a.ID == "":
		c.wrong(field+".id", "missing")
	case c.activities[dmf.Fold(a.ID)]:
		c.wrong(field+".id", "%q is there twice", a.ID)
	case onPremises:
		c.wrong(field, "there is no queue API on-premises")
	}
	c.activities[dmf.Fold(a.ID)] = true
	c.named(field+".project", a.Project)
	locations := []LocationStyle{"", LocationHTTP, LocationHTTP80, LocationHTTPS, LocationBase}
	if !slices.Contains(locations, LocationStyle(a.Location)) {
		c.wrong(field+".location", "%q is not known; one of %v", a.Location, locations[1:])
	}
	c.notNegative(field+".visibility", a.Visibility)
}

// named checks a project's name where one may stand.
func (c *scenarioCheck) named(field, name string) {
	if _, ok := c.projects[strings.ToLower(name)]; !ok && name != "" {
		c.wrong(field, "no project %q under projects", name)
	}
}

func (c *scenarioCheck) step(field string, st ScenarioStep) {
	c.notNegative(field+".at", st.At)
	c.notNegative(field+".every", st.Every)
	if st.Times < Always || st.Times == Always && st.Every == 0 {
		c.wrong(field+".times", "%d; give a count, or -1 (without end) together with every", st.Times)
	}
	if st.Project == "" && st.RotateSecret == nil && !st.RevokeTokens {
		c.wrong(field, "nothing happens; give project, rotate_secret or revoke_tokens")
	}
	c.named(field+".project", st.Project)
	if st.Queue != "" && !c.activities[dmf.Fold(st.Queue)] {
		c.wrong(field+".queue", "no activity %q under activities", st.Queue)
	}
	if st.Project == "" && (st.Event || st.Queue != "" || st.Grow != 0) {
		c.wrong(field, "an export needs a project")
	}
	if st.NoFile && (st.Queue == "" || st.Event) {
		c.wrong(field+".no_file", "only a queue's message can say so; give queue and no event")
	}
	if st.Grow < 0 {
		c.wrong(field+".grow", "%d is negative; rows are never deleted", st.Grow)
	}
	styles := []EventStyle{"", Style2019, Style2020, StyleEscaped}
	if !slices.Contains(styles, EventStyle(st.Style)) {
		c.wrong(field+".style", "%q is not known; one of %v", st.Style, styles[1:])
	}
	if f := c.projects[strings.ToLower(st.Project)].Format; st.Pad != 0 && (st.Pad < 0 || !st.Bare || strings.HasPrefix(f, "xml") || f == "json" || f == "json-object") {
		c.wrong(field+".pad", "%d; only bare files of a format with a row a line can be padded", st.Pad)
	}
	if r := st.RotateSecret; r != nil && (r.ClientID == "" || r.Secret == "") {
		c.wrong(field+".rotate_secret", "needs client_id and secret")
	}
}

func (c *scenarioCheck) fault(field string, f ScenarioFault) {
	if f.Route != "" && !isRoute(f.Route) {
		c.wrong(field+".route", "%q is not known; one of %v", f.Route, Routes())
	}
	c.notNegative(field+".from", f.From)
	if f.Until != 0 && f.Until <= f.From {
		c.wrong(field+".until", "%v is not after from (%v)", f.Until, f.From)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		c.wrong(field+".status", "%d is no HTTP status of an answer", f.Status)
	}
	if f.Redirect && f.Route != RouteDownload {
		c.wrong(field+".redirect", "only a download is sent on; give route: %s", RouteDownload)
	}
	if f.Times < Always {
		c.wrong(field+".times", "%d; give a count, or -1 for always", f.Times)
	}
	bare := f
	bare.Route, bare.Blob, bare.Subject, bare.Client, bare.From, bare.Until, bare.Skip, bare.Times = "", "", "", "", 0, 0, 0, 0
	if bare == (ScenarioFault{}) {
		c.wrong(field, "nothing goes wrong; give status, delay, lost, cut_after or another fault")
	}
}

// firstToken is where a node begins: a mapping's own token is its colon.
func firstToken(n ast.Node) *token.Token {
	switch v := n.(type) {
	case *ast.MappingNode:
		if len(v.Values) > 0 {
			return firstToken(v.Values[0])
		}
	case *ast.MappingValueNode:
		return v.Key.GetToken()
	}
	return n.GetToken()
}

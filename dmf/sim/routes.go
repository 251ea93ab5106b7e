package sim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// The names of FinOps' parts in Fault.Route and Request.Route.
const (
	RouteBlob      = "blob"      // the blob store, which in Azure has a host of its own and so every path that is nobody else's
	RouteToken     = "token"     // Entra's and AD FS' token endpoints
	RouteDiscovery = "discovery" // what sign-in libraries ask before they ask for a token
	RouteSignIn    = "sign-in"   // the page that a 302 leads to
	RouteDequeue   = "dequeue"
	RouteDownload  = "download"
	RouteAck       = "ack"
	RouteEnqueue   = "enqueue"
	RouteJobStatus = "jobstatus"
	RouteExport    = "export"   // ExportToPackage and its variants
	RouteStatus    = "status"   // GetExecutionSummaryStatus
	RouteURL       = "url"      // GetExportedPackageUrl
	RouteErrors    = "errors"   // GetExecutionErrors
	RouteAction    = "action"   // every other action of the package API
	RouteHistory   = "history"  // DataManagementExecutionJobDetails
	RouteProjects  = "projects" // the entity sets that describe data projects
)

// Routes lists the names, sorted.
func Routes() []string {
	return []string{RouteAck, RouteAction, RouteBlob, RouteDequeue, RouteDiscovery, RouteDownload, RouteEnqueue, RouteErrors,
		RouteExport, RouteHistory, RouteJobStatus, RouteProjects, RouteSignIn, RouteStatus, RouteToken, RouteURL}
}

// A route is one part of FinOps. Faults and the journal know it by its name.
type route struct {
	name   string
	serve  func(http.ResponseWriter, *http.Request, *call)
	refuse func(http.ResponseWriter, *http.Request, Fault) // a scripted refusal in this part's own words
}

// call is a request as the route table understood it.
type call struct {
	route   route
	blob    string // blob store: the blob's name
	client  string // app id in the bearer token, not verified; "" = none
	tenant  string // sign-in: first segment of the path
	version string // sign-in: "v1", "v2" or "adfs"
	subject string // queue: activity id as sent; package API: data project
	action  string // package API: action or entity set
	params  params // package API: the body of an action
}

// pathPattern says which paths are a part's, after the namespace of an
// on-premises installation and the language segment are gone.
//
// Source: protocol reference, 1.1 and 1.4 (token), 2.1 (queue), 3 (package API).
var pathPatterns = []struct {
	re   *regexp.Regexp
	fill func(c *call, m []string) (name string)
}{
	{regexp.MustCompile(`^/([^/]+)/oauth2/(v2\.0/)?token/?$`), func(c *call, m []string) string {
		c.tenant, c.version = m[1], "v1"
		switch {
		case strings.EqualFold(m[1], "adfs"):
			c.version = "adfs"
		case m[2] != "":
			c.version = "v2"
		}
		return RouteToken
	}},
	{regexp.MustCompile(`^/([^/]+)/(?:v2\.0/)?(\.well-known/openid-configuration|discovery/(?:v2\.0/)?(?:keys|instance))$`), func(c *call, m []string) string {
		c.tenant, c.action = m[1], m[2]
		return RouteDiscovery
	}},
	{regexp.MustCompile(`^/([^/]+)/oauth2/authorize$`), func(*call, []string) string { return RouteSignIn }},
	{regexp.MustCompile(`^/api/connector/(dequeue|download|ack|enqueue|jobstatus)/([^/]+)$`), func(c *call, m []string) string {
		c.subject = m[2]
		return m[1]
	}},
	{regexp.MustCompile(`^/data/DataManagementDefinitionGroups/Microsoft\.Dynamics\.DataEntities\.(\w+)$`), func(c *call, m []string) string {
		c.action = m[1]
		return actionRoute(m[1])
	}},
	{regexp.MustCompile(`^/data/(DataManagement\w+)$`), func(c *call, m []string) string {
		c.action = m[1]
		if m[1] == historySet {
			return RouteHistory
		}
		return RouteProjects
	}},
}

// language is the segment the docs' examples show: /en/api/connector/…
var language = regexp.MustCompile(`^/[a-z]{2}(-[A-Za-z]{2,4})?(/api/connector/)`)

// namespace is what on-premises paths begin with.
// Source: Microsoft Learn, "Data management package REST API", on-premises.
const namespace = "/namespaces/AXSF"

func (s *Sim) routeTable() map[string]route {
	table := make(map[string]route)
	add := func(serve func(http.ResponseWriter, *http.Request, *call), refuse func(http.ResponseWriter, *http.Request, Fault), names ...string) {
		for _, name := range names {
			table[name] = route{name: name, serve: serve, refuse: refuse}
		}
	}
	add(func(w http.ResponseWriter, r *http.Request, _ *call) { s.serveBlob(w, r) }, s.refuseBlob, RouteBlob)
	add(s.serveToken, s.refuseToken, RouteToken)
	add(s.serveDiscovery, s.refuseToken, RouteDiscovery)
	add(s.serveSignIn, s.refuseConnector, RouteSignIn)
	add(s.serveConnector, s.refuseConnector, RouteDequeue, RouteDownload, RouteAck, RouteEnqueue, RouteJobStatus)
	add(s.serveAction, s.refuseOData, RouteExport, RouteStatus, RouteURL, RouteErrors, RouteAction)
	add(s.serveSet, s.refuseOData, RouteHistory, RouteProjects)
	return table
}

// understand finds out whose request this is. What is nobody's is the blob
// store's, which refuses it.
func (s *Sim) understand(r *http.Request) *call {
	c := new(call)
	if bearer, err := bearerClaims(r); err == nil {
		c.client = bearer.AppID
	}
	name := s.match(c, r.URL.Path)
	c.route = s.routes[name]
	switch {
	case name == RouteBlob:
		_, c.blob = splitBlobPath(r.URL.Path)
	case c.action != "" && r.Method == http.MethodPost:
		c.params = readParams(r)
		c.subject = s.packages.projectOf(c.params)
	}
	return c
}

func (s *Sim) match(c *call, path string) string {
	if s.opt.OnPremises {
		inside, ok := strings.CutPrefix(path, namespace)
		if !ok && strings.HasPrefix(path, "/data/") {
			return RouteBlob // Source: all REST paths gain the namespace
		}
		path = inside
	}
	path = language.ReplaceAllString(path, "$2")
	for _, p := range pathPatterns {
		if m := p.re.FindStringSubmatch(path); m != nil {
			return p.fill(c, m)
		}
	}
	return RouteBlob
}

// Handler returns the simulator as a handler, for a server of the caller's
// own; call SetBaseURL then. Faults that cut a response need a real server.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(s.serve)
}

// serve is the road of every request: journal, fault script, then the part of
// FinOps that the path belongs to.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	c := s.understand(r)
	rec := s.journal.begin(w, Request{
		Time:          s.clock.Now(),
		Method:        r.Method,
		Route:         c.route.name,
		Path:          r.URL.Path,
		Blob:          c.blob,
		Subject:       c.subject,
		Client:        c.client,
		Execution:     c.params.text("executionId"),
		Range:         rangeHeader(r.Header),
		IfMatch:       r.Header.Get("If-Match"),
		Authorization: r.Header.Get("Authorization") != "",
		Verbatim:      s.verbatim(r),
	})
	defer func() {
		e := rec.entry()
		s.log.Info("request", "method", e.Method, "path", e.Path, "range", e.Range, "status", e.Status, "bytes", e.Bytes)
	}()
	if f, ok := s.script.take(c, s.clock.Now()); ok {
		rec.markFault()
		s.serveFaulty(c, f, rec, r)
		return
	}
	c.route.serve(rec, r, c)
}

// splitBlobPath divides "/container/name" of a decoded path. A blob name may
// hold slashes of its own.
func splitBlobPath(path string) (container, name string) {
	container, name, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return container, name
}

// isRoute reports whether a name is one of Routes.
func isRoute(name string) bool { return slices.Contains(Routes(), name) }

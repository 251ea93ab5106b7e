package sim

import (
	"net/http"
	"strings"
)

// RouteBlob is the blob store's name in Fault.Route and Request.Route.
const RouteBlob = "blob"

// A route is one part of FinOps. Faults and the journal know it by its name.
type route struct {
	name   string
	prefix string // of the decoded path
	serve  http.HandlerFunc
	refuse func(http.ResponseWriter, *http.Request, Fault) // a scripted refusal in this part's own words
}

// routeTable lists the parts, most particular prefix first. The queue
// ("/api/connector/"), the package API ("/data/") and the token endpoint
// ("/<tenant>/oauth2/") take their place above the blob store, which in Azure
// has a host of its own and therefore every path.
func (s *Sim) routeTable() []route {
	return []route{
		{name: RouteBlob, prefix: "/", serve: s.serveBlob, refuse: s.refuseBlob},
	}
}

func (s *Sim) routeOf(path string) route {
	for _, rt := range s.routes {
		if strings.HasPrefix(path, rt.prefix) {
			return rt
		}
	}
	return route{
		name:   "none",
		serve:  http.NotFound,
		refuse: func(w http.ResponseWriter, _ *http.Request, f Fault) { http.Error(w, f.Message, f.Status) },
	}
}

// Handler returns the simulator as a handler, for a server of the caller's
// own; call SetBaseURL then. Faults that cut a response need a real server.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(s.serve)
}

// serve is the road of every request: journal, fault script, then the part of
// FinOps that the path belongs to.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	rt := s.routeOf(r.URL.Path)
	_, blob := splitBlobPath(r.URL.Path)
	rec := s.journal.begin(w, Request{
		Time:          s.clock.Now(),
		Method:        r.Method,
		Route:         rt.name,
		Path:          r.URL.Path,
		Blob:          blob,
		Range:         rangeHeader(r.Header),
		IfMatch:       r.Header.Get("If-Match"),
		Authorization: r.Header.Get("Authorization") != "",
		Verbatim:      s.verbatim(r),
	})
	defer func() {
		e := rec.entry()
		s.log.Info("request", "method", e.Method, "path", e.Path, "range", e.Range, "status", e.Status, "bytes", e.Bytes)
	}()
	if f, ok := s.script.take(rt.name, blob); ok {
		rec.markFault()
		s.serveFaulty(rt, f, rec, r)
		return
	}
	rt.serve(rec, r)
}

// splitBlobPath divides "/container/name" of a decoded path. A blob name may
// hold slashes of its own.
func splitBlobPath(path string) (container, name string) {
	container, name, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return container, name
}

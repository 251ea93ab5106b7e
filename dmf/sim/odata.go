package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// params is the body of an action.
type params map[string]json.RawMessage

// readParams reads the body of an action; nil if it is no JSON object.
func readParams(r *http.Request) params {
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil
	}
	var ps params
	if json.Unmarshal(text, &ps) != nil {
		return nil
	}
	if ps == nil {
		ps = params{} // "null"
	}
	return ps
}

// text returns a parameter as text; "" if it is missing or no string.
func (ps params) text(name string) string {
	var v string
	if json.Unmarshal(ps[name], &v) != nil {
		return ""
	}
	return v
}

func (ps params) flag(name string) bool {
	var v bool
	return json.Unmarshal(ps[name], &v) == nil && v
}

// odataError is an error as FinOps' OData service words it: the useful text is
// the inner one.
type odataError struct {
	status int
	code   string
	action string // "" = the text is not an exception's
	text   string
}

func badRequest(action, format string, args ...any) *odataError {
	return &odataError{status: http.StatusBadRequest, action: action, text: fmt.Sprintf(format, args...)}
}

// odataHeaders sets what every answer of the OData service carries.
//
// Observed: Recurring-Integrations-Scheduler issue 54.
func (s *Sim) odataHeaders(h http.Header) {
	h.Set("Odata-Version", "4.0")
	h.Set("Content-Type", "application/json; odata.metadata=minimal")
	h.Set("Ms-Dyn-Tenant", s.identity.opt.Tenant)
	h.Set("Ms-Dyn-Namespace", "AXSF")
	h.Set("Ms-Dyn-Role", "AOSService")
	h.Set("Ms-Dyn-Fqhn", "aos-0")
	h.Set("Ms-Dyn-Aid", strings.ToLower(s.ids.guid("ms-dyn-aid")))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("Date", s.clock.Now().Format(http.TimeFormat))
}

// writeODataError answers with message, innererror and a stack trace.
//
// Source: protocol reference, 3.6.
func (s *Sim) writeODataError(w http.ResponseWriter, e *odataError) {
	s.odataHeaders(w.Header())
	inner := e.text
	if e.action != "" {
		inner = "Exception occurred while executing action " + e.action + " on Entity DataManagementDefinitionGroup: " + e.text
	}
	writeJSON(w, e.status, map[string]any{"error": map[string]any{
		"code":    e.code,
		"message": "An error has occurred.",
		"innererror": map[string]string{
			"message":    inner,
			"type":       "System.InvalidOperationException",
			"stacktrace": "   at Microsoft.Dynamics.Platform.Integration.Services.OData.Action.ActionInvokable.Invoke()",
		},
	}})
}

// refuseOData answers a scripted refusal of the package API's routes.
func (s *Sim) refuseOData(w http.ResponseWriter, r *http.Request, f Fault) {
	if f.Status/100 == 3 || f.Status/100 == 2 || f.Status == http.StatusUnauthorized || f.Status == http.StatusForbidden {
		s.refuseConnector(w, r, f)
		return
	}
	s.retryAfter(w.Header(), f)
	s.writeODataError(w, &odataError{status: f.Status, code: f.Code, text: orElse(f.Message, apiMessage(f.Status))})
}

// writeValue answers an action: a context and a value, nested in one more
// object where the documentation's form is wanted.
func (s *Sim) writeValue(w http.ResponseWriter, kind string, value any, nested bool) {
	s.odataHeaders(w.Header())
	if nested || s.opt.NestedValues {
		value = map[string]any{"value": value}
	}
	writeJSON(w, http.StatusOK, map[string]any{"@odata.context": s.apiBase() + "/data/$metadata#" + kind, "value": value})
}

// apiBase is the URL that REST paths are appended to.
func (s *Sim) apiBase() string {
	if s.opt.OnPremises {
		return s.BaseURL() + namespace
	}
	return s.BaseURL()
}

// odataTime writes a time as OData does; the null date for none.
func odataTime(t time.Time) string {
	if t.IsZero() {
		return "1900-01-01T00:00:00Z"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// writeSet answers a query of an entity set: filter, order, page.
func (s *Sim) writeSet(w http.ResponseWriter, r *http.Request, set string, rows []map[string]any) {
	q := r.URL.Query()
	rows, err := filterRows(rows, q.Get("$filter"))
	if err == nil {
		err = sortRows(rows, q.Get("$orderby"))
	}
	if err != nil {
		s.writeODataError(w, &odataError{status: http.StatusBadRequest, text: err.Error()})
		return
	}
	total := len(rows)
	skip := number(q.Get("$skip"), 0) + number(q.Get("$skiptoken"), 0)
	rows = rows[min(skip, len(rows)):]
	limit := number(q.Get("$top"), len(rows))
	rows = rows[:min(limit, len(rows))]
	answer := map[string]any{"@odata.context": s.apiBase() + "/data/$metadata#" + set}
	if page := s.opt.HistoryPage; len(rows) > page {
		next := r.URL
		p := next.Query()
		p.Del("$skip")
		p.Set("$skiptoken", strconv.Itoa(skip+page))
		if q.Has("$top") {
			p.Set("$top", strconv.Itoa(limit-page))
		}
		answer["@odata.nextLink"] = s.BaseURL() + next.Path + "?" + p.Encode()
		rows = rows[:page]
	}
	if q.Get("$count") == "true" {
		answer["@odata.count"] = total
	}
	selectFields(rows, q.Get("$select"))
	answer["value"] = rows
	s.odataHeaders(w.Header())
	writeJSON(w, http.StatusOK, answer)
}

func number(v string, otherwise int) int {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

package sim

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"finrelay/dmf"
)

func equalGUID(a, b string) bool { return dmf.Fold(a) == dmf.Fold(b) }

// guidLower returns a GUID in lower case, as queue messages have them.
func (d *ids) guidLower(purpose string) string { return strings.ToLower(d.guid(purpose)) }

// serveConnector answers the recurring-integrations API.
//
// Source: protocol reference, section 2; on-premises it does not exist and
// answers 302.
func (s *Sim) serveConnector(w http.ResponseWriter, r *http.Request, c *call) {
	if s.opt.OnPremises {
		s.redirect(w, http.StatusFound)
		return
	}
	a := s.queues.find(c.subject)
	var allowed []string
	if a != nil {
		allowed = s.queues.options(a).Clients
	}
	if !s.signIn(w, r, allowed) {
		return
	}
	post := c.route.name == RouteAck || c.route.name == RouteEnqueue
	switch {
	case post != (r.Method == http.MethodPost) || !post && r.Method != http.MethodGet:
		s.connectorError(w, http.StatusMethodNotAllowed, "The requested resource does not support http method '"+r.Method+"'.")
	case a == nil: // Assumed: 404; no source has an answer
		s.connectorError(w, http.StatusNotFound, "The activity "+c.subject+" does not exist.")
	case c.route.name == RouteDequeue:
		s.serveDequeue(w, a)
	case c.route.name == RouteDownload:
		s.serveDownload(w, r, a)
	case c.route.name == RouteAck:
		s.serveAck(w, r, a)
	case c.route.name == RouteEnqueue:
		s.serveEnqueue(w, r, a)
	default:
		s.serveJobStatus(w, r, a)
	}
}

// dequeueBody is what dequeue answers, in FinOps' own capitals.
//
// Source: d365fo.integrations and Recurring-Integrations-Scheduler for the
// names. Assumed: the name and form of the last; that there is such a field is
// documented.
type dequeueBody struct {
	CorrelationID       string  `json:"CorrelationId"`
	PopReceipt          string  `json:"PopReceipt"`
	DownloadLocation    *string `json:"DownloadLocation"`
	IsDownLoadFileExist bool    `json:"IsDownLoadFileExist"`
	Message             string  `json:"FileDownLoadErrorMessage"`
	LastDequeueDateTime string  `json:"LastDequeueDateTime"`
}

func (s *Sim) serveDequeue(w http.ResponseWriter, a *activity) {
	body, opt := s.dequeue(a)
	switch {
	case body != nil:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body)
	case opt.EmptyAs200:
		empty(w, http.StatusOK)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// dequeue hands out a message and returns the answer; nil if none is visible.
func (s *Sim) dequeue(a *activity) ([]byte, ActivityOptions) {
	now := s.clock.Now()
	base := s.BaseURL()
	s.queues.mu.Lock()
	defer s.queues.mu.Unlock()
	m := a.take(now, s.ids.receipt)
	if m == nil {
		return nil, a.opt
	}
	body := dequeueBody{CorrelationID: m.CorrelationID, PopReceipt: m.receipt, Message: m.problem}
	if n := len(m.dequeued); n > 1 {
		body.LastDequeueDateTime = m.dequeued[n-2].Format("2006-01-02T15:04:05Z")
	}
	if m.Blob != nil && s.store.alive(m.Blob) {
		location := a.location(base, m)
		body.DownloadLocation, body.IsDownLoadFileExist = &location, true
	} else if body.Message == "" {
		body.Message = "The file to be downloaded does not exist."
	}
	text, err := marshalPlain(body)
	if err != nil {
		panic("sim: marshal dequeue: " + err.Error()) // strings cannot fail
	}
	m.answer = text
	return text, a.opt
}

// marshalPlain is json.Marshal with &, < and > as they are.
func marshalPlain(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return []byte(strings.TrimRight(b.String(), "\n")), err
}

// location writes DownloadLocation.
func (a *activity) location(base string, m *Message) string {
	u, err := url.Parse(base)
	if err != nil {
		panic("sim: base URL: " + err.Error()) // SetBaseURL's mistake
	}
	root := "http://" + u.Host
	switch a.opt.Location {
	case LocationHTTP80:
		root = "http://" + u.Hostname() + ":80"
	case LocationHTTPS:
		root = "https://" + u.Host
	case LocationBase:
		root = base
	}
	id := dmf.Fold(a.id)
	if a.opt.Braces {
		id = "%7B" + strings.ToUpper(id) + "%7D"
	}
	return root + "/api/connector/download/" + id + "?correlation-id=" + m.CorrelationID + "&blob=" + m.blobID
}

// receipt makes an opaque pop receipt of the published shape.
func (d *ids) receipt() string {
	raw := []byte{2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}
	d.draw("receipt", func(r *rand.Rand) {
		for range 8 {
			raw = append(raw, byte(r.UintN(256)))
		}
	})
	return base64.StdEncoding.EncodeToString(raw)
}

// serveDownload answers with the file: no name, no range.
//
// Source: Recurring-Integrations-Scheduler: no file name comes along. Assumed:
// the type, and that a range is ignored.
func (s *Sim) serveDownload(w http.ResponseWriter, r *http.Request, a *activity) {
	q := r.URL.Query()
	m := s.queues.download(a, q.Get("correlation-id"), q.Get("blob"))
	if m == nil || m.Blob == nil || !s.store.alive(m.Blob) {
		s.connectorError(w, http.StatusNotFound, "The file to be downloaded does not exist.")
		return
	}
	content := m.Blob.content()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(content.size, 10))
	w.WriteHeader(http.StatusOK)
	// The buffer hides ReaderFrom on purpose: a fault counts every byte.
	_, _ = io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(content.data, 0, content.size), make([]byte, 64<<10))
}

// redirectToBlob sends a download on to the blob store.
//
// Assumed: that some installations do so; none of the published clients says it.
func (s *Sim) redirectToBlob(w http.ResponseWriter, r *http.Request, c *call) {
	a := s.queues.find(c.subject)
	if a == nil || c.route.name != RouteDownload {
		c.route.serve(w, r, c)
		return
	}
	q := r.URL.Query()
	m := s.queues.download(a, q.Get("correlation-id"), q.Get("blob"))
	if m == nil || m.Blob == nil {
		s.connectorError(w, http.StatusNotFound, "The file to be downloaded does not exist.")
		return
	}
	w.Header().Set("Location", s.Link(m.Blob, LinkOptions{}))
	empty(w, http.StatusFound)
}

// download finds the message and counts the download.
func (q *queues) download(a *activity, correlation, blobID string) *Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := a.byID[dmf.Fold(correlation)]
	if m == nil || !equalGUID(m.blobID, blobID) {
		return nil
	}
	m.fetched++
	if m.state == MessageDequeued {
		m.state = MessageDownloaded
	}
	return m
}

// serveAck acknowledges a message: the whole dequeue body, or only the fields
// that name message and receipt.
func (s *Sim) serveAck(w http.ResponseWriter, r *http.Request, a *activity) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	var body dequeueBody
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		s.connectorError(w, http.StatusBadRequest, "The request is invalid.")
		return
	}
	now := s.clock.Now()
	s.queues.mu.Lock()
	done := s.queues.ack(a, now, body.CorrelationID, body.PopReceipt, text)
	stale := a.opt.StaleReceipt
	s.queues.mu.Unlock()
	if !done {
		s.connectorError(w, stale, "The specified pop receipt did not match the pop receipt for a dequeued message.")
		return
	}
	empty(w, http.StatusOK)
}

// connectorError answers as ASP.NET does outside OData.
// Observed: some errors have a top-level Message. Assumed: these do.
func (s *Sim) connectorError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"Message": message})
}

// refuseConnector answers a scripted refusal of the queue's routes.
func (s *Sim) refuseConnector(w http.ResponseWriter, _ *http.Request, f Fault) {
	s.retryAfter(w.Header(), f)
	switch {
	case f.Status/100 == 3:
		s.redirect(w, f.Status)
	case f.Status == http.StatusUnauthorized:
		s.challenge(w)
		empty(w, f.Status)
	case f.Status == http.StatusForbidden && f.Message == "", f.Status/100 == 2:
		empty(w, f.Status)
	default:
		s.connectorError(w, f.Status, orElse(f.Message, apiMessage(f.Status)))
	}
}

// apiMessage is what FinOps says with a status.
//
// Source: Microsoft Learn, "Service protection API limits", for 429.
func apiMessage(status int) string {
	switch status {
	case http.StatusTooManyRequests:
		return "This request could not be processed at this time due to system experiencing high resource utilization."
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return http.StatusText(status)
	}
	return "An error has occurred."
}

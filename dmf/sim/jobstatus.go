package sim

import (
	"io"
	"net/http"
	"time"
)

// imported is a file that a client has put into a queue.
type imported struct {
	id       string
	activity *activity
	entity   string
	company  string
	name     string // x-ms-dyn-externalidentifier
	size     int64
	came     time.Time
	asked    int // status requests so far
}

// The states of an import, in the spelling of DataJobState's numbers and of
// GetMessageStatus.
// Source: Recurring-Integrations-Scheduler and Microsoft Learn.
const (
	jobEnqueued   = 0
	jobProcessing = 4
	jobProcessed  = 5
)

var jobStateNames = map[int]string{jobEnqueued: "Enqueued", jobProcessing: "Processing", jobProcessed: "Processed"}

// serveEnqueue takes a file for import and answers its message id, a JSON
// string. The simulator counts its bytes and imports nothing.
func (s *Sim) serveEnqueue(w http.ResponseWriter, r *http.Request, a *activity) {
	size, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		s.connectorError(w, http.StatusBadRequest, "The request is invalid.")
		return
	}
	q := r.URL.Query()
	im := &imported{
		id:       s.ids.guidLower("import"),
		activity: a,
		entity:   q.Get("entity"),
		company:  q.Get("company"),
		name:     r.Header.Get("X-Ms-Dyn-Externalidentifier"),
		size:     size,
		came:     s.clock.Now(),
	}
	s.queues.mu.Lock()
	s.queues.imports[im.id] = im
	s.queues.mu.Unlock()
	writeJSON(w, http.StatusOK, im.id)
}

// importState moves an import on by one with each question: Enqueued,
// Processing, Processed.
func (q *queues) importState(id string) (*imported, int, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, im := range q.imports {
		if equalGUID(im.id, id) {
			im.asked++
			states := []int{jobEnqueued, jobProcessing, jobProcessed}
			return im, states[min(im.asked, len(states))-1], true
		}
	}
	return nil, 0, false
}

// serveJobStatus answers with numbers for states and times without a zone.
//
// Source: Recurring-Integrations-Scheduler for the names; a capture in
// Dynamics-AX-Integration issue 10 for the numbers.
func (s *Sim) serveJobStatus(w http.ResponseWriter, r *http.Request, a *activity) {
	id := r.URL.Query().Get("jobId")
	im, state, ok := s.queues.importState(id)
	if !ok || im.activity != a {
		s.connectorError(w, http.StatusNotFound, "The job "+id+" does not exist.")
		return
	}
	const noZone = "2006-01-02T15:04:05"
	job := map[string]any{
		"DataProject":              s.queues.options(a).Project,
		"DataJobIdentifier":        im.id,
		"ExternalIdentifier":       im.name,
		"ExecutionIdentifier":      "",
		"DataJobStartedDateTime":   im.came.Format(noZone),
		"DataJobCompletedDateTime": "1900-01-01T00:00:00",
		"DataJobState":             state,
	}
	var detail any
	if state == jobProcessed {
		job["DataJobCompletedDateTime"] = s.clock.Now().Format(noZone)
		detail = []map[string]any{{
			"EntityName": im.entity, "Company": im.company,
			"StagingRecords": 1, "StagingStatus": 4, "StagingErrorCount": 0,
			"TargetRecords": 1, "TargetStatus": 4, "TargetErrorCount": 0,
			"ExecutionStartedDateTime": im.came.Format(noZone), "ExecutionCompletedDateTime": s.clock.Now().Format(noZone),
		}}
	}
	writeJSON(w, http.StatusOK, map[string]any{"DataJobStatus": job, "ExecutionLog": "", "ExecutionDetail": detail})
}

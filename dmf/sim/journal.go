package sim

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxJournal bounds the journal of a simulator that runs for days; the oldest
// half goes when it is full.
const maxJournal = 100_000 // requests

// Request is one request as the simulator saw it. The query is left out: it
// is a credential.
type Request struct {
	Time          time.Time // arrival, on the simulator's clock
	Method        string
	Route         string // the part of FinOps, one of Routes
	Path          string // decoded, without the query
	Blob          string // blob name; "" outside a container
	Subject       string // activity id as sent, or data project; "" = none
	Client        string // app id in the bearer token, whether it is good or not; "" = none
	Execution     string // execution id of a package call; "" = none
	Range         string // Range or x-ms-range as sent; "" = none
	IfMatch       string // If-Match as sent; "" = none
	Status        int    // of the answer; 0 = none was begun
	Bytes         int64  // of the answer's body, handed to the connection so far
	Authorization bool   // an Authorization header came along
	Verbatim      bool   // path and query byte for byte as Link wrote them
	Fault         bool   // a scripted fault had its hand in the answer
}

type journal struct {
	mu       sync.Mutex
	requests []*Request
}

// Requests returns the journal, in order of arrival. An entry is complete
// before its client can have read the whole answer.
func (s *Sim) Requests() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	all := make([]Request, len(s.journal.requests))
	for i, e := range s.journal.requests {
		all[i] = *e
	}
	return all
}

// ForgetRequests empties the journal, for a test with several acts.
func (s *Sim) ForgetRequests() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.requests = nil
}

// begin writes the entry and returns a writer that completes it.
func (j *journal) begin(w http.ResponseWriter, e Request) *recorder {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.requests) >= maxJournal {
		j.requests = slices.Delete(j.requests, 0, maxJournal/2)
	}
	j.requests = append(j.requests, &e)
	return &recorder{ResponseWriter: w, journal: j, e: &e}
}

// recorder notes status and bytes before they reach the connection, not after:
// a test that has just read the last byte must find it in the journal.
type recorder struct {
	http.ResponseWriter
	journal *journal
	e       *Request
}

// Unwrap lets http.ResponseController find Flush and Hijack.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

func (rec *recorder) WriteHeader(status int) {
	rec.note(func(e *Request) {
		if e.Status == 0 {
			e.Status = status
		}
	})
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(p []byte) (int, error) {
	rec.note(func(e *Request) {
		if e.Status == 0 {
			e.Status = http.StatusOK
		}
		e.Bytes += int64(len(p))
	})
	n, err := rec.ResponseWriter.Write(p)
	if n < len(p) {
		rec.note(func(e *Request) { e.Bytes -= int64(len(p) - n) })
	}
	return n, err
}

func (rec *recorder) markFault() { rec.note(func(e *Request) { e.Fault = true }) }

func (rec *recorder) entry() (e Request) {
	rec.note(func(p *Request) { e = *p })
	return e
}

func (rec *recorder) note(f func(*Request)) {
	rec.journal.mu.Lock()
	defer rec.journal.mu.Unlock()
	f(rec.e)
}

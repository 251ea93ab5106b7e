package sim

import (
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"finrelay/dmf"
)

// Always as Fault.Times keeps a fault until ClearFaults.
const Always = -1

// Fault is one thing that goes wrong, scripted by a test. A request takes the
// first armed fault that matches it, and no other: put what shall happen to one
// request into one Fault, and what shall happen to the next one into the next.
type Fault struct {
	Route   string // part of FinOps, one of Routes; "" = any
	Blob    string // blob name, or a path.Match pattern; "" = any
	Subject string // activity id (any spelling) or data project, or a path.Match pattern; "" = any
	Client  string // app id in the request's bearer token, for the priorities that throttling goes by; "" = any
	Skip    int    // so many matching requests pass unharmed first
	Times   int    // so many are hit; 0 = one, Always = all

	// When, on the simulator's clock: from From until before Until. Zero = open.
	From, Until time.Time

	// Before the answer.
	Delay time.Duration // on the wire, in real time

	// Instead of the answer.
	Status         int           // refuse with this status; 302 leads to the sign-in page
	Code           string        // x-ms-error-code, or the error's code elsewhere; "" = the usual one of the status
	Message        string        // "" = the usual one of the code
	Detail         string        // AuthenticationErrorDetail; "" = none
	RetryAfter     time.Duration // sent as whole seconds, rounded up; 0 = no header
	RetryAfterDate bool          // RetryAfter is sent as a date instead, on the simulator's clock
	RetryAfterGrow time.Duration // RetryAfter is so much longer with each request that is hit
	NoAzureHeaders bool          // answer like a proxy: an HTML page without any x-ms header; Status 0 = 403
	Body           []byte        // answer with these bytes and no x-ms header; nil = none, empty = an empty body; Status 0 = 200
	ContentType    string        // of Body; "" = text/html
	Redirect       bool          // a download answers 302 to a fresh link of the file in the blob store

	// What the server makes of the request.
	IgnoreRange      bool // answers 200 and the whole blob
	IgnoreConditions bool // answers as if If-Match and the like were not there

	// What is wrong with the answer's headers. A refusal takes no notice.
	WrongETag         bool // an ETag the blob never had
	WrongContentRange bool // Content-Range says that the body begins one byte further on
	WrongLength       bool // Content-Length promises 100 bytes more than come
	NoLength          bool // neither length nor chunks: the body ends with the connection, as with HTTP/1.0
	Gzip              bool // packed, whether the client asked for it or not

	// What happens to the answer's body, in bytes of this response.
	CutAfter              int64  // closes the connection after so many bytes; -1 = after the headers; no cut if the body is shorter
	Lost                  bool   // the request is carried out, and the connection closed before the first byte of the answer
	HangAfter             int64  // sends no more after so many bytes and holds the connection; -1 = after the headers
	Reset                 bool   // with CutAfter or Lost: resets the connection instead, which may take bytes with it that were sent
	DripBytesPerSec       int    // slows the body down, in real time
	ReplaceBlobAfterBytes int64  // the blob gets new content, and ETag, after so many bytes; this response goes on with the old
	Replacement           []byte // the new content; nil = the same bytes under a new ETag
}

// script is what is armed, in order.
type script struct {
	mu     sync.Mutex
	faults []*Fault
}

// Fault arms a fault behind those that are armed already.
func (s *Sim) Fault(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.faults = append(s.script.faults, &f)
}

// ClearFaults disarms all faults.
func (s *Sim) ClearFaults() {
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.faults = nil
}

// take returns the fault for a request and counts it. A matching fault that
// still skips lets the request on to the next one.
func (sc *script) take(c *call, now time.Time) (Fault, bool) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	for _, f := range sc.faults {
		switch {
		case f.Times == 0 || !f.inForce(now) || !f.matches(c):
		case f.Skip > 0:
			f.Skip--
		default:
			if f.Times > 0 {
				f.Times--
			}
			hit := *f
			f.RetryAfter += f.RetryAfterGrow
			return hit, true
		}
	}
	return Fault{}, false
}

func (f *Fault) inForce(now time.Time) bool {
	return !now.Before(f.From) && (f.Until.IsZero() || now.Before(f.Until))
}

func (f *Fault) matches(c *call) bool {
	if f.Route != "" && f.Route != c.route.name {
		return false
	}
	return nameMatches(f.Blob, c.blob) && (f.Client == "" || strings.EqualFold(f.Client, c.client)) &&
		(nameMatches(f.Subject, c.subject) || dmf.Fold(f.Subject) == dmf.Fold(c.subject))
}

// nameMatches reports whether name is the wanted one or fits it as a pattern.
func nameMatches(want, name string) bool {
	if want == "" || want == name {
		return true
	}
	ok, err := path.Match(want, name)
	return err == nil && ok
}

// refuses reports whether the fault takes the place of the answer.
func (f *Fault) refuses() bool { return f.Status != 0 || f.NoAzureHeaders || f.Body != nil }

// serveFaulty answers a request with a fault in force.
func (s *Sim) serveFaulty(c *call, f Fault, w http.ResponseWriter, r *http.Request) {
	if f.Delay > 0 && !pause(r.Context(), f.Delay) {
		panic(http.ErrAbortHandler) // Close or the client ended the wait: no answer, not an empty 200
	}
	if f.IgnoreRange {
		r.Header.Del("Range")
		r.Header.Del("X-Ms-Range")
	}
	if f.IgnoreConditions {
		for _, k := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
			r.Header.Del(k)
		}
	}
	fw := &faultyWriter{ResponseWriter: w, r: r, fault: f}
	if f.ReplaceBlobAfterBytes > 0 {
		_, name := splitBlobPath(r.URL.Path)
		fw.replace = func() { s.replaceBlob(name, f.Replacement) }
	}
	w = fw
	if f.Gzip {
		packed := &gzipWriter{ResponseWriter: fw}
		defer packed.close()
		w = packed
	}
	switch {
	case f.NoAzureHeaders:
		servePage(w, f)
	case f.Body != nil:
		serveBody(w, f)
	case f.Redirect:
		s.redirectToBlob(w, r, c)
	case f.refuses():
		c.route.refuse(w, r, f)
	default:
		c.route.serve(w, r, c)
	}
}

// servePage answers as a proxy or firewall between us and Azure does.
func servePage(w http.ResponseWriter, f Fault) {
	status := f.Status
	if status == 0 {
		status = http.StatusForbidden
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Server", "squid/5.7")
	h.Set("Via", "1.1 proxy.contoso.local (squid/5.7)")
	w.WriteHeader(status)
	text := orElse(f.Message, "The administrator of this network does not allow this address.")
	_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><head><title>" + http.StatusText(status) +
		"</title></head><body><h1>Access denied</h1><p>" + text + "</p></body></html>\n"))
}

// serveBody answers as something else does that stands in FinOps' place.
func serveBody(w http.ResponseWriter, f Fault) {
	w.Header().Set("Content-Type", orElse(f.ContentType, "text/html"))
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Body)))
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(f.Body)
}

func (s *Sim) replaceBlob(name string, data []byte) {
	b := s.store.blob(name)
	if b == nil {
		return
	}
	if data == nil {
		c := b.content()
		b.replace(c.data, c.size)
		return
	}
	b.Replace(data)
}

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"finrelay/dmf/sim"
)

const queueActivity = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

// queueConfig names no date in its paths: a message tells no time, and the date
// of its dequeue is another one when a kill came between the answer and the
// ledger.
const queueConfig = `state: %s
listen: 127.0.0.1:0
environments:
  prod:
    url: %[2]s
    sign_in: {method: v1, tenant: contoso.onmicrosoft.com, client_id: %[3]s, secret: %[4]s, authority: "%[2]s"}
doors: {finops: {keys: ["%[5]s"]}}
outputs: {files: {folder: out, path: "{environment}/{entity}/{legal_entity}/{export_id}"}}
flows:
  - name: all
    queue: {environment: prod, activity: %[6]s, schedule: "@every 12h", backlog: land}
shutdown: {grace: 10s}
`

// queueWorkload is a simulated FinOps with messages in a queue. It looks at the
// folder of the server that polls it whenever an ack arrives, and tells who
// wants to know how many calls of the queue there were.
type queueWorkload struct {
	finops *sim.Sim
	server *httptest.Server
	folder string

	mu     sync.Mutex
	calls  int                 // of the queue's routes
	onCall func(n int)         // nil = nobody wants to know
	want   map[string][]string // correlation id -> files below folder that an ack needs
	files  fileTree            // what those must be
	broken []string            // acks that came too early
	pages  *rand.Rand          // says which downloads a proxy answers; nil = none
	paged  int                 // so many were
}

// newQueueWorkload makes the very same messages each time: packages and bare
// files, one of each with a bad row, and a message without a file.
func newQueueWorkload() (*queueWorkload, error) {
	folder, err := os.MkdirTemp("", "finrelay-queue") // t.TempDir would be too long for the control socket
	if err != nil {
		return nil, err
	}
	w := &queueWorkload{folder: folder, finops: sim.New(sim.Options{Seed: 20260302})}
	w.server = httptest.NewServer(w)
	w.finops.SetBaseURL(w.server.URL)
	w.finops.AddActivity(queueActivity, sim.ActivityOptions{})
	for i := range 14 {
		w.enqueue(i)
	}
	text := fmt.Sprintf(queueConfig, crashState, w.server.URL, sim.DefaultClientID, sim.DefaultSecret, crashKey, queueActivity)
	return w, os.WriteFile(filepath.Join(folder, defaultFile), []byte(text), 0o600)
}

func (w *queueWorkload) enqueue(i int) {
	s := w.finops
	table := s.SampleEntity("Customers V3", 10+i)
	switch {
	case i == 4:
		s.Enqueue(queueActivity, nil, sim.MessageOptions{NoFile: true})
		return
	case i == 6, i == 7: // parked with the raw file kept, and acked
		table.Rows[3] = table.Rows[3][1:]
	}
	if i%3 == 1 {
		s.Enqueue(queueActivity, s.Render(sim.CSVUTF8, table), sim.MessageOptions{})
		return
	}
	s.Enqueue(queueActivity, s.Package("Nightly", s.Member(sim.CSVUTF16LE, table),
		s.Member(sim.XMLElement, s.SampleEntity("Vendors V2", 3+i))), sim.MessageOptions{})
}

// Close ends the simulator. A folder that shows a fault is worth a look and
// stays.
func (w *queueWorkload) Close(keep bool) {
	w.server.CloseClientConnections()
	w.server.Close()
	_ = w.finops.Close()
	if !keep {
		_ = os.RemoveAll(w.folder)
	}
}

// ServeHTTP stands before the simulator.
func (w *queueWorkload) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/connector/") {
		if path.Base(path.Dir(r.URL.Path)) == sim.RouteAck {
			w.checkAck(r)
		}
		w.mu.Lock()
		w.calls++
		n, tell := w.calls, w.onCall
		w.mu.Unlock()
		if tell != nil {
			tell(n)
		}
	}
	if strings.Contains(r.URL.Path, "/connector/download/") && w.answeredByProxy(rw) {
		return
	}
	w.finops.Handler().ServeHTTP(rw, r)
}

// proxyAnswers are bodies of status 200 in place of a file.
var proxyAnswers = []struct{ kind, body string }{
	{"text/html", "<!DOCTYPE html><html><body><h1>Service Unavailable</h1></body></html>"},
	{"application/octet-stream", "<html><head><title>Access denied</title></head></html>"},
	{"application/xml", `<?xml version="1.0"?><Error><Code>ServerBusy</Code></Error>`},
	{"application/json", `{"error":{"code":"503","message":"upstream"}}`},
	{"text/plain", "upstream connect error or disconnect/reset before headers"},
}

// answeredByProxy has a proxy answer a tenth of the downloads.
func (w *queueWorkload) answeredByProxy(rw http.ResponseWriter) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pages == nil || w.pages.IntN(10) > 0 {
		return false
	}
	w.paged++
	answer := proxyAnswers[w.pages.IntN(len(proxyAnswers))]
	rw.Header().Set("Content-Type", answer.kind)
	_, _ = io.WriteString(rw, answer.body)
	return true
}

// checkAck looks whether FinOps may forget the message that a request is about
// to acknowledge: its raw file and all that becomes of it must be in the folder
// under their final names, which they get after their fsync.
func (w *queueWorkload) checkAck(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var m struct{ CorrelationID string }
	if err = errors.Join(err, json.Unmarshal(body, &m)); err != nil {
		w.complain("an ack that is no JSON: %v", err)
		return
	}
	w.mu.Lock()
	names := w.want[m.CorrelationID]
	w.mu.Unlock()
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(w.folder, name))
		switch {
		case err != nil:
			w.complain("message %s is acked while its %s is not there: %v", m.CorrelationID, name, err)
		case w.fileLine(name, content) != w.files[name]:
			w.complain("message %s is acked while its %s has other bytes", m.CorrelationID, name)
		}
	}
}

func (w *queueWorkload) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

func (w *queueWorkload) complaints() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.broken) == 0 {
		return nil
	}
	return errors.New(strings.Join(w.broken, "\n"))
}

// waiting is how many messages FinOps still keeps.
func (w *queueWorkload) waiting() int { return w.finops.Waiting(queueActivity) }

// handOutAgain lets so much time pass in FinOps that what was dequeued and not
// acked can be dequeued again.
func (w *queueWorkload) handOutAgain() { w.finops.Clock().Advance(sim.DefaultVisibility + time.Minute) }

// fileTree is raw files and outputs by their path below the folder.
type fileTree map[string]string

func (w *queueWorkload) readTree() (fileTree, error) {
	tree := fileTree{}
	for _, below := range []string{"out", filepath.Join(crashState, "raw")} {
		err := filepath.WalkDir(filepath.Join(w.folder, below), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(file)
			if err != nil || strings.HasPrefix(d.Name(), ".finrelay-output-") {
				return err // a marker's id is random
			}
			name, err := filepath.Rel(w.folder, file)
			tree[name] = w.fileLine(name, content)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return tree, nil
}

var dequeueTime = regexp.MustCompile(`(?m)^  "(event_time|order_key)": .*$`)

// fileLine is what two runs must have in common of a file: all its bytes, but
// for FinOps' address, which is another port in each run, and what a manifest
// tells of the time and the order of the dequeue.
func (w *queueWorkload) fileLine(name string, content []byte) string {
	if strings.HasSuffix(name, ".manifest.json") {
		content = dequeueTime.ReplaceAll(content, nil)
		content = bytes.ReplaceAll(content, []byte(w.server.Listener.Addr().String()), []byte("FINOPS"))
	}
	return fmt.Sprintf("%d bytes %x", len(content), sha256.Sum256(content))
}

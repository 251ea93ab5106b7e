package doors_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"finrelay/flows"
	"finrelay/flows/doors"
	"finrelay/state"
)

const key = "key-of-today"

// door is a listening door with a real ledger behind it. Nothing fetches: what
// a door promises ends at the commit.
type door struct {
	t      testing.TB
	db     *state.DB
	relay  *flows.Relay
	folder string
	mux    http.Handler
	url    string // of environment prod, without a key
	logged *lockedBuffer
}

func newDoor(t testing.TB, maxBody int64) *door {
	t.Helper()
	d := &door{t: t, folder: filepath.Join(t.TempDir(), "state"), logged: &lockedBuffer{}}
	db, err := state.OpenLedger(t.Context(), d.folder, state.Options{AnyFilesystem: true})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(d.logged, nil))
	relay, err := flows.New(db, flows.Config{Environments: map[string]flows.Environment{"prod": {}}, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(doors.Pattern, &doors.FinOps{Relay: relay, MaxBody: maxBody, Logger: log, Keys: func(environment string) doors.Keys {
		if environment == "closed" {
			return doors.NewKeys()
		}
		return doors.NewKeys("", key, "key-of-tomorrow+/=")
	}})
	server := httptest.NewServer(mux)
	d.mux = mux
	d.relay = relay
	d.db, d.url = db, server.URL+"/in/finops/prod"
	t.Cleanup(func() {
		server.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if strings.Contains(d.logged.String(), "sig=") || strings.Contains(d.logged.String(), key) {
			t.Error("the log holds a secret")
		}
	})
	return d
}

// answer is what came back, and where the answer is 2xx, read.
type answer struct {
	status int
	header http.Header
	text   string
	doors.Answer
}

func (d *door) post(body string) answer {
	return d.do("POST", d.url+"?code="+key, strings.NewReader(body))
}

func (d *door) do(method, url string, body io.Reader, header ...string) answer {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, url, body)
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.read(resp.StatusCode, resp.Header, text)
}

func (d *door) read(status int, header http.Header, text []byte) answer {
	d.t.Helper()
	a := answer{status: status, header: header, text: string(text)}
	if strings.Contains(a.text, "sig=") {
		d.t.Errorf("the answer holds a signature: %s", text)
	}
	if ct := header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") || !json.Valid(text) {
		d.t.Errorf("the answer is %s: %s", ct, text)
	}
	if status/100 == 2 {
		if err := json.Unmarshal(text, &a.Answer); err != nil || len(a.Events) == 0 {
			d.t.Errorf("%d without events: %s", status, text)
		}
	}
	return a
}

// events that are stored, read beside the writer.
func (d *door) events() []state.Event {
	d.t.Helper()
	all, err := d.db.Events(d.t.Context(), state.Filter{Limit: -1})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// refusals that the relay has noted.
func (d *door) refusals() []state.Refusal {
	d.t.Helper()
	all, err := d.relay.Refusals(d.t.Context(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

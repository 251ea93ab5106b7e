//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"finrelay/dmf/sim"
)

// finOps is the simulator behind a watch that times the calls of the queue.
type finOps struct {
	sim    *sim.Sim
	server *httptest.Server
	rows   int // in all messages

	mu        sync.Mutex
	first     time.Time // arrival of the first dequeue
	acked     time.Time // end of the last ack
	latencies time.Duration
	tail      time.Duration // of calls since the last ack: the dequeue that finds nothing
}

// startFinOps plays a scenario whose whole timeline is at the beginning.
func startFinOps(ctx context.Context, sc sim.Scenario) (*finOps, error) {
	f := &finOps{sim: sim.New(sc.Options(sim.Options{}))}
	f.server = httptest.NewServer(f)
	f.sim.SetBaseURL(f.server.URL)
	err := f.sim.Play(ctx, sc, sim.Target{Each: func(_ context.Context, p sim.Played) error {
		f.rows += p.Rows
		return nil
	}})
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *finOps) close() error {
	f.server.CloseClientConnections()
	f.server.Close()
	return f.sim.Close()
}

// ServeHTTP times a call from its arrival to the end of its answer.
func (f *finOps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	f.sim.Handler().ServeHTTP(w, r)
	if !strings.HasPrefix(r.URL.Path, "/api/connector/") {
		return
	}
	route := path.Base(path.Dir(r.URL.Path))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first.IsZero() {
		f.first = arrived
	}
	f.tail += time.Since(arrived)
	if route == sim.RouteAck {
		f.acked, f.latencies, f.tail = time.Now(), f.latencies+f.tail, 0
	}
}

// times gives the wall time from the first dequeue to the last ack, and the
// latencies in it.
func (f *finOps) times() (wall, latencies time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.acked.Sub(f.first), f.latencies
}

func (f *finOps) awaitDrained(ctx context.Context, activity string, patience time.Duration) error {
	for until := time.Now().Add(patience); f.sim.Waiting(activity) > 0; {
		if time.Now().After(until) {
			return fmt.Errorf("%d messages still wait after %s", f.sim.Waiting(activity), patience)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// check wants every message to have been handed out and downloaded once.
func (f *finOps) check(activity string) error {
	for i, m := range f.sim.Messages(activity) {
		if m.Dequeues() != 1 || m.Downloads() != 1 {
			return fmt.Errorf("message %d was dequeued %d times and downloaded %d times, want once", i, m.Dequeues(), m.Downloads())
		}
	}
	return nil
}

// checkLanded wants every row in the output.
func checkLanded(out string, messages, rows int) error {
	manifests, lines, stated := 0, 0, 0
	err := filepath.WalkDir(out, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") { // the output's marker is no data
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(name, ".manifest.json") {
			lines += bytes.Count(content, []byte("\n"))
			return nil
		}
		var m struct{ Rows int }
		err = json.Unmarshal(content, &m)
		manifests, stated = manifests+1, stated+m.Rows
		return err
	})
	if err == nil && (manifests != messages || lines != rows || stated != rows) {
		err = fmt.Errorf("%d messages of %d rows, but %d exports landed with %d rows, %d by their manifests", messages, rows, manifests, lines, stated)
	}
	return err
}

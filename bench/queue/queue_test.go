//go:build linux

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

func TestCheckLanded(t *testing.T) {
	out := t.TempDir()
	for name, content := range map[string]string{"x.jsonl.manifest.json": `{"rows":2}`, "x.jsonl": "{}\n{}\n"} {
		if err := os.WriteFile(filepath.Join(out, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkLanded(out, 1, 2); err != nil {
		t.Error(err)
	}
	if checkLanded(out, 2, 2) == nil || checkLanded(out, 1, 3) == nil {
		t.Error("an export or a row that is missing was not missed")
	}
}

// What the queue's own calls take counts up to the last ack, and a dequeue that
// finds nothing afterwards does not.
func TestLatencies(t *testing.T) {
	sc, err := scenario(filepath.Join("..", "..", "testdata", "scenarios", "backlog-2000.yaml"), backlog{messages: 2, delays: true})
	if err != nil {
		t.Fatal(err)
	}
	f, err := startFinOps(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for _, route := range []string{sim.RouteDequeue, sim.RouteAck, sim.RouteDequeue} { // refused without a token, but delayed
		method := http.MethodGet
		if route == sim.RouteAck {
			method = http.MethodPost
		}
		r, err := http.NewRequestWithContext(t.Context(), method, f.server.URL+"/api/connector/"+route+"/"+sc.Activities[0].ID, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	if f.rows == 0 || f.sim.Waiting(sc.Activities[0].ID) != 2 {
		t.Errorf("%d rows in %d messages, want some in 2", f.rows, f.sim.Waiting(sc.Activities[0].ID))
	}
	// Of three calls of 50 ms each the last one is not in it.
	if wall, latencies := f.times(); latencies < 100*time.Millisecond || latencies > wall {
		t.Errorf("latencies of %v in %v; want two calls of 50 ms, and no more than the time from first to last", latencies, wall)
	}
}

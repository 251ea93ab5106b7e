package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// untilDone runs sim until it says that all exports are done.
func untilDone(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out bytes.Buffer
	errs := &trigger{word: "exports are done", pull: stop}
	code = run(ctx, append([]string{"sim", "--listen", "127.0.0.1:0"}, args...), nil, &out, errs)
	return code, out.String(), errs.String()
}

func TestSimPrints(t *testing.T) {
	code, stdout, stderr := untilDone(t, "--every", "0", "--entity", "Vendors V2", "--entity", "Odd label", "--seed", "7", "--legal-entity", "dat")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var got []string
	for line := range strings.Lines(stdout) {
		var body struct{ BusinessEventId, EntityName, LegalEntity, DownloadURL string }
		if err := json.Unmarshal([]byte(line), &body); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		signed := strings.Contains(body.DownloadURL, "sig=") // or curl could do nothing with it
		got = append(got, fmt.Sprintf("%s,%s,%s,%v", body.BusinessEventId, body.EntityName, body.LegalEntity, signed))
	}
	want := []string{
		"BusinessEventsTestEndpointContract,,,false",
		"NAVAXDMFExportBusinessEvent,Vendors V2,dat,true",
		"NAVAXDMFExportBusinessEvent,Odd label,dat,true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("printed %q, want %q", got, want)
	}
	if strings.Contains(stderr, "sig=") || !strings.Contains(stderr, "loopback_links: true") {
		t.Errorf("standard error: %s", stderr)
	}
}

// door is a receiver that refuses its first event once.
type door struct {
	mu     sync.Mutex
	posts  int
	keys   []string
	bodies []string
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what is missing shows in the test
	d.mu.Lock()
	defer d.mu.Unlock()
	d.posts++
	if d.posts == 1 {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	d.keys = append(d.keys, r.URL.Query().Get("code"))
	d.bodies = append(d.bodies, string(body))
	w.WriteHeader(http.StatusAccepted)
}

func TestSimPosts(t *testing.T) {
	receiver := &door{}
	srv := httptest.NewServer(receiver)
	defer srv.Close()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("s+cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := untilDone(t, "--every", "1ms", "--count", "2", "--post", srv.URL+"/in/finops/uat", "--key-file", key,
		"--format", "package", "--entity", "Customer groups", "--entity", "Vendor groups")
	if code != exitDone || stdout != "" {
		t.Fatalf("exit code %d, standard output %q, standard error %s", code, stdout, stderr)
	}
	if len(receiver.bodies) != 3 || !strings.Contains(receiver.bodies[0], "BusinessEventsTestEndpointContract") ||
		!strings.Contains(receiver.bodies[2], `"NoOfRecords":40`) {
		t.Errorf("took %d events %q, want the endpoint test and two packages", len(receiver.bodies), receiver.bodies)
	}
	for _, k := range receiver.keys {
		if k != "s+cret" {
			t.Errorf("key %q, want s+cret", k)
		}
	}
	for _, want := range []string{"try 1: answered 503", "not now", "try 2: answered 202", "      uat:"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in %s", want, stderr)
		}
	}
	for _, never := range []string{"sig=", "s+cret", "s%2Bcret", "code="} {
		if strings.Contains(stderr, never) {
			t.Errorf("standard error holds %q: %s", never, stderr)
		}
	}
}

func TestSimRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--format xlsx":             "xml-element",
		"--post finops":             "http://127.0.0.1:8686",
		"--key a --key-file b":      "two ways",
		"--key-file /does/not/be":   "finrelay serve makes it",
		"--every -1s":               "negative",
		"--link-life 0":             "positive",
		"--entity=":                 "label",
		"--rows -1":                 "negative",
		"--speed 60":                "--speed is for a --scenario",
		"surplus":                   "surplus",
		"--listen 127.0.0.1:a_port": "a_port",
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"sim"}, strings.Fields(args)...), nil, &out, &errs)
		wantCode := exitUsage
		if strings.HasPrefix(args, "--listen") {
			wantCode = exitFailed
		}
		if code != wantCode || !strings.Contains(errs.String(), want) || out.Len() > 0 {
			t.Errorf("sim %s: exit code %d, %q; want %d and %q", args, code, &errs, wantCode, want)
		}
	}
}

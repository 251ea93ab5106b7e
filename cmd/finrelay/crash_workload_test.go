package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"finrelay/dmf/sim"
)

const crashKey = "a-key-for-crash-tests-0123456789"

// crashWorkload is what a simulated FinOps exports in the crash tests. The
// bodies are made once: a second run gets the very same bytes, so that ids,
// names and files have to come out the same.
type crashWorkload struct {
	finops *sim.Sim
	bodies [][]byte // in the order of sending
}

// newCrashWorkload takes every road that ends: landed from a bare file and
// from a package, landed with rows set aside, parked for bad rows and without
// a flow, a duplicate, a body that nobody can read.
func newCrashWorkload(t *testing.T) *crashWorkload {
	t.Helper()
	w := startCrashSim(t)
	s := w.finops
	groups := w.export(sim.ExportSpec{Entity: "Customer groups", Rows: 12})
	w.export(sim.ExportSpec{Entity: "Master data", Members: []sim.Member{
		s.Member(sim.CSVUTF16LE, s.SampleEntity("Customers V3", 9)),
		s.Member(sim.XMLElement, s.SampleEntity("Vendors V2", 7)),
		s.Member(sim.CSVUTF8, s.SampleEntity("Nobody wants this", 3)),
	}})
	ragged := s.SampleEntity("Released products V2", 8)
	ragged.Rows[5] = ragged.Rows[5][1:]
	w.export(sim.ExportSpec{Entity: "Released products V2", Table: &ragged})
	aside := s.SampleEntity("Exchange rates", 10)
	aside.Rows[4] = append(aside.Rows[4], "one too many")
	w.export(sim.ExportSpec{Entity: "Exchange rates", Format: sim.CSVSemicolon, Table: &aside})
	w.bodies = append(w.bodies, groups, []byte(`{"BusinessEventId": "cut sho`))
	return w
}

// startCrashSim starts a simulator that outlives every server of the test:
// links stay good over restarts.
func startCrashSim(t *testing.T) *crashWorkload {
	t.Helper()
	s := sim.New(sim.Options{Seed: 20260302})
	if _, err := s.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &crashWorkload{finops: s}
}

func (w *crashWorkload) export(spec sim.ExportSpec) (body []byte) {
	event, _ := w.finops.Export(spec)
	body = w.finops.Payload(event)
	w.bodies = append(w.bodies, body)
	return body
}

var signature = regexp.MustCompile(`sig=([^&"]+)`)

// signatures are the secrets in the bodies.
func (w *crashWorkload) signatures() []string {
	var all []string
	for _, b := range w.bodies {
		for _, m := range signature.FindAllStringSubmatch(string(b), -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// crashState is where the ledger is, in folders that the server has to make.
const crashState = "var/lib/state"

const crashConfig = `state: var/lib/state
listen: 127.0.0.1:0
environments:
  prod: {loopback_links: true, link_hosts: ["%s"]}
doors: {finops: {keys: ["%s"]}}
outputs: {files: {folder: out}}
flows:
  - {name: aside, entities: ["Exchange rates"], on_bad_rows: land}
  - {name: most, entities: ["C*", "V*", "R*"]}
shutdown: {grace: %s}
`

// folder makes a folder with the configuration for this simulator. All paths
// in it are relative, so that a folder may be copied.
func (w *crashWorkload) folder(t *testing.T, grace string) string {
	t.Helper()
	// Not t.TempDir: its path would be too long for the control socket.
	dir, err := os.MkdirTemp("", "finrelay-crash")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			os.RemoveAll(dir)
			return
		}
		t.Logf("kept for a look: %s", dir)
	})
	w.configure(t, dir, grace)
	return dir
}

func (w *crashWorkload) configure(t *testing.T, dir, grace string) {
	t.Helper()
	host := strings.TrimPrefix(w.finops.BaseURL(), "http://")
	text := fmt.Sprintf(crashConfig, host, crashKey, grace)
	if err := os.WriteFile(filepath.Join(dir, defaultFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

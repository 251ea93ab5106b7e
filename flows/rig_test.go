package flows

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/exporter/fetch"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// rig is a FinOps and the folders of one finrelay, which may be started,
// stopped and started again with another configuration.
type rig struct {
	t      *testing.T
	fo     *sim.Sim
	state  string
	out    string
	ahead  atomic.Int64 // how far the ledger's clock is before the real one
	clock  *sim.Clock   // of the ledger, instead of the real one; nil = none
	logged safeBuffer
	trace  atomic.Pointer[func(string)]

	db    *state.DB
	relay *Relay
	end   func() error // ends Run and gives what it returned; nil when it does not run
}

func newRig(t *testing.T) *rig {
	t.Helper()
	w := newRigOn(t, sim.New(sim.Options{Seed: 7}))
	if _, err := w.fo.Start(""); err != nil {
		t.Fatal(err)
	}
	return w
}

// newRigOn is newRig with a simulator of the caller's, who starts it.
func newRigOn(t *testing.T, fo *sim.Sim) *rig {
	t.Helper()
	w := &rig{t: t, fo: fo, state: filepath.Join(t.TempDir(), "state"), out: filepath.Join(t.TempDir(), "out")}
	t.Cleanup(func() {
		w.shut()
		if err := w.fo.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// now is the time of the ledger and of the client.
func (w *rig) now() time.Time {
	if w.clock != nil {
		return w.clock.Now()
	}
	return time.Now().Add(time.Duration(w.ahead.Load()))
}

// loopback is an environment whose links lead to the simulator.
func loopback() Environment { return Environment{Link: fetch.ClientOptions{Loopback: true}} }

// takesAll is the configuration of most tests: one flow, one output.
func (w *rig) takesAll() Config {
	return Config{
		Environments: map[string]Environment{"prod": loopback()},
		Flows:        []Flow{{Name: "all", Outputs: []string{"files"}}},
		Outputs:      map[string]outputs.Output{"files": w.files()},
		Grace:        100 * time.Millisecond,
	}
}

func (w *rig) files() outputs.Output {
	f, err := outputs.NewFiles(outputs.FilesOptions{Name: "files", Folder: w.out})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// open opens the ledger and makes a Relay; it does not run yet.
func (w *rig) open(cfg Config) {
	w.t.Helper()
	w.shut()
	db, err := state.OpenLedger(w.t.Context(), w.state, state.Options{AnyFilesystem: true})
	if err != nil {
		w.t.Fatal(err)
	}
	db.Now = w.now
	cfg.Logger = slog.New(slog.NewTextHandler(&w.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.Trace = func(step string) {
		if f := w.trace.Load(); f != nil {
			(*f)(step)
		}
	}
	w.db = db
	if w.relay, err = New(db, cfg); err != nil {
		w.t.Fatal(err)
	}
}

func (w *rig) run(cfg Config) {
	w.t.Helper()
	w.open(cfg)
	w.start()
}

func (w *rig) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.relay.Run(ctx) }()
	w.end = func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			w.t.Error("Run does not end")
			return nil
		}
	}
}

// stop ends Run and leaves the ledger open.
func (w *rig) stop() {
	w.t.Helper()
	if w.end == nil {
		return
	}
	if err := w.end(); err != nil {
		w.t.Errorf("Run: %v", err)
	}
	w.end = nil
}

func (w *rig) shut() {
	w.t.Helper()
	w.stop()
	if w.db == nil {
		return
	}
	if err := w.db.Close(); err != nil {
		w.t.Error(err)
	}
	w.db = nil
	// Wherever it ends, nothing that was logged may open a link.
	if s := w.logged.String(); strings.Contains(s, "sig=") {
		w.t.Error("a signature stands in the log")
	}
}

// onTrace calls f at each step from now on; nil ends that.
func (w *rig) onTrace(f func(step string)) {
	if f == nil {
		f = func(string) {}
	}
	w.trace.Store(&f)
}

// post hands a body over as a door does.
func (w *rig) post(body []byte) []Receipt {
	w.t.Helper()
	receipts, err := w.relay.Accept(w.t.Context(), ReadBody("prod", "finops", body, w.relay.FieldNames()))
	if err != nil {
		w.t.Fatal(err)
	}
	return receipts
}

// export writes a file in FinOps and posts its event.
func (w *rig) export(spec sim.ExportSpec) (Receipt, sim.Event, *sim.Blob) {
	w.t.Helper()
	e, blob := w.fo.Export(spec)
	return w.post(w.fo.Payload(e))[0], e, blob
}

// advance moves the ledger's clock and makes the pools look at it.
func (w *rig) advance(d time.Duration) {
	w.t.Helper()
	w.ahead.Add(int64(d))
	if _, err := w.db.ResetEnvironment(w.t.Context(), "the-clock-moved", ""); err != nil {
		w.t.Fatal(err)
	}
}

// until waits for a condition, looking after each commit, and now and then at
// what the ledger does not tell.
func (w *rig) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		changed := w.db.Changed()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			w.t.Fatalf("not within 15 s: %s\n%s", what, w.picture())
		}
	}
}

// settle waits until nothing is on its way.
func (w *rig) settle() {
	w.t.Helper()
	w.until("everything at rest", func() bool {
		idle, err := w.relay.Idle(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		return idle
	})
}

func (w *rig) shipment(id string) state.Shipment {
	w.t.Helper()
	s, err := w.db.Shipment(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// exports of a shipment, oldest first.
func (w *rig) exports(shipmentID string) []state.Export {
	w.t.Helper()
	all, err := w.db.Exports(w.t.Context(), state.Filter{ShipmentID: shipmentID, Limit: -1})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

// only is the shipment's one export.
func (w *rig) only(shipmentID string) state.Export {
	w.t.Helper()
	all := w.exports(shipmentID)
	if len(all) != 1 {
		w.t.Fatalf("%d exports, want 1\n%s", len(all), w.picture())
	}
	return all[0]
}

func (w *rig) where(e state.Export) Whereabouts {
	w.t.Helper()
	d, err := w.db.Deliveries(w.t.Context(), e.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.relay.ExportWhereabouts(e, w.shipment(e.ShipmentID), d)
}

// wantExport checks where an export stands.
func (w *rig) wantExport(e state.Export, s state.State, reason state.Reason, place Place) {
	w.t.Helper()
	at := w.where(e)
	if e.State != s || e.Reason != reason || at.Place != place {
		w.t.Fatalf("export of %s is %s %q (%s), rows %q; want %s %q, rows %q", e.Entity, e.State, e.Reason, e.Detail, at.Place, s, reason, place)
	}
	if s == state.Parked && at.Next == "" {
		w.t.Errorf("parked as %s, and not a word what to do", reason)
	}
}

func (w *rig) wantShipment(id string, st state.State, reason state.Reason, place Place) state.Shipment {
	w.t.Helper()
	s := w.shipment(id)
	at := w.relay.ShipmentWhereabouts(s)
	if s.State != st || s.Reason != reason || at.Place != place {
		w.t.Fatalf("shipment is %s %q (%s), rows %q; want %s %q, rows %q", s.State, s.Reason, s.Detail, at.Place, st, reason, place)
	}
	if strings.Contains(s.Detail+at.Next+at.String(), "sig=") {
		w.t.Error("a signature is shown")
	}
	return s
}

// tree gives every file below the output folder but its marker, by its path.
func (w *rig) tree() map[string]string {
	w.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(w.out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".finrelay-output-") {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(w.out, path)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return files
}

// manifest of an export, as a consumer reads it.
func (w *rig) manifest(e state.Export) map[string]any {
	w.t.Helper()
	for path, data := range w.tree() {
		if strings.HasSuffix(path, ".manifest.json") && strings.Contains(path, e.ID) {
			m := map[string]any{}
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				w.t.Fatal(err)
			}
			return m
		}
	}
	w.t.Fatalf("no manifest of %s among %v", e.ID, keys(w.tree()))
	return nil
}

// rows of an export that landed, each as column and value.
func (w *rig) rows(e state.Export) []map[string]any {
	w.t.Helper()
	var rows []map[string]any
	for path, data := range w.tree() {
		if !strings.HasSuffix(path, e.ID+".jsonl") {
			continue
		}
		for line := range strings.Lines(data) {
			row := map[string]any{}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				w.t.Fatal(err)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// wantRows compares what landed with a table, value for value.
func (w *rig) wantRows(e state.Export, want sim.Table) {
	w.t.Helper()
	got := w.rows(e)
	if len(got) != len(want.Rows) {
		w.t.Fatalf("%d rows of %s landed, want %d", len(got), e.Entity, len(want.Rows))
	}
	for i, row := range want.Rows {
		for j, column := range want.Columns {
			if got[i][column] != row[j] {
				w.t.Errorf("%s, row %d, %s: %q, want %q", e.Entity, i+1, column, got[i][column], row[j])
			}
		}
	}
}

func keys[V any](m map[string]V) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// sql runs a statement on the ledger's file, beside its owner: how a test
// makes the ledger refuse a transition.
func (w *rig) sql(query string) {
	w.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.state, state.File)+"?_busy_timeout=5000")
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(w.t.Context(), query); err != nil {
		w.t.Fatal(err)
	}
}

// picture is the ledger and the log, for a test that failed.
func (w *rig) picture() string {
	var b strings.Builder
	shipments, _ := w.db.Shipments(context.Background(), state.Filter{Limit: 10})
	for _, s := range shipments {
		b.WriteString(strings.Join([]string{s.ID, s.Entity, string(s.State), string(s.Reason), s.Detail}, " ") + "\n")
	}
	exports, _ := w.db.Exports(context.Background(), state.Filter{Limit: 10})
	for _, e := range exports {
		b.WriteString(strings.Join([]string{e.ID, e.Entity, string(e.State), string(e.Reason), e.Detail}, " ") + "\n")
	}
	log := w.logged.String()
	return b.String() + log[max(0, len(log)-2000):]
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func ptr[T any](v T) *T { return &v }

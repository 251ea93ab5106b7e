package state

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ledger is an open ledger with a clock in the test's hand. Its methods take
// one step each and end the test when the step fails.
type ledger struct {
	*DB
	t     testing.TB
	clock *atomic.Int64 // ms
}

// template is a migrated, empty ledger file: to migrate for each case would
// make the tables slow.
var template = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "ledger")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	db, err := OpenLedger(context.Background(), folder, Options{AnyFilesystem: true})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(folder, File))
})

// newLedger is a ledger in a folder of its own. In tests its commits are not
// synced, which nothing but a power cut could tell; openLedger's are.
func newLedger(t testing.TB) *ledger {
	t.Helper()
	file, err := template()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, File), file, 0o600); err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, folder)
	if _, bench := t.(*testing.B); !bench {
		l.unsafe()
	}
	return l
}

func openLedger(t testing.TB, folder string) *ledger {
	t.Helper()
	db, err := OpenLedger(context.Background(), folder, Options{AnyFilesystem: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	l := &ledger{DB: db, t: t, clock: new(atomic.Int64)}
	l.clock.Store(testTime.UnixMilli())
	db.Now = func() time.Time { return fromMillis(l.clock.Load()) }
	return l
}

// unsafe spares the fsync of each commit.
func (l *ledger) unsafe() {
	l.t.Helper()
	_, err := l.conn.ExecContext(context.Background(), "PRAGMA synchronous = OFF")
	l.must(err)
}

func (l *ledger) pass(d time.Duration) { l.clock.Add(d.Milliseconds()) }

func (l *ledger) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// outside is a connection as another process would have it.
func outside(t testing.TB, folder, mode string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", dsn(filepath.Join(folder, File), url.Values{"mode": {mode}}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (l *ledger) accept(arrivals ...Arrival) []Receipt {
	l.t.Helper()
	receipts, err := l.Accept(context.Background(), arrivals)
	l.must(err)
	return receipts
}

// pending accepts one export event and gives its shipment.
func (l *ledger) pending(identity string) string {
	l.t.Helper()
	return l.accept(arrival(identity))[0].ShipmentID
}

func (l *ledger) claim(limit int) []FetchJob {
	l.t.Helper()
	jobs, err := l.ClaimFetches(context.Background(), FetchClaims{Owner: "test", Lease: time.Minute, Limit: limit})
	l.must(err)
	return jobs
}

// fetching brings a new shipment to fetching; no other link may be due.
func (l *ledger) fetching(identity string) string {
	l.t.Helper()
	id := l.pending(identity)
	if jobs := l.claim(1); len(jobs) != 1 || jobs[0].Shipment.ID != id {
		l.t.Fatalf("claimed %v; want %s", jobs, id)
	}
	return id
}

func (l *ledger) fetched(identity string) string {
	l.t.Helper()
	id := l.fetching(identity)
	l.must(l.Fetched(context.Background(), id, RawFile{File: "raw/" + id, Bytes: 10, SHA256: "ab", Proof: ProofWhole}))
	return id
}

func newExport(member string, outputs ...string) NewExport {
	e := NewExport{Member: member, Entity: "Customer groups", LegalEntity: "usmf", Flow: "all"}
	for _, o := range outputs {
		e.Deliveries = append(e.Deliveries, NewDelivery{Output: o, Flow: "all"})
	}
	return e
}

// opened brings a new shipment with one export to its outputs; the export's id.
func (l *ledger) opened(identity string, outputs ...string) string {
	l.t.Helper()
	id := l.fetched(identity)
	l.must(l.Opened(context.Background(), id, "", []NewExport{newExport("", outputs...)}))
	return ExportID(id, "")
}

// running claims every due delivery.
func (l *ledger) running() []DeliveryJob {
	l.t.Helper()
	jobs, err := l.ClaimDeliveries(context.Background(), "test", time.Minute, 100)
	l.must(err)
	return jobs
}

func (l *ledger) deliver(exportID, output string, rows int64) {
	l.t.Helper()
	l.must(l.Delivered(context.Background(), DeliveryKey{exportID, output}, Landing{Path: output + "/x", Counts: Counts{Rows: rows}}))
}

// landed walks one export all the way to output "out".
func (l *ledger) landed(identity string, rows int64) string {
	l.t.Helper()
	id := l.opened(identity, "out")
	l.running()
	l.deliver(id, "out", rows)
	return id
}

func (l *ledger) shipment(id string) Shipment {
	l.t.Helper()
	s, err := l.Shipment(context.Background(), id)
	l.must(err)
	return s
}

func (l *ledger) export(id string) Export {
	l.t.Helper()
	e, err := l.Export(context.Background(), id)
	l.must(err)
	return e
}

// delivery gives one delivery; the zero one when there is none.
func (l *ledger) delivery(exportID, output string) Delivery {
	l.t.Helper()
	all, err := l.Deliveries(context.Background(), exportID)
	l.must(err)
	for _, d := range all {
		if d.Output == output {
			return d
		}
	}
	return Delivery{}
}

func (l *ledger) hasLink(shipmentID string) bool {
	l.t.Helper()
	has, err := l.HasLink(context.Background(), shipmentID)
	l.must(err)
	return has
}

func (l *ledger) link(shipmentID string) string {
	l.t.Helper()
	var link string
	l.must(l.readRow(context.Background(), `SELECT url FROM links WHERE seq = (SELECT seq FROM shipments WHERE id = ?1)`, []any{shipmentID}, &link))
	return link
}

func (l *ledger) count(query string, args ...any) (n int) {
	l.t.Helper()
	l.must(l.readRow(context.Background(), query, args, &n))
	return n
}

func (l *ledger) journal() []JournalEntry {
	l.t.Helper()
	all, err := l.Journal(context.Background(), 0, 1<<30)
	l.must(err)
	return all
}

// dump is every row of every table, as text.
func (l *ledger) dump() string {
	l.t.Helper()
	var b strings.Builder
	for _, table := range []string{"environments", "events", "bodies", "links", "unread", "shipments", "exports", "deliveries", "checkpoints", "messages", "queues", "executions", "places", "journal"} {
		rows, err := l.read.Query(`SELECT * FROM ` + table + ` ORDER BY 1, 2`)
		l.must(err)
		columns, err := rows.Columns()
		l.must(err)
		l.must(eachRow(rows, func(scan func(...any) error) error {
			values := make([]any, len(columns))
			dest := make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			err := scan(dest...)
			fmt.Fprintln(&b, table, values)
			return err
		}))
	}
	return b.String()
}

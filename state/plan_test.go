package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
)

// history is a ledger with many settled exports and little that is open.
func history(t testing.TB, settled int) *ledger {
	t.Helper()
	l := newLedger(t)
	_, err := l.conn.ExecContext(bg, fmt.Sprintf(`
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO events (id, environment, epoch, door, identity, state, event_at, received_at, shipment_id, last_seen_at, entity)
		SELECT printf('ev_%%016d', i), 'prod', 0, 'finops', i, 'accepted', i, i, printf('sh_%%016d', i), i, 'E' || i %% 50 FROM n;
		INSERT INTO shipments (id, environment, source, event_id, identity, entity, legal_entity, execution_id, definition_group, order_at, order_no, link_path,
			deadline, state, due_at, received_at, fetched_at, opened_at, settled_at, raw_file, raw_removed_at)
		SELECT shipment_id, environment, 'event', id, identity, entity, 'usmf', '', '', event_at, seq, '', 0, 'settled', 0, received_at, 1, 1, 1, 'raw/x', 1 FROM events;
		INSERT INTO exports (id, shipment_id, environment, member, entity, target_entity, legal_entity, refresh_type, project, flow, order_at, order_no, state, received_at, landed_at)
		SELECT 'ex' || substr(id, 3), id, environment, '', entity, '', legal_entity, '', '', 'all', order_at, order_no, 'landed', received_at, 1 FROM shipments;
		INSERT INTO deliveries (export_id, output, flow, state, due_at, rows, delivered_at) SELECT id, 'out', 'all', 'delivered', 0, 1, 1 FROM exports;
		INSERT INTO journal (at, kind, subject, shipment_id, to_state) SELECT received_at, 'shipment', id, id, 'settled' FROM shipments;
	`, settled))
	l.must(err)
	return l
}

// queries notes what a ledger's connections are asked to prepare.
type queries struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (q *queries) note(query string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen[query] = true
}

func (q *queries) take() map[string]bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	seen := q.seen
	q.seen = map[string]bool{}
	return seen
}

// noting is a connector whose connections note their queries.
type noting struct {
	dsn string
	q   *queries
}

type notingConn struct {
	*sqlite3.SQLiteConn
	q *queries
}

func (n noting) Connect(context.Context) (driver.Conn, error) {
	c, err := n.Driver().Open(n.dsn)
	if err != nil {
		return nil, err
	}
	return notingConn{c.(*sqlite3.SQLiteConn), n.q}, nil
}

func (n noting) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (c notingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.q.note(query)
	return c.SQLiteConn.QueryContext(ctx, query, args)
}

// What runs often must find its rows by an index, however much history there
// is: no transition, claim, status or list of what is open may scan a table
// that only grows.
func TestHotQueriesUseTheirIndexes(t *testing.T) {
	const settled = 4000
	l := history(t, settled)
	q := &queries{seen: map[string]bool{}}
	l.must(l.read.Close())
	l.read = sql.OpenDB(noting{dsn(l.Folder()+"/"+File, nil), q})
	for what, run := range map[string]func() error{
		"a shipment's way": func() error {
			l.claim(99) // what the others left pending
			id := l.opened("way", "out", "bad")
			l.running()
			l.deliver(id, "out", 1)
			l.must(l.ParkDelivery(bg, DeliveryKey{id, "bad"}, ReasonOutput, "", Counts{}))
			l.must(l.RerunExport(bg, id, "all", []NewDelivery{{"out", "all"}}, "by eve"))
			return nil
		},
		"a duplicate":    func() error { l.accept(arrival("dup"), arrival("dup")); return nil },
		"recover":        func() error { l.recover(); return nil },
		"next fetch":     func() error { return errOf(l.NextFetch(bg, time.Time{})) },
		"next delivery":  func() error { return errOf(l.NextDelivery(bg)) },
		"status":         func() error { return errOf(l.Status(bg, "")) },
		"checkpoints":    func() error { return errOf(l.Checkpoints(bg, Filter{})) },
		"parked exports": func() error { return errOf(l.Exports(bg, Filter{States: []State{Parked}, Limit: -1})) },
		"open exports":   func() error { return errOf(l.Exports(bg, Filter{States: []State{Open, Parked}, Environment: "prod"})) },
		"waiting exports": func() error {
			return errOf(l.Exports(bg, Filter{States: []State{Waiting}, Reason: ReasonOutput, Limit: -1}))
		},
		"waits":           func() error { return errOf(l.Waits(bg, "prod")) },
		"links late":      func() error { return errOf(l.LinksLate(bg, "prod")) },
		"overdue":         func() error { return errOf(l.Overdue(bg, "prod")) },
		"retry":           func() error { return errOf(l.Retry(bg, RetryScope{Environment: "prod"}, "by eve")) },
		"trying":          func() error { return errOf(l.Trying(bg, RetryScope{})) },
		"stuck shipments": func() error { return errOf(l.Shipments(bg, Filter{States: []State{Parked, Expired}})) },
		"unreadable":      func() error { return errOf(l.Events(bg, Filter{States: []State{Unreadable}})) },
		"unseen remarks":  func() error { return errOf(l.UnseenRemarks(bg, "prod")) },
		"unseen exports":  func() error { return errOf(l.Exports(bg, Filter{Unseen: true, Limit: -1})) },
		"a remark": func() error {
			return errOf(l.Exports(bg, Filter{Remark: RemarkRowMismatch, Unseen: true, Environment: "prod"}))
		},
		"an entity":        func() error { return errOf(l.Exports(bg, Filter{Entity: "e7", Limit: 10})) },
		"the labels":       func() error { return errOf(l.Entities(bg)) },
		"a shipment's own": func() error { return errOf(l.Exports(bg, Filter{ShipmentID: "sh_0000000000000007"})) },
		"journal": func() error {
			return errOf(l.JournalOf(bg, JournalFilter{Environment: "prod", Entity: "E*", Flow: "all", Kinds: []Kind{KindExport}}, 0, 9))
		},
		"find":            func() error { return errOf(l.Find(bg, "ex_0000000000000007")) },
		"story, shipment": func() error { return errOf(l.Story(bg, "sh_0000000000000007")) },
		"story, event":    func() error { return errOf(l.Story(bg, "ev_0000000000000007")) },
		"story, export":   func() error { return errOf(l.Story(bg, "ex_0000000000000007")) },
		"deliveries":      func() error { return errOf(l.Deliveries(bg, "ex_0000000000000007")) },
		"raw wanted":      func() error { return errOf(l.RawWanted(bg, "sh_0000000000000007")) },
		"release raw":     func() error { return errOf(l.ReleaseRaw(bg, testTime, 10)) },
	} {
		q.take()
		known := map[string]bool{}
		for query := range l.stmts {
			known[query] = true
		}
		if err := run(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		asked := q.take()
		l.must(l.update(bg, func(*tx) error { // on the writer's goroutine, whose map it is
			for query := range l.stmts {
				if !known[query] {
					asked[query] = true
				}
			}
			return nil
		}))
		for query := range asked {
			if scan := fullScan(l, query); scan != "" {
				t.Errorf("%s: %s\n\tin %s", what, scan, strings.Join(strings.Fields(query), " "))
			}
		}
	}
}

// fullScan gives the first step of a query's plan that reads all of a growing
// table; a scan along a partial index reads what is open only.
func fullScan(l *ledger, query string) string {
	l.t.Helper()
	if word := strings.Fields(query)[0]; !strings.Contains(" SELECT WITH UPDATE DELETE INSERT ", " "+word+" ") {
		return ""
	}
	args := make([]any, strings.Count(query, "?"))
	most := 0
	for i := 1; i <= len(args); i++ {
		if strings.Contains(query, fmt.Sprintf("?%d", i)) {
			most = i
		}
	}
	rows, err := l.conn.QueryContext(bg, "EXPLAIN QUERY PLAN "+query, args[:most]...)
	l.must(err)
	found := ""
	l.must(eachRow(rows, func(scan func(...any) error) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		words := strings.Fields(detail)
		partial := map[string]bool{"shipments_due": true, "shipments_wake": true, "shipments_unopen": true, "shipments_open": true, "shipments_raw": true,
			"exports_open": true, "exports_remarked": true, "exports_unseen": true, "deliveries_due": true, "deliveries_wake": true, "deliveries_live": true, "events_unreadable": true}
		if len(words) > 1 && words[0] == "SCAN" && found == "" {
			for table, aliases := range map[string]string{"events": "events e", "shipments": "shipments s", "exports": "exports x", "deliveries": "deliveries d", "journal": "journal j"} {
				if strings.Contains(" "+aliases+" ", " "+words[1]+" ") && !partial[words[len(words)-1]] && strings.Contains(query, table) {
					found = detail
				}
			}
		}
		return err
	}))
	return found
}

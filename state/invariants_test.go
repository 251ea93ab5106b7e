package state

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Errorf(string, ...any)
	Fatal(...any)
}

// checkInvariants reads the whole ledger and checks what must hold between any
// two transitions.
func checkInvariants(t failer, db *DB, after string) {
	t.Helper()
	for what, query := range map[string]string{
		"a settled shipment has an open export that was never landed": `SELECT s.id FROM shipments s JOIN exports e ON e.shipment_id = s.id
			WHERE s.state = 'settled' AND e.state = 'open' AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.subject = e.id AND j.reason = 'rerun')`,
		"a shipment at rest is not settled":           `SELECT s.id FROM shipments s WHERE s.state = 'fetched' AND s.opened_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM exports e WHERE e.shipment_id = s.id AND e.state = 'open')`,
		"a landed export has a delivery not done":     `SELECT e.id FROM exports e JOIN deliveries d ON d.export_id = e.id WHERE e.state = 'landed' AND d.state <> 'delivered'`,
		"a landed export has no delivery":             `SELECT id FROM exports e WHERE state = 'landed' AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.export_id = e.id)`,
		"an open export waits for nothing":            `SELECT id FROM exports e WHERE state = 'open' AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.export_id = e.id AND d.state IN ('ready', 'running', 'waiting'))`,
		"an export has a parked delivery and is open": `SELECT e.id FROM exports e JOIN deliveries d ON d.export_id = e.id WHERE e.state = 'open' AND d.state = 'parked'`,
		"a signature outlived its shipment's settle":  `SELECT s.id FROM links l JOIN shipments s ON s.seq = l.seq WHERE s.state = 'settled'`,
		"a shipment to fetch has no link":             `SELECT id FROM shipments s WHERE source <> 'queue' AND state IN ('pending', 'fetching', 'waiting', 'expired') AND NOT EXISTS (SELECT 1 FROM links l WHERE l.seq = s.seq)`,
		"a link or body without owner":                `SELECT 'links' FROM links WHERE seq NOT IN (SELECT seq FROM shipments) UNION ALL SELECT 'bodies' FROM bodies WHERE seq NOT IN (SELECT seq FROM events)`,
		"an event that was read keeps its raw body":   `SELECT e.id FROM unread u JOIN events e ON e.seq = u.seq WHERE e.state <> 'unreadable'`,
		"an unreadable event lost its body":           `SELECT id FROM events e WHERE state = 'unreadable' AND NOT EXISTS (SELECT 1 FROM unread u WHERE u.seq = e.seq)`,
		"an accepted event has no shipment":           `SELECT id FROM events e WHERE state = 'accepted' AND NOT EXISTS (SELECT 1 FROM shipments s WHERE s.id = e.shipment_id)`,
		"a claim without a worker's state":            `SELECT id FROM shipments WHERE owner <> '' AND NOT (state = 'fetching' OR state = 'fetched' AND opened_at IS NULL)`,
		"rows needed but the raw file was let go":     `SELECT s.id FROM shipments s JOIN exports e ON e.shipment_id = s.id WHERE s.raw_removed_at IS NOT NULL AND e.state IN ('open', 'parked')`,
		"a message that is kept from FinOps' ack though its shipment is at rest": `SELECT m.shipment_id FROM messages m JOIN shipments s ON s.seq = m.seq
			WHERE m.state = 'held' AND (s.state = 'settled' OR s.state = 'parked' AND s.raw_file <> '')
			AND NOT EXISTS (SELECT 1 FROM exports c JOIN exports o ON o.id = c.twin WHERE c.shipment_id = s.id AND c.reason = 'same_export' AND o.state = 'open')`,
		"two runs of one project": `SELECT a.id FROM executions a JOIN executions b ON a.environment = b.environment AND a.project = b.project AND a.seq < b.seq
			WHERE a.state IN ('starting', 'running', 'stuck') AND b.state IN ('starting', 'running', 'stuck')`,
		"a run done without its shipment": `SELECT x.id FROM executions x WHERE x.state = 'done' AND NOT EXISTS (SELECT 1 FROM shipments s WHERE s.id = x.shipment_id)`,
		"an ack of what could still be lost": `SELECT m.shipment_id FROM messages m JOIN shipments s ON s.seq = m.seq
			WHERE m.state <> 'held' AND (s.proof = '' OR s.raw_file = '' AND s.state <> 'settled')`,
		"a raw file that nothing says is the export": `SELECT id FROM shipments WHERE raw_file <> '' AND proof = ''`,
		"a receipt kept after its ack":               `SELECT shipment_id FROM messages WHERE state IN ('acked', 'assumed') AND body <> x''`,
	} {
		var id string
		err := db.readRow(bg, query, nil, &id)
		if err == nil {
			t.Errorf("after %s: %s: %s", after, what, id)
		} else if err != ErrNotFound {
			t.Fatal(what, err)
		}
	}
	checkReplay(t, db, after)
}

// checkReplay: the last state that the journal tells of each subject is the
// one that its row has.
func checkReplay(t failer, db *DB, after string) {
	t.Helper()
	entries, err := db.Journal(bg, 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]State{}
	for _, e := range entries {
		if was, known := told[e.Subject]; known && was != e.From && e.Kind != KindEvent && e.Kind != KindEnvironment && e.From != "" {
			t.Errorf("after %s: journal %d: %s leaves %q but was %q", after, e.Seq, e.Subject, e.From, was)
		}
		told[e.Subject] = e.To
	}
	type row struct {
		id    string
		state State
	}
	rows, err := collect(bg, db, `SELECT id, state FROM events WHERE state <> 'accepted' UNION ALL SELECT id, state FROM shipments
		UNION ALL SELECT id, state FROM exports UNION ALL SELECT export_id || '/' || output, state FROM deliveries
		UNION ALL SELECT shipment_id || '/message', state FROM messages UNION ALL SELECT id, state FROM executions
		UNION ALL SELECT flow || '@' || environment, state FROM cadences
		UNION ALL SELECT DISTINCT output, 'placed' FROM places
		UNION ALL SELECT flow || '@' || environment || '/' || entity, state FROM missing`, nil,
		func(scan func(...any) error) (r row, err error) {
			err = scan(&r.id, &r.state)
			return r, err
		})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if told[r.id] != r.state {
			t.Errorf("after %s: %s is %q, but its journal ends with %q", after, r.id, r.state, told[r.id])
		}
	}
}

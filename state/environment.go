package state

import (
	"context"
	"fmt"
	"time"
)

// epoch is read inside the transaction: a reset that stands before it in the
// same commit counts, and one that is undone does not.
func (t *tx) epoch(environment string) (int64, error) {
	if e, ok := t.db.epochs[environment]; ok {
		return e, nil
	}
	var e int64
	err := t.row(`SELECT epoch FROM environments WHERE name = ?1`, []any{environment}, &e)
	if err != nil && err != ErrNotFound { // not found: never reset
		return 0, err
	}
	t.db.epochs[environment] = e
	return e, nil
}

// ResetEnvironment starts a new epoch: identities that were seen before do not
// make a duplicate any more. It is for the day a FinOps database was restored
// or refreshed, when its counters and ids begin to repeat. Nothing that is
// stored is touched. It returns the new epoch.
func (db *DB) ResetEnvironment(ctx context.Context, name, why string) (int64, error) {
	var epoch int64
	err := db.update(ctx, func(t *tx) error {
		delete(db.epochs, name)
		if err := t.row(`INSERT INTO environments (name, epoch, since, why) VALUES (?1, 1, ?2, ?3)
			ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, since = excluded.since, why = excluded.why
			RETURNING epoch`, []any{name, t.now, why}, &epoch); err != nil {
			return err
		}
		return t.note(KindEnvironment, name, "", "", State(fmt.Sprintf("epoch %d", epoch)), ReasonNewEpoch, why)
	})
	return epoch, err
}

// Epoch is what is known of an environment since its last reset: what makes a
// duplicate of the next arrival.
type Epoch struct {
	Number   int64     // 0 until the first reset
	Since    time.Time // zero in epoch 0
	Events   int64
	LastSeen time.Time // of those events; zero when there is none
	Messages int64     // of queues
	Unacked  int64     // of those: FinOps hands them out again
}

// Epoch reads an environment's present epoch. It reads all events: for a verb
// that is said once a year.
func (db *DB) Epoch(ctx context.Context, environment string) (e Epoch, err error) {
	var since, last int64
	err = db.readRow(ctx, `SELECT coalesce(max(epoch), 0), coalesce(max(since), 0) FROM environments WHERE name = ?1`, []any{environment}, &e.Number, &since)
	if err != nil {
		return e, err
	}
	err = db.readRow(ctx, `SELECT count(*), coalesce(max(last_seen_at), 0) FROM events WHERE environment = ?1 AND epoch = ?2`,
		[]any{environment, e.Number}, &e.Events, &last)
	if err != nil {
		return e, err
	}
	e.Since, e.LastSeen = fromMillis(since), fromMillis(last)
	err = db.readRow(ctx, `SELECT count(*), coalesce(sum(state IN ('held', 'due', 'stale')), 0) FROM messages WHERE environment = ?1 AND dequeued_at >= ?2`,
		[]any{environment, since}, &e.Messages, &e.Unacked)
	return e, err
}

// Hosts are those of recent links, by environment, in alphabetical order.
type Hosts struct {
	Seen map[string][]string `json:"seen"`
	// Refused are those of Seen of which a link was refused as not allowed, and
	// no file ever came from there.
	Refused map[string][]string `json:"refused"`
}

// HostsSeen gives the hosts of recent links.
func (db *DB) HostsSeen(ctx context.Context) (Hosts, error) {
	hosts := Hosts{Seen: map[string][]string{}, Refused: map[string][]string{}}
	// The refusal is asked of the journal: rerun and skip change the reason.
	rows, err := db.read.QueryContext(ctx, `SELECT environment, substr(link_path, 1, instr(link_path || '/', '/') - 1) AS host,
			max(fetched_at IS NULL AND EXISTS (SELECT 1 FROM journal j WHERE j.shipment_id <> '' AND j.shipment_id = s.id AND j.reason = ?1))
				AND NOT max(fetched_at IS NOT NULL)
		FROM (SELECT id, environment, link_path, fetched_at FROM shipments ORDER BY seq DESC LIMIT 10000) s
		GROUP BY environment, host ORDER BY environment, host`, ReasonLinkHostile)
	if err != nil {
		return hosts, err
	}
	err = eachRow(rows, func(scan func(...any) error) error {
		var environment, host string
		var refused bool
		if err := scan(&environment, &host, &refused); err != nil {
			return err
		}
		hosts.Seen[environment] = append(hosts.Seen[environment], host)
		if refused {
			hosts.Refused[environment] = append(hosts.Refused[environment], host)
		}
		return nil
	})
	return hosts, err
}

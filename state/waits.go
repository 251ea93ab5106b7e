package state

import (
	"context"
	"database/sql"
	"strconv"
	"time"
)

// Wait is all that waits for one thing to be well again: deliveries by output
// and reason, shipments by environment and reason. Three hundred exports that
// one broken output holds up are one Wait.
type Wait struct {
	Kind        Kind   `json:"kind"`                  // KindDelivery or KindShipment
	Output      string `json:"output,omitempty"`      // of deliveries
	Environment string `json:"environment,omitempty"` // of shipments
	Reason      Reason `json:"reason"`
	Count       int64  `json:"count"` // deliveries, or shipments
	// Overdue counts deliveries that failed OverdueAttempts times or more, and
	// shipments whose link is past its time by our clock.
	Overdue int64 `json:"overdue,omitempty"`
	// Since is when the one that came first began to wait for this reason.
	Since time.Time `json:"since,omitzero"`
	// NextTry is when the first of them is tried again.
	NextTry time.Time `json:"next_try"`
	// Deadline is when the first of the shipments' links says it dies.
	Deadline time.Time `json:"first_deadline,omitzero"`
	ID       string    `json:"first"`            // the export or shipment that came first
	Detail   string    `json:"detail,omitempty"` // what its last try said
}

// Waits groups what waits for its next try, deliveries first, each kind with
// the largest group first. An environment, if given, narrows both kinds.
func (db *DB) Waits(ctx context.Context, environment string) ([]Wait, error) {
	deliveries, err := collect(ctx, db, `
		SELECT 'delivery', w.output, '', w.reason, w.n, w.overdue, w.next, 0, d.export_id, d.detail,
			(SELECT min(at) FROM journal WHERE subject = d.export_id || '/' || d.output AND to_state = 'waiting' AND reason = w.reason
				AND seq > coalesce((SELECT max(seq) FROM journal WHERE subject = d.export_id || '/' || d.output AND to_state IN ('delivered', 'parked')), 0))
		FROM (
			SELECT output, reason, count(*) AS n, sum(attempts >= `+strconv.Itoa(OverdueAttempts)+`) AS overdue, min(due_at) AS next, min(seq) AS first
			FROM deliveries
			WHERE state IN ('ready', 'waiting') AND state = 'waiting'
				AND (?1 = '' OR ?1 = (SELECT environment FROM exports WHERE id = export_id))
			GROUP BY output, reason
		) w JOIN deliveries d ON d.seq = w.first ORDER BY w.n DESC, w.output, w.reason`, []any{environment}, scanWait)
	if err != nil {
		return nil, err
	}
	shipments, err := collect(ctx, db, `
		SELECT 'shipment', '', s.environment, w.reason, w.n, w.late, w.next, w.deadline, s.id, s.detail,
			(SELECT min(at) FROM journal WHERE subject = s.id AND to_state = 'waiting' AND reason = w.reason
				AND seq > coalesce((SELECT max(seq) FROM journal WHERE subject = s.id AND to_state IN ('expired', 'parked')), 0))
		FROM (
			SELECT environment, reason, count(*) AS n, min(due_at) AS next, min(deadline) AS deadline, sum(deadline < ?2) AS late, min(seq) AS first
			FROM shipments
			WHERE state IN ('pending', 'waiting') AND state = 'waiting' AND (?1 = '' OR ?1 = environment)
			GROUP BY environment, reason
		) w JOIN shipments s ON s.seq = w.first ORDER BY w.n DESC, s.environment, w.reason`, []any{environment, millis(db.Now())}, scanWait)
	return append(deliveries, shipments...), err
}

func scanWait(scan func(...any) error) (Wait, error) {
	var w Wait
	var next, deadline int64
	var since sql.NullInt64
	err := scan(&w.Kind, &w.Output, &w.Environment, &w.Reason, &w.Count, &w.Overdue, &next, &deadline, &w.ID, &w.Detail, &since)
	w.NextTry, w.Deadline, w.Since = fromMillis(next), fromMillis(deadline), fromMillis(since.Int64)
	return w, err
}

// LinksLate counts the shipments that are not fetched though their link is past
// its time by our clock: those that wait for a next try, those that a worker is
// at, and those that nobody has tried yet, as when no server runs.
func (db *DB) LinksLate(ctx context.Context, environment string) (n int64, err error) {
	err = db.readRow(ctx, `SELECT count(*) FROM shipments WHERE state NOT IN ('settled') AND state IN ('pending', 'fetching', 'waiting')
		AND deadline < ?2 AND (?1 = '' OR ?1 = environment)`, []any{environment, millis(db.Now())}, &n)
	return n, err
}

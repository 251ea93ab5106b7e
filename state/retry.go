package state

import (
	"context"
	"fmt"
)

// RetryScope narrows what Retry takes. Zero fields do not narrow.
type RetryScope struct {
	Output      string // takes deliveries only
	Environment string
	ShipmentID  string // with its exports
	ExportID    string // takes deliveries only
	Due         bool   // what waits and is due already counts too: no worker is there to take it
}

// Retried is one thing that was put off and is due now.
type Retried struct {
	Kind        Kind   `json:"kind"` // KindDelivery or KindShipment
	ID          string `json:"id"`   // export or shipment
	Output      string `json:"output,omitempty"`
	Environment string `json:"environment"`
	Entity      string `json:"entity,omitempty"`
	LegalEntity string `json:"legal_entity,omitempty"`
	Reason      Reason `json:"reason"`
	ShipmentID  string `json:"-"`
	seq         int64
}

// Subject names it in the journal.
func (r Retried) Subject() string {
	if r.Kind == KindDelivery {
		return deliveryID(Delivery{ExportID: r.ID, Output: r.Output})
	}
	return r.ID
}

// retryChunk is how many things one transaction makes due: events wait for it.
const retryChunk = 200

// Retry makes due at once the deliveries and shipments that wait for their next
// try. What a worker is just trying is left to it, and what is due already
// stays as it is, so a repeat finds nothing. Attempts count on: a try that
// fails waits as long as its turn. Expired shipments are not taken: their due
// time may be the lease of the worker that asks for a fresh link.
func (db *DB) Retry(ctx context.Context, s RetryScope, by string) ([]Retried, error) {
	all, err := db.retryEach(ctx, dueDeliveries, s, by)
	if err != nil || s.Output != "" || s.ExportID != "" {
		return all, err
	}
	shipments, err := db.retryEach(ctx, dueShipments, s, by)
	return append(all, shipments...), err
}

// retryQuery finds what is put off, and makes one of it due.
type retryQuery struct{ find, set string }

var (
	dueDeliveries = retryQuery{
		find: `SELECT d.seq, 'delivery', e.id, d.output, e.environment, e.entity, e.legal_entity, d.reason, e.shipment_id
			FROM deliveries d JOIN exports e ON e.id = d.export_id
			WHERE d.state IN ('ready', 'waiting') AND d.state = 'waiting' AND (d.due_at > ?1 OR ?8) AND d.seq > ?2
				AND (?3 = '' OR d.output = ?3) AND (?4 = '' OR e.environment = ?4) AND (?5 = '' OR e.shipment_id = ?5) AND (?6 = '' OR e.id = ?6)
			ORDER BY d.seq LIMIT ?7`,
		set: `UPDATE deliveries SET due_at = ?2 WHERE seq = ?1`,
	}
	dueShipments = retryQuery{
		find: `SELECT seq, 'shipment', id, '', environment, entity, legal_entity, reason, id
			FROM shipments
			WHERE state IN ('pending', 'waiting') AND state = 'waiting' AND (due_at > ?1 OR ?8) AND seq > ?2
				AND ?3 = '' AND (?4 = '' OR environment = ?4) AND (?5 = '' OR id = ?5) AND ?6 = ''
			ORDER BY seq LIMIT ?7`,
		set: `UPDATE shipments SET due_at = ?2 WHERE seq = ?1`,
	}
)

// retryEach goes through what a query finds, a chunk a transaction. It never
// looks back: what failed again meanwhile has had its try.
func (db *DB) retryEach(ctx context.Context, q retryQuery, s RetryScope, by string) (all []Retried, err error) {
	last := int64(0)
	for {
		var chunk []Retried
		err := db.update(ctx, func(t *tx) (err error) {
			chunk, err = t.retry(q, s, last, by)
			return err
		})
		all = append(all, chunk...)
		if err != nil || len(chunk) < retryChunk {
			return all, err
		}
		last = chunk[len(chunk)-1].seq
	}
}

func (t *tx) retry(q retryQuery, s RetryScope, after int64, by string) (found []Retried, err error) {
	if err := t.rows(q.find, []any{t.now, after, s.Output, s.Environment, s.ShipmentID, s.ExportID, retryChunk, s.Due}, func(scan func(...any) error) error {
		var r Retried
		err := scan(&r.seq, &r.Kind, &r.ID, &r.Output, &r.Environment, &r.Entity, &r.LegalEntity, &r.Reason, &r.ShipmentID)
		found = append(found, r)
		return err
	}); err != nil {
		return nil, err
	}
	for _, r := range found {
		if _, err := t.exec(q.set, r.seq, t.now); err != nil {
			return nil, err
		}
		// No arrow: it waits on, but for nothing any more.
		if err := t.note(r.Kind, r.Subject(), r.ShipmentID, Waiting, Waiting, ReasonRetry, by); err != nil {
			return nil, fmt.Errorf("retry %s: %w", r.Subject(), err)
		}
	}
	return found, nil
}

// Trying counts what a scope's workers are at, or will be as soon as one is free.
func (db *DB) Trying(ctx context.Context, s RetryScope) (n int, err error) {
	// A term for each partial index: together they would read all that was ever delivered.
	const one = `SELECT count(*) FROM deliveries d JOIN exports e ON e.id = d.export_id
		WHERE (?1 = '' OR d.output = ?1) AND (?2 = '' OR e.environment = ?2) AND (?3 = '' OR e.shipment_id = ?3) AND (?4 = '' OR e.id = ?4) AND `
	err = db.readRow(ctx, `SELECT (`+one+`d.state = 'running') + (`+one+`d.state IN ('ready', 'waiting') AND d.due_at <= ?5)
		+ (SELECT count(*) FROM shipments WHERE state NOT IN ('settled')
			AND (state IN ('pending', 'fetching') OR state = 'waiting' AND due_at <= ?5)
			AND ?1 = '' AND (?2 = '' OR environment = ?2) AND (?3 = '' OR id = ?3) AND ?4 = '')`,
		[]any{s.Output, s.Environment, s.ShipmentID, s.ExportID, millis(db.Now())}, &n)
	return n, err
}

package state

import (
	"context"
	"time"
)

// JournalEntry is one transition that happened.
type JournalEntry struct {
	Seq        int64     `json:"seq"`
	At         time.Time `json:"at"`
	Kind       Kind      `json:"kind"`
	Subject    string    `json:"subject"` // id; for a delivery EXPORT-ID/OUTPUT
	ShipmentID string    `json:"shipment_id,omitempty"`
	From       State     `json:"from,omitempty"`
	To         State     `json:"to"`
	Reason     Reason    `json:"reason,omitempty"`
	Detail     string    `json:"detail,omitempty"`
}

// step checks one arrow and writes its journal row. Every change of a state
// column goes with a call of step in the same transaction.
func (t *tx) step(kind Kind, id, shipmentID string, from, to State, reason Reason, detail string) error {
	if err := checkArrow(kind, id, from, to); err != nil {
		return err
	}
	if err := t.note(kind, id, shipmentID, from, to, reason, detail); err != nil {
		return err
	}
	// A queue's message is acked when nothing of it can be lost any more. Here,
	// so that no way to rest can forget it.
	switch {
	case kind == KindShipment && to == Settled:
		return t.ackDue(id)
	case kind == KindShipment && to == Parked:
		return t.ackIfHere(id)
	}
	return nil
}

// note writes a journal row for something that is not an arrow: a duplicate
// that arrived, a link that was lent.
func (t *tx) note(kind Kind, id, shipmentID string, from, to State, reason Reason, detail string) error {
	_, err := t.exec(`INSERT INTO journal (at, kind, subject, shipment_id, from_state, to_state, reason, detail)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`, t.now, kind, id, shipmentID, from, to, reason, detail)
	return err
}

// Story gives the journal of one event, shipment or export, oldest first: of a
// shipment with all of its exports and deliveries, of an event with its shipment.
func (db *DB) Story(ctx context.Context, id string) ([]JournalEntry, error) {
	const columns = `SELECT seq, at, kind, subject, shipment_id, from_state, to_state, reason, detail FROM journal `
	query := columns + `WHERE subject = ?1 OR (subject > ?1 || '/' AND subject < ?1 || '0') ORDER BY seq`
	switch KindOf(id) {
	case KindShipment:
		// The first term is what lets SQLite use the partial index.
		query = columns + `WHERE shipment_id <> '' AND shipment_id = ?1 ORDER BY seq`
	case KindEvent:
		query = columns + `WHERE subject = ?1 OR shipment_id <> '' AND shipment_id = (SELECT shipment_id FROM events WHERE id = ?1) ORDER BY seq`
	}
	rows, err := db.read.QueryContext(ctx, query, id)
	if err != nil {
		return nil, err
	}
	return scanJournal(rows)
}

// Journal gives up to limit entries after a sequence number, oldest first.
func (db *DB) Journal(ctx context.Context, after int64, limit int) ([]JournalEntry, error) {
	return db.JournalOf(ctx, JournalFilter{}, after, limit)
}

// LastEntry is the sequence number of the newest entry; 0 when there is none.
func (db *DB) LastEntry(ctx context.Context) (int64, error) {
	var seq int64
	err := db.readRow(ctx, `SELECT coalesce(max(seq), 0) FROM journal`, nil, &seq)
	return seq, err
}

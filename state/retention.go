package state

import (
	"context"
	"time"
)

// SpentRaw is a raw file that nothing needs any more.
type SpentRaw struct {
	ShipmentID string
	File       string
}

// ReleaseRaw takes up to limit raw files out of the ledger that nothing has
// needed since before: their shipment is settled, none of its exports is open
// or parked, or the copy of one that is open, and the last one came to rest before that time. The caller then
// removes the files; one that it did not get to is swept at the next start.
func (db *DB) ReleaseRaw(ctx context.Context, before time.Time, limit int) ([]SpentRaw, error) {
	var spent []SpentRaw
	err := db.update(ctx, func(t *tx) error {
		spent = nil
		if err := t.rows(`SELECT id, raw_file FROM shipments s
			WHERE raw_file <> '' AND raw_removed_at IS NULL AND settled_at < ?1
			AND NOT EXISTS (SELECT 1 FROM exports e WHERE e.shipment_id = s.id AND (e.state IN ('open', 'parked') OR e.landed_at >= ?1
				OR e.reason = 'same_export' AND EXISTS (SELECT 1 FROM exports o WHERE o.id = e.twin AND o.state = 'open')))
			ORDER BY settled_at LIMIT ?2`, []any{millis(before), limit}, func(scan func(...any) error) error {
			var s SpentRaw
			err := scan(&s.ShipmentID, &s.File)
			spent = append(spent, s)
			return err
		}); err != nil {
			return err
		}
		for _, s := range spent {
			if _, err := t.exec(`UPDATE shipments SET raw_removed_at = ?2 WHERE id = ?1`, s.ShipmentID, t.now); err != nil {
				return err
			}
			if err := t.note(KindShipment, s.ShipmentID, s.ShipmentID, Settled, Settled, ReasonRawRemoved, s.File); err != nil {
				return err
			}
		}
		return nil
	})
	return spent, err
}

// RawWanted says whether a file of the raw folder is still in the ledger's
// hands: as a raw file, or as the partial file of a download that goes on.
func (db *DB) RawWanted(ctx context.Context, shipmentID string) (bool, error) {
	var n int
	err := db.readRow(ctx, `SELECT count(*) FROM shipments WHERE id = ?1 AND raw_removed_at IS NULL
		AND NOT (state = 'settled' AND raw_file = '')`, []any{shipmentID}, &n)
	return n > 0, err
}

// forgettable is an event that nothing speaks for any more. What is open,
// parked, expired or unreadable is never forgotten, nor what has a raw file.
const forgettable = `last_seen_at < ?1 AND state <> 'unreadable'
	AND NOT EXISTS (SELECT 1 FROM shipments s WHERE s.id = e.shipment_id AND (s.state <> 'settled' OR s.raw_file <> '' AND s.raw_removed_at IS NULL))
	AND NOT EXISTS (SELECT 1 FROM exports x WHERE x.shipment_id = e.shipment_id AND x.state IN ('open', 'parked'))`

// Forget deletes up to limit identities that were last seen before a time,
// with all that hangs on them: a repeat of such an event would land again.
func (db *DB) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	// The search walks the table, so it runs beside the writer; the writer
	// looks again at what was found, because a rerun may have come between.
	found, err := collect(ctx, db, `SELECT id FROM events e WHERE `+forgettable+` ORDER BY seq LIMIT ?2`, []any{millis(before), limit},
		func(scan func(...any) error) (id string, err error) {
			err = scan(&id)
			return id, err
		})
	if err != nil || len(found) == 0 {
		return 0, err
	}
	forgotten := 0
	err = db.update(ctx, func(t *tx) error {
		forgotten = 0
		for _, id := range found {
			var shipmentID string
			err := t.row(`SELECT shipment_id FROM events e WHERE id = ?2 AND `+forgettable, []any{millis(before), id}, &shipmentID)
			if err == ErrNotFound {
				continue
			}
			if err != nil {
				return err
			}
			if err := t.forget(id, shipmentID); err != nil {
				return err
			}
			forgotten++
		}
		return nil
	})
	return forgotten, err
}

func (t *tx) forget(eventID, shipmentID string) error {
	var own bool // an event that was read again speaks for another one's shipment
	if err := t.row(`SELECT EXISTS (SELECT 1 FROM shipments WHERE id = ?1 AND event_id = ?2)`, []any{shipmentID, eventID}, &own); err != nil {
		return err
	}
	if own {
		for _, query := range []string{
			`DELETE FROM deliveries WHERE export_id IN (SELECT id FROM exports WHERE shipment_id = ?1)`,
			`DELETE FROM exports WHERE shipment_id = ?1`,
			`DELETE FROM shipments WHERE id = ?1`,
			`DELETE FROM journal WHERE shipment_id = ?1`,
		} {
			if _, err := t.exec(query, shipmentID); err != nil {
				return err
			}
		}
	}
	for _, query := range []string{
		`DELETE FROM events WHERE id = ?1`,
		`DELETE FROM journal WHERE subject = ?1`,
	} {
		if _, err := t.exec(query, eventID); err != nil {
			return err
		}
	}
	return nil
}

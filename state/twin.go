package state

import (
	"context"
	"time"
)

// TwinQuery describes an export for which one that came another way is sought.
type TwinQuery struct {
	Environment string
	Entity      string
	LegalEntity string // "" when unknown: any fits
	Source      string // how this one came: the other came otherwise
	At          time.Time
	Within      time.Duration // how far apart the two may be
}

// twinHorizon is how many exports of an entity are looked through.
const twinHorizon = 200

// Twin finds the export nearest in time of the same entity that came from
// another source; "" when there is none. It says "possibly the same" and no
// more: no identity of FinOps joins an event's file and a queue's package.
func (db *DB) Twin(ctx context.Context, q TwinQuery) (exportID string, err error) {
	err = db.readRow(ctx, `SELECT e.id FROM (SELECT * FROM exports WHERE entity = ?2 ORDER BY seq DESC LIMIT ?7) e JOIN shipments s ON s.id = e.shipment_id
		WHERE e.environment = ?1 AND (?3 = '' OR e.legal_entity = '' OR e.legal_entity = ?3 COLLATE NOCASE)
		AND s.source <> ?4 AND abs(e.order_at - ?5) <= ?6
		ORDER BY abs(e.order_at - ?5) LIMIT 1`,
		[]any{q.Environment, q.Entity, q.LegalEntity, q.Source, millis(q.At), q.Within.Milliseconds(), twinHorizon}, &exportID)
	if err == ErrNotFound {
		return "", nil
	}
	return exportID, err
}

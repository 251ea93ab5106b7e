package state

import (
	"context"
	"time"
)

// DeliveryKey names a delivery for the transitions below.
type DeliveryKey struct {
	ExportID string
	Output   string
}

// Counts are what one pass over an export's file found.
type Counts struct {
	Rows    int64 // rows converted
	BadRows int64 // records set aside, or that stopped the export
}

// Landing is what an output made durable.
type Landing struct {
	Path         string
	ManifestPath string
	Counts
	Bytes   int64
	SHA256  string // hex
	Notes   string // worth knowing, stops nothing; added to the export's
	Remarks Remarks
}

// Delivered says that an output has all of an export's rows, durably. In the
// same transaction the checkpoint moves, the export lands if this was its last
// delivery, and the shipment settles if that was its last export.
func (db *DB) Delivered(ctx context.Context, key DeliveryKey, l Landing) error {
	return db.deliveryStep(ctx, key, func(t *tx, d Delivery) error {
		e, err := t.export(d.ExportID)
		if err != nil {
			return err
		}
		if err := t.step(KindDelivery, deliveryID(d), e.ShipmentID, d.State, Delivered, "", l.Path); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE deliveries SET state = 'delivered', reason = '', detail = '', owner = '', lease_until = 0, interrupted = 0,
				path = ?3, manifest_path = ?4, rows = ?5, bad_rows = ?6, bytes = ?7, sha256 = ?8, delivered_at = ?9
			WHERE export_id = ?1 AND output = ?2`,
			d.ExportID, d.Output, l.Path, l.ManifestPath, l.Rows, l.BadRows, l.Bytes, l.SHA256, t.now); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE exports SET rows = ?2, bad_rows = ?3 WHERE id = ?1`, e.ID, l.Rows, l.BadRows); err != nil {
			return err
		}
		if err := t.remark(e, l); err != nil {
			return err
		}
		if err := t.moveCheckpoint(d, e, l.Rows); err != nil {
			return err
		}
		return t.land(e.ID)
	})
}

// land closes an open export all of whose deliveries are done.
func (t *tx) land(exportID string) error {
	e, err := t.export(exportID)
	if err != nil || e.State != Open {
		return err
	}
	var undone int
	if err := t.row(`SELECT count(*) FROM deliveries WHERE export_id = ?1 AND state <> 'delivered'`, []any{e.ID}, &undone); err != nil || undone > 0 {
		return err
	}
	if err := t.step(KindExport, e.ID, e.ShipmentID, e.State, Landed, "", ""); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE exports SET state = 'landed', reason = '', detail = '', landed_at = ?2 WHERE id = ?1`, e.ID, t.now); err != nil {
		return err
	}
	if err := t.ackCopies(e); err != nil {
		return err
	}
	return t.settle(e.ShipmentID)
}

// WaitDelivery puts a delivery off until due.
func (db *DB) WaitDelivery(ctx context.Context, key DeliveryKey, due time.Time, reason Reason, detail string) error {
	return db.deliveryStep(ctx, key, func(t *tx, d Delivery) error {
		if err := t.moveDelivery(d, Waiting, reason, detail); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE deliveries SET due_at = ?3 WHERE export_id = ?1 AND output = ?2`, d.ExportID, d.Output, millis(due))
		return err
	})
}

// ParkDelivery parks a delivery and its export: nothing of it is visible in
// this output and the raw file is kept.
func (db *DB) ParkDelivery(ctx context.Context, key DeliveryKey, reason Reason, detail string, c Counts) error {
	return db.deliveryStep(ctx, key, func(t *tx, d Delivery) error {
		return t.parkDelivery(d, reason, detail, c)
	})
}

// ReleaseDelivery gives a claimed delivery back, because the process stops.
func (db *DB) ReleaseDelivery(ctx context.Context, key DeliveryKey) error {
	return db.deliveryStep(ctx, key, func(t *tx, d Delivery) error {
		if d.State != Running { // a delivered one becomes ready by a rerun only
			return &TransitionError{Kind: KindDelivery, ID: deliveryID(d), From: d.State, To: Ready}
		}
		return t.releaseDelivery(d, ReasonShutdown, "")
	})
}

func (db *DB) deliveryStep(ctx context.Context, key DeliveryKey, step func(*tx, Delivery) error) error {
	return db.update(ctx, func(t *tx) error {
		found := false
		var d Delivery
		err := t.rows(`SELECT `+deliveryColumns+` FROM deliveries WHERE export_id = ?1 AND output = ?2`, []any{key.ExportID, key.Output},
			func(scan func(...any) error) (err error) {
				found = true
				d, err = scanDelivery(scan)
				return err
			})
		if err != nil {
			return err
		}
		if !found {
			return ErrNotFound
		}
		return step(t, d)
	})
}

func (t *tx) moveDelivery(d Delivery, to State, reason Reason, detail string) error {
	e, err := t.export(d.ExportID)
	if err != nil {
		return err
	}
	if err := t.step(KindDelivery, deliveryID(d), e.ShipmentID, d.State, to, reason, detail); err != nil {
		return err
	}
	_, err = t.exec(`UPDATE deliveries SET state = ?3, reason = ?4, detail = ?5, owner = '', lease_until = 0 WHERE export_id = ?1 AND output = ?2`,
		d.ExportID, d.Output, to, reason, detail)
	return err
}

func (t *tx) parkDelivery(d Delivery, reason Reason, detail string, c Counts) error {
	if err := t.moveDelivery(d, Parked, reason, detail); err != nil {
		return err
	}
	e, err := t.export(d.ExportID)
	if err != nil || e.State != Open {
		return err
	}
	if err := t.step(KindExport, e.ID, e.ShipmentID, e.State, Parked, reason, ""); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE exports SET state = 'parked', reason = ?2, detail = ?3, rows = ?4, bad_rows = ?5 WHERE id = ?1`,
		e.ID, reason, detail, c.Rows, c.BadRows); err != nil {
		return err
	}
	if err := t.doubtCopies(e); err != nil {
		return err
	}
	if err := t.ackCopies(e); err != nil {
		return err
	}
	return t.settle(e.ShipmentID)
}

func (t *tx) releaseDelivery(d Delivery, reason Reason, detail string) error {
	if err := t.moveDelivery(d, Ready, reason, detail); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE deliveries SET due_at = ?3, reason = '', detail = '' WHERE export_id = ?1 AND output = ?2`, d.ExportID, d.Output, t.now)
	return err
}

// moveCheckpoint counts a delivery and raises the highest key; a late export
// with a lower key leaves it where it is. A repeat of a delivery is not counted
// again and makes nothing fresh.
func (t *tx) moveCheckpoint(d Delivery, e Export, rows int64) error {
	_, err := t.exec(`INSERT INTO checkpoints (environment, flow, entity, legal_entity, output, highest_at, highest_no, export_id, exports, rows, last_rows, delivered_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?9, ?10)
		ON CONFLICT (environment, flow, entity, legal_entity, output) DO UPDATE SET
			exports   = exports + CASE WHEN ?11 THEN 0 ELSE 1 END,
			rows      = rows + excluded.rows - ?12,
			last_rows = CASE WHEN ?11 AND export_id <> excluded.export_id THEN last_rows ELSE excluded.last_rows END,
			delivered_at = CASE WHEN ?11 THEN delivered_at ELSE excluded.delivered_at END,
			export_id  = CASE WHEN (excluded.highest_at, excluded.highest_no) >= (highest_at, highest_no) THEN excluded.export_id  ELSE export_id END,
			highest_no = CASE WHEN (excluded.highest_at, excluded.highest_no) >= (highest_at, highest_no) THEN excluded.highest_no ELSE highest_no END,
			highest_at = max(highest_at, excluded.highest_at)`,
		e.Environment, d.Flow, e.Entity, e.LegalEntity, d.Output, millis(e.Order.At), e.Order.No, e.ID, rows, t.now, !d.DeliveredAt.IsZero(), d.Rows)
	return err
}

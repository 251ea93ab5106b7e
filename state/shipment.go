package state

import (
	"context"
	"fmt"
	"time"
)

// Mark records how much of a shipment's partial file is durable, so that a
// download goes on after a restart. It moves no state; progress clears the
// count of interruptions.
func (db *DB) Mark(ctx context.Context, shipmentID, etag string, offset int64) error {
	return db.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE shipments SET mark_etag = ?2, mark_offset = ?3, interrupted = CASE WHEN ?3 > mark_offset THEN 0 ELSE interrupted END
			WHERE id = ?1 AND state = 'fetching'`, shipmentID, etag, offset)
		if err == nil && n == 0 {
			return fmt.Errorf("mark %s: %w", shipmentID, ErrNotFound)
		}
		return err
	})
}

// RawFile describes a raw file that is durable in the state folder.
type RawFile struct {
	File   string // below the state folder
	Bytes  int64
	SHA256 string // hex
	Proof  Proof  // why it is the export; must be one
	Detail string // for the story: how it came, "resumed twice"
}

// Fetched says that the raw file is durable and known to be the export. From now
// on the rows are safe here.
func (db *DB) Fetched(ctx context.Context, shipmentID string, raw RawFile) error {
	if raw.Proof == Unproved {
		return fmt.Errorf("record the raw file of %s: nothing says that it is the export", shipmentID)
	}
	return db.shipmentStep(ctx, shipmentID, Fetched, "", raw.Detail, func(t *tx, s Shipment) error {
		_, err := t.exec(`UPDATE shipments SET raw_file = ?2, raw_bytes = ?3, raw_sha256 = ?4, fetched_at = ?5, proof = ?6, interrupted = 0,
			mark_etag = '', mark_offset = 0, seen_file = '', seen_as = '', seen_sha256 = '', seen_bytes = 0, seen_at = NULL WHERE id = ?1`,
			shipmentID, raw.File, raw.Bytes, raw.SHA256, t.now, raw.Proof)
		return err
	})
}

// WaitFetch puts a download off until due.
func (db *DB) WaitFetch(ctx context.Context, shipmentID string, due time.Time, reason Reason, detail string) error {
	return db.shipmentStep(ctx, shipmentID, Waiting, reason, detail, func(t *tx, _ Shipment) error {
		_, err := t.exec(`UPDATE shipments SET due_at = ?2 WHERE id = ?1`, shipmentID, millis(due))
		return err
	})
}

// Expire says that the server declared the link dead that was claimed with
// this deadline. When a fresher one has been lent meanwhile, the shipment is
// pending again with that.
func (db *DB) Expire(ctx context.Context, shipmentID string, deadline time.Time, detail string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if s.State == Fetching && s.Deadline.After(deadline) {
			return t.requeueFresh(s, detail)
		}
		if same, err := proven(t, s, s.Entity); err != nil || same != "" {
			if err != nil {
				return err
			}
			return t.settleSame(s, same)
		}
		if err := t.moveShipment(s, Expired, ReasonLinkExpired, detail); err != nil {
			return err
		}
		return t.renewable(s)
	})
}

// ParkShipment puts a shipment on the list for a person. Its link is kept for
// a rerun. A download to which a fresher link was lent since it was claimed is
// pending again instead: had that link come a moment later, it would have
// woken the shipment, and no more may come.
func (db *DB) ParkShipment(ctx context.Context, shipmentID string, reason Reason, detail string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if !s.OpenedAt.IsZero() { // what was found in it is parked one by one
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Parked}
		}
		return t.parkShipment(s, reason, detail)
	})
}

// ParkFetch is ParkShipment for the end of a download. It is a *TransitionError
// when a person has decided about the shipment meanwhile.
func (db *DB) ParkFetch(ctx context.Context, shipmentID string, reason Reason, detail string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if s.State != Fetching {
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Parked}
		}
		return t.parkShipment(s, reason, detail)
	})
}

func (t *tx) parkShipment(s Shipment, reason Reason, detail string) error {
	lent := false
	if err := t.row(`SELECT lent FROM shipments WHERE id = ?1`, []any{s.ID}, &lent); err != nil {
		return err
	}
	if s.State == Fetching && lent {
		return t.requeueFresh(s, detail)
	}
	return t.moveShipment(s, Parked, reason, detail)
}

func (t *tx) requeueFresh(s Shipment, detail string) error {
	return t.requeue(s, ReasonFreshLink, detail+"; a fresher link came meanwhile")
}

// ReleaseFetch gives a claimed download back, because the process stops.
func (db *DB) ReleaseFetch(ctx context.Context, shipmentID string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if s.State != Fetching {
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Pending}
		}
		return t.requeue(s, ReasonShutdown, "")
	})
}

// ReleaseOpening gives a claimed opening back, because the process stops.
func (db *DB) ReleaseOpening(ctx context.Context, shipmentID string) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE shipments SET owner = '', lease_until = 0 WHERE id = ?1 AND state = 'fetched' AND opened_at IS NULL`, shipmentID)
		return err
	})
}

// RerunShipment sets an expired, parked or waiting shipment going again: with
// its raw file when that is here, else with its link, however dead that looks.
func (db *DB) RerunShipment(ctx context.Context, shipmentID, by string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if s.State == Fetching { // a second worker would write to the same partial file
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Pending}
		}
		if !s.RawHere() {
			// A person looked: the whole ladder is open again.
			if _, err := t.exec(`UPDATE shipments SET renewals = 0, renew_at = NULL, rung = 'link', superseding = '' WHERE id = ?1`, s.ID); err != nil {
				return err
			}
			return t.requeue(s, ReasonRerun, by)
		}
		if err := t.moveShipment(s, Fetched, ReasonRerun, by); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE shipments SET reason = '', detail = '', attempts = 0, interrupted = 0 WHERE id = ?1`, s.ID)
		return err
	})
}

// shipmentStep takes one arrow of a shipment, with what changes besides.
func (db *DB) shipmentStep(ctx context.Context, id string, to State, reason Reason, detail string, also func(*tx, Shipment) error) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(id)
		if err != nil {
			return err
		}
		if err := t.moveShipment(s, to, reason, detail); err != nil || also == nil {
			return err
		}
		return also(t, s)
	})
}

func (t *tx) moveShipment(s Shipment, to State, reason Reason, detail string) error {
	if err := t.step(KindShipment, s.ID, s.ID, s.State, to, reason, detail); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE shipments SET state = ?2, reason = ?3, detail = ?4, owner = '', lease_until = 0 WHERE id = ?1`, s.ID, to, reason, detail)
	return err
}

// settle closes a shipment none of whose exports is open: what remains is
// landed, skipped, or on a person's list with the raw file kept. The link has
// done its work, so its signature goes.
func (t *tx) settle(shipmentID string) error {
	s, err := t.shipment(shipmentID)
	if err != nil || s.State != Fetched || s.OpenedAt.IsZero() {
		return err
	}
	var open int
	if err := t.row(`SELECT count(*) FROM exports WHERE shipment_id = ?1 AND state = 'open'`, []any{shipmentID}, &open); err != nil || open > 0 {
		return err
	}
	if err := t.moveShipment(s, Settled, "", ""); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE shipments SET settled_at = ?2 WHERE id = ?1`, shipmentID, t.now); err != nil {
		return err
	}
	return t.dropLink(shipmentID)
}

// closeShipment settles a shipment whose file is not here and is not waited for
// any more.
func (t *tx) closeShipment(s Shipment, reason Reason, detail string) error {
	if err := t.moveShipment(s, Settled, reason, detail); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE shipments SET settled_at = ?2, renew_at = NULL WHERE id = ?1`, s.ID, t.now); err != nil {
		return err
	}
	return t.dropLink(s.ID)
}

func (t *tx) dropLink(shipmentID string) error {
	_, err := t.exec(`DELETE FROM links WHERE seq = (SELECT seq FROM shipments WHERE id = ?1)`, shipmentID)
	return err
}

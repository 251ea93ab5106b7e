package state

import (
	"context"
	"time"
)

// MaxRenewals is how many fresh links a shipment asks for by itself: a server
// that calls each of them expired has another trouble.
const MaxRenewals = 5

// renewLease is when a request for a fresh link whose process ended is made again.
const renewLease = 2 * time.Minute

// ClaimRenewals gives up to limit expired shipments for which a fresh link is
// to be asked now, and counts the attempt.
func (db *DB) ClaimRenewals(ctx context.Context, limit int) ([]Shipment, error) {
	var claimed []Shipment
	err := db.update(ctx, func(t *tx) error {
		claimed = nil
		if err := t.rows(`SELECT `+shipmentColumns+` FROM shipments WHERE state = 'expired' AND renew_at IS NOT NULL AND renew_at <= ?1
			ORDER BY renew_at, seq LIMIT ?2`, []any{t.now, limit}, func(scan func(...any) error) error {
			s, err := scanShipment(scan)
			claimed = append(claimed, s)
			return err
		}); err != nil {
			return err
		}
		for i := range claimed {
			claimed[i].Renewals++
			if _, err := t.exec(`UPDATE shipments SET renew_at = ?2, renewals = renewals + 1 WHERE id = ?1`,
				claimed[i].ID, t.now+renewLease.Milliseconds()); err != nil {
				return err
			}
		}
		return nil
	})
	return claimed, err
}

// NextRenewal is when the next fresh link is to be asked for; zero when none is.
func (db *DB) NextRenewal(ctx context.Context) (time.Time, error) {
	var due int64
	err := db.readRow(ctx, `SELECT coalesce((SELECT min(renew_at) FROM shipments WHERE state = 'expired' AND renew_at IS NOT NULL), 0)`, nil, &due)
	return fromMillis(due), err
}

// FreshLink is a link that FinOps made anew.
type FreshLink struct {
	Link     string // byte for byte
	LinkPath string
	Deadline time.Time // zero: DefaultLinkLife from now
	// Package: the link leads to the execution's whole package, of which only
	// this shipment's entity is to be taken.
	Package bool
}

// Renewed gives an expired shipment a fresh link and makes it pending. A
// partial file is gone on with only when the link leads to the same blob.
func (db *DB) Renewed(ctx context.Context, shipmentID string, l FreshLink, detail string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if err := checkArrow(KindShipment, s.ID, s.State, Pending); err != nil || s.State != Expired {
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Pending}
		}
		deadline := t.now + DefaultLinkLife.Milliseconds()
		if !l.Deadline.IsZero() {
			deadline = millis(l.Deadline)
		}
		if _, err := t.exec(`INSERT INTO links (seq, url) SELECT seq, ?2 FROM shipments WHERE id = ?1
			ON CONFLICT (seq) DO UPDATE SET url = excluded.url`, s.ID, l.Link); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE shipments SET deadline = ?2, link_path = ?3, whole_package = ?4, renew_at = NULL,
				mark_etag   = CASE WHEN link_path = ?3 THEN mark_etag   ELSE '' END,
				mark_offset = CASE WHEN link_path = ?3 THEN mark_offset ELSE 0  END
			WHERE id = ?1`, s.ID, deadline, l.LinkPath, l.Package); err != nil {
			return err
		}
		return t.requeue(s, ReasonFreshLink, detail)
	})
}

// WaitRenewal asks again at due; the zero time gives up. Either way it stands
// in the story why there is no fresh link yet.
func (db *DB) WaitRenewal(ctx context.Context, shipmentID string, due time.Time, detail string) error {
	return db.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE shipments SET renew_at = ?2 WHERE id = ?1 AND state = 'expired'`, shipmentID, nullMillis(due))
		if err != nil || n == 0 {
			return err // a fresh link came another way meanwhile
		}
		return t.note(KindShipment, shipmentID, shipmentID, Expired, Expired, ReasonNoFreshLink, detail)
	})
}

// renewable starts the asking for a shipment that has just expired.
func (t *tx) renewable(s Shipment) error {
	// Of an event the entity must be known: only it is taken from the package.
	if s.Source == "queue" || s.ExecutionID == "" || s.Source == "event" && s.Entity == "" || s.Renewals >= MaxRenewals {
		return nil
	}
	_, err := t.exec(`UPDATE shipments SET renew_at = ?2 WHERE id = ?1`, s.ID, t.now)
	return err
}

package state

import (
	"context"
	"slices"
	"time"
)

// Rung is a way to the rows of an expired shipment. They are tried in the order
// below, each until it is clear that it does not lead there.
type Rung string

// Rungs.
const (
	RungLink  Rung = "link"  // FinOps is asked for a fresh link
	RungQueue Rung = "queue" // the queue is drained that may hold the same rows
	RungRun   Rung = "run"   // a full run of the data project was started, and is waited for
)

// MaxRenewals is how many fresh links a shipment asks for by itself: a server
// that calls each of them expired has another trouble.
const MaxRenewals = 5

// RenewalLease is how long a claim of ClaimRenewals is good for: when what the
// process did not end is taken up again. Work that takes longer keeps its claim
// with KeepRenewal.
const RenewalLease = 2 * time.Minute

// ClaimRenewals gives up to limit expired shipments for which a fresh link is
// to be asked now, and counts the attempt. Those that are busy are at work
// already and are left, whatever the clock says of their lease.
func (db *DB) ClaimRenewals(ctx context.Context, limit int, busy ...string) ([]Shipment, error) {
	var claimed []Shipment
	err := db.update(ctx, func(t *tx) error {
		claimed = nil
		if err := t.rows(`SELECT `+shipmentColumns+` FROM shipments WHERE state = 'expired' AND renew_at IS NOT NULL AND renew_at <= ?1
			ORDER BY renew_at, seq LIMIT ?2`, []any{t.now, limit + len(busy)}, func(scan func(...any) error) error {
			s, err := scanShipment(scan)
			if len(claimed) < limit && !slices.Contains(busy, s.ID) {
				claimed = append(claimed, s)
			}
			return err
		}); err != nil {
			return err
		}
		for i := range claimed {
			claimed[i].Renewals++
			if _, err := t.exec(`UPDATE shipments SET renew_at = ?2, renewals = renewals + 1 WHERE id = ?1`,
				claimed[i].ID, t.now+RenewalLease.Milliseconds()); err != nil {
				return err
			}
		}
		return nil
	})
	return claimed, err
}

// KeepRenewal makes a claim of ClaimRenewals good for a whole lease from now:
// the drain of a long queue outlives many. It is not news, so it has no row in
// the journal.
func (db *DB) KeepRenewal(ctx context.Context, shipmentID string) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE shipments SET renew_at = ?2 WHERE id = ?1 AND state = 'expired' AND renew_at IS NOT NULL AND renew_at < ?2`,
			shipmentID, t.now+RenewalLease.Milliseconds())
		return err
	})
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
	// this shipment's entity is to be taken; all of it when it has none.
	Package bool
	// ExecutionID, when it was not known before.
	ExecutionID string
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
		if _, err := t.exec(`UPDATE shipments SET deadline = ?2, link_path = ?3, whole_package = ?4 AND entity <> '', renew_at = NULL,
				execution_id = CASE WHEN execution_id = '' THEN ?5 ELSE execution_id END,
				mark_etag   = CASE WHEN link_path = ?3 THEN mark_etag   ELSE '' END,
				mark_offset = CASE WHEN link_path = ?3 THEN mark_offset ELSE 0  END
			WHERE id = ?1`, s.ID, deadline, l.LinkPath, l.Package, l.ExecutionID); err != nil {
			return err
		}
		return t.requeue(s, ReasonFreshLink, detail)
	})
}

// asClaimed finds the shipment s only as ClaimRenewals gave it: a person may
// have opened the whole ladder again since, with the count of tries at 0, and
// what an old try came to must not end the new one.
const asClaimed = `id = ?1 AND state = 'expired' AND rung = ?2 AND renewals = ?3`

// WaitRenewal asks again at due; the zero time gives up. Either way it stands
// in the story why there is no fresh link yet. It changes nothing when s is not
// as ClaimRenewals gave it any more.
func (db *DB) WaitRenewal(ctx context.Context, s Shipment, due time.Time, detail string) error {
	return db.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE shipments SET renew_at = ?4 WHERE `+asClaimed, s.ID, s.Rung, s.Renewals, nullMillis(due))
		if err != nil || n == 0 {
			return err // a fresh link came another way meanwhile
		}
		return t.note(KindShipment, s.ID, s.ID, Expired, Expired, ReasonNoFreshLink, detail)
	})
}

// LaterRenewal is WaitRenewal when nothing was found out that is worth telling.
func (db *DB) LaterRenewal(ctx context.Context, s Shipment, due time.Time) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE shipments SET renew_at = ?4 WHERE `+asClaimed, s.ID, s.Rung, s.Renewals, millis(due))
		return err
	})
}

// renewable starts the way to the rows of a shipment that has just expired.
func (t *tx) renewable(s Shipment) error {
	if s.Source == "queue" {
		return nil // the queue hands it out again by itself
	}
	rung := s.Rung
	if rung == RungLink && s.Renewals >= MaxRenewals {
		rung = RungQueue
	}
	_, err := t.exec(`UPDATE shipments SET renew_at = ?2, rung = ?3 WHERE id = ?1`, s.ID, t.now, rung)
	return err
}

package state

import (
	"context"
	"strings"
)

// Refetch lets go of a raw file that is not what was fetched, damaged or gone,
// and sets its shipment going again: with its link as long as it has one, else
// on the ladder of fresh links. What is parked of it goes on when the file is
// here again and opened; what has landed stays landed. The caller has put the
// file aside before, or the next download would take it for its own.
//
// A *TransitionError is a shipment that is not at rest, or a queue's message
// that FinOps may have forgotten: nothing brings that again.
func (db *DB) Refetch(ctx context.Context, shipmentID, detail string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		to, err := t.refetchable(s)
		if err != nil {
			return err
		}
		if err := t.step(KindShipment, s.ID, s.ID, s.State, to, ReasonRawDamaged, detail); err != nil {
			return err
		}
		reason := Reason("")
		if to == Expired {
			reason = ReasonLinkExpired
		}
		_, err = t.exec(`UPDATE shipments SET state = ?2, reason = ?3, detail = ?4, due_at = ?5, attempts = 0, interrupted = 0, owner = '', lease_until = 0,
			raw_file = '', raw_bytes = 0, raw_sha256 = '', fetched_at = NULL, opened_at = NULL, settled_at = NULL,
			renewals = 0, rung = 'link', superseding = '', renew_at = CASE WHEN ?2 = 'expired' THEN ?5 END WHERE id = ?1`,
			s.ID, to, reason, detail, t.now)
		return err
	})
}

// refetchable says what a shipment becomes whose raw file is fetched again.
func (t *tx) refetchable(s Shipment) (State, error) {
	refused := &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Pending}
	switch {
	case !s.RawHere():
		return "", refused
	case s.State == Fetched && !s.OpenedAt.IsZero():
		return "", refused // its deliveries are reading
	case s.State == Settled:
		var open, parked int
		if err := t.row(`SELECT coalesce(sum(state = 'open'), 0), coalesce(sum(state = 'parked'), 0) FROM exports WHERE shipment_id = ?1`, []any{s.ID}, &open, &parked); err != nil {
			return "", err
		}
		if open > 0 || parked == 0 {
			return "", refused
		}
	}
	if s.Source == "queue" {
		var at State
		if err := t.row(`SELECT state FROM messages WHERE shipment_id = ?1`, []any{s.ID}, &at); err != nil || at != Held {
			if err == nil || err == ErrNotFound {
				err = refused
			}
			return "", err
		}
		return Pending, nil
	}
	linked, err := t.hasLink(s.ID)
	if err != nil || linked {
		return Pending, err
	}
	return Expired, nil
}

func (t *tx) hasLink(shipmentID string) (linked bool, err error) {
	err = t.row(`SELECT EXISTS (SELECT 1 FROM links WHERE seq = (SELECT seq FROM shipments WHERE id = ?1))`, []any{shipmentID}, &linked)
	return linked, err
}

// reopened is an export of an opening whose raw file was fetched a second time.
// It says whether nothing is left to be done: the export is in the ledger.
func (t *tx) reopened(s Shipment, e *NewExport, before []Export) (done bool, err error) {
	for _, b := range before {
		if b.Member == e.Member {
			return true, t.goOn(s, b, e)
		}
	}
	// The file came another way, as a member of the whole package, say.
	for _, b := range before {
		if !strings.EqualFold(b.Entity, e.Entity) {
			continue
		}
		var delivered int
		if err := t.row(`SELECT count(*) FROM deliveries WHERE export_id = ?1 AND state = 'delivered'`, []any{b.ID}, &delivered); err != nil {
			return false, err
		}
		switch {
		case b.State == Landed || b.State == Skipped:
			e.Reason, e.Detail, e.Twin = ReasonSameExport, "of the same shipment: "+b.ID+" was "+string(b.State)+" before the raw file was fetched again", b.ID
		case delivered > 0:
			e.Reason, e.Detail, e.Twin = ReasonTwin, "of the same shipment: "+b.ID+" has landed in one of its outputs", b.ID
		case b.State == Parked:
			detail := "its file was fetched again and is " + e.Member
			if err := t.step(KindExport, b.ID, s.ID, Parked, Skipped, ReasonSuperseded, detail); err != nil {
				return false, err
			}
			if _, err := t.exec(`UPDATE exports SET state = 'skipped', reason = ?2, detail = ?3, landed_at = ?4 WHERE id = ?1`, b.ID, ReasonSuperseded, detail, t.now); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// goOn takes a parked export on with the file that was fetched again.
func (t *tx) goOn(s Shipment, b Export, e *NewExport) error {
	const detail = "its raw file was fetched again"
	switch {
	case b.State != Parked:
		return nil
	case e.Reason != "" || len(e.Deliveries) == 0:
		_, err := t.exec(`UPDATE exports SET reason = ?2, detail = ?3 WHERE id = ?1`, b.ID, e.Reason, e.Detail)
		if err == nil {
			err = t.note(KindExport, b.ID, s.ID, Parked, Parked, e.Reason, e.Detail)
		}
		return err
	}
	if same, err := provenCopy(t, b, s); err != nil || same != "" {
		return err // it stays on the list; rerun says which export has its rows
	}
	if err := t.step(KindExport, b.ID, s.ID, Parked, Open, ReasonRawDamaged, detail); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE exports SET state = 'open', reason = '', detail = '', flow = ?2, landed_at = NULL WHERE id = ?1`, b.ID, e.Flow); err != nil {
		return err
	}
	return t.rerouteDeliveries(b, e.Deliveries, detail)
}

// exportsOf gives the exports that a shipment was opened into before.
func (t *tx) exportsOf(shipmentID string) (all []Export, err error) {
	err = t.rows(`SELECT `+exportColumns+` FROM exports WHERE shipment_id = ?1 ORDER BY seq`, []any{shipmentID}, func(scan func(...any) error) error {
		e, err := scanExport(scan)
		all = append(all, e)
		return err
	})
	return all, err
}

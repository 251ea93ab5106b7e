package state

import "context"

// NextRung records why one way to an expired shipment's rows did not lead
// there, and goes on with another, at once. It changes nothing when s is not as
// ClaimRenewals gave it any more.
func (db *DB) NextRung(ctx context.Context, s Shipment, rung Rung, detail string) error {
	return db.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE shipments SET rung = ?4, renewals = 0, renew_at = ?5 WHERE `+asClaimed, s.ID, s.Rung, s.Renewals, rung, t.now)
		if err != nil || n == 0 {
			return err // it came another way meanwhile
		}
		return t.note(KindShipment, s.ID, s.ID, Expired, Expired, ReasonNoFreshLink, detail)
	})
}

// Supersede stores a full run of a data project whose rows shall take the place
// of an expired shipment's. A run that was asked for after the shipment's rows
// were exported serves several shipments: it carries all rows. FinOps has not
// been called when Supersede returns. It gives our id of the run. detail says
// what the rung before came to. A *TransitionError when the shipment is not as
// ClaimRenewals gave it any more.
func (db *DB) Supersede(ctx context.Context, claimed Shipment, n NewExecution, detail string) (id string, err error) {
	err = db.update(ctx, func(t *tx) error {
		s, err := t.shipment(claimed.ID)
		if err != nil {
			return err
		}
		if s.State != Expired || s.Rung != claimed.Rung || s.Renewals != claimed.Renewals {
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: "superseded"}
		}
		err = t.row(`SELECT id FROM executions WHERE environment = ?1 AND project = ?2 COLLATE NOCASE AND legal_entity = ?3 COLLATE NOCASE
			AND requested_at >= ?4 AND state NOT IN ('failed', 'skipped', 'stuck') ORDER BY seq LIMIT 1`,
			[]any{n.Environment, n.Project, n.LegalEntity, millis(s.Order.At)}, &id)
		if err == ErrNotFound {
			id, err = t.requestExecution(n)
		}
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE shipments SET rung = 'run', superseding = ?2, renewals = 0, renew_at = ?3 WHERE id = ?1`, s.ID, id, t.now); err != nil {
			return err
		}
		if err := t.note(KindShipment, s.ID, s.ID, Expired, Expired, ReasonNoFreshLink, detail); err != nil {
			return err
		}
		return t.note(KindShipment, s.ID, s.ID, Expired, Expired, ReasonSuperseded, "full run "+id+" of project "+n.Project+" shall bring its rows")
	})
	return id, err
}

// Superseded closes an expired shipment, because an export of a full run that
// was started for it has its rows.
func (db *DB) Superseded(ctx context.Context, shipmentID, exportID string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if s.State != Expired || s.Superseding == "" {
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Settled}
		}
		if err := t.prove(s.ID, ProofElsewhere); err != nil {
			return err
		}
		return t.closeShipment(s, ReasonSuperseded, "by "+exportID+" of the full run "+s.Superseding)
	})
}

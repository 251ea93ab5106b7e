package state

import (
	"cmp"
	"context"
	"fmt"
)

// Skip takes a parked export, a parked or expired shipment or an unreadable
// event off the list, because a person says that its rows are not needed or
// came another way. What is on its way or landed is refused.
func (db *DB) Skip(ctx context.Context, id, by, why string) error {
	detail := "by " + by + ": " + why
	return db.update(ctx, func(t *tx) error {
		switch KindOf(id) {
		case KindExport:
			return t.skipExport(id, detail)
		case KindShipment:
			return t.skipShipment(id, detail)
		case KindEvent:
			return t.skipEvent(id, detail)
		case KindExecution:
			return t.skipExecution(id, detail)
		}
		return fmt.Errorf("skip %s: %w", id, ErrNotFound)
	})
}

// MaySkip says whether Skip takes a thing off the list that stands so: nil, or
// the *TransitionError that Skip gives.
func MaySkip(id string, from State) error {
	kind := KindOf(id)
	to := map[Kind]State{KindShipment: Settled, KindEvent: Ignored}[kind]
	if kind == KindShipment && from != Parked && from != Expired { // what is on its way may bring the rows yet; of what is here, each export is skipped
		return &TransitionError{Kind: kind, ID: id, From: from, To: Skipped}
	}
	return checkArrow(kind, id, from, cmp.Or(to, Skipped))
}

func (t *tx) skipExport(id, detail string) error {
	e, err := t.export(id)
	if err != nil {
		return err
	}
	if err := t.step(KindExport, e.ID, e.ShipmentID, e.State, Skipped, ReasonSkipped, detail); err != nil {
		return err
	}
	_, err = t.exec(`UPDATE exports SET state = 'skipped', reason = ?2, detail = ?3, landed_at = ?4 WHERE id = ?1`, e.ID, ReasonSkipped, detail, t.now)
	return err
}

func (t *tx) skipShipment(id, detail string) error {
	s, err := t.shipment(id)
	if err != nil {
		return err
	}
	if err := MaySkip(id, s.State); err != nil {
		return err
	}
	if err := t.prove(id, ProofPerson); err != nil {
		return err
	}
	return t.closeShipment(s, ReasonSkipped, detail)
}

func (t *tx) skipEvent(id, detail string) error {
	var from State
	if err := t.row(`SELECT state FROM events WHERE id = ?1`, []any{id}, &from); err != nil {
		return err
	}
	if err := t.step(KindEvent, id, "", from, Ignored, ReasonSkipped, detail); err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE events SET state = 'ignored', reason = ?2 WHERE id = ?1`, id, ReasonSkipped); err != nil {
		return err
	}
	return t.dropUnread(id)
}

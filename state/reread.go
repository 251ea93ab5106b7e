package state

import (
	"context"
	"fmt"
)

// Reread replaces what an unreadable event was taken for, after the
// configuration learned its field names. An arrival with the event's own
// identity (that of its body) takes its place; the others are accepted beside
// it, those of them that are unreadable too, and it speaks for the first that
// has a shipment. Arrivals must not be empty, and the one in the event's place
// not unreadable again: then the event stays what it is.
func (db *DB) Reread(ctx context.Context, eventID string, arrivals []Arrival) ([]Receipt, error) {
	if len(arrivals) == 0 {
		return nil, fmt.Errorf("read %s again: nothing was read in it", eventID)
	}
	var receipts []Receipt
	err := db.update(ctx, func(t *tx) error {
		receipts = nil
		var from State
		if err := t.row(`SELECT state FROM events WHERE id = ?1`, []any{eventID}, &from); err != nil {
			return err
		}
		if from != Unreadable {
			return &TransitionError{Kind: KindEvent, ID: eventID, From: from, To: Accepted}
		}
		to, shipment := Ignored, ""
		for i := range arrivals {
			r, err := t.rereadOne(eventID, from, &arrivals[i])
			if err != nil {
				return fmt.Errorf("store event: %w", err)
			}
			if r.State == Accepted && to != Accepted {
				to, shipment = Accepted, r.ShipmentID
			}
			receipts = append(receipts, r)
		}
		if err := t.step(KindEvent, eventID, "", from, to, ReasonRerun, "read again"); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE events SET state = ?2, reason = ?3, shipment_id = ?4 WHERE id = ?1`,
			eventID, to, ReasonRerun, shipment); err != nil {
			return err
		}
		return t.dropUnread(eventID)
	})
	return receipts, err
}

func (t *tx) rereadOne(eventID string, from State, a *Arrival) (Receipt, error) {
	var environment, identity string
	var epoch int64
	if err := t.row(`SELECT environment, identity, epoch FROM events WHERE id = ?1`, []any{eventID}, &environment, &identity, &epoch); err != nil {
		return Receipt{}, err
	}
	if a.Environment != environment || a.Identity != identity {
		return t.accept(a)
	}
	if a.State == Unreadable {
		return Receipt{}, &TransitionError{Kind: KindEvent, ID: eventID, From: from, To: Unreadable}
	}
	// Itself. To go the way of other arrivals would make it its own duplicate,
	// and nobody would fetch its link.
	return t.readAs(eventID, a, epoch)
}

// readAs gives a stored event the fields that it is read with now, and the
// shipment that it brings with them.
func (t *tx) readAs(eventID string, a *Arrival, epoch int64) (Receipt, error) {
	if err := a.check(); err != nil {
		return Receipt{}, err
	}
	r := a.receipt(epoch)
	if _, err := t.exec(`UPDATE events SET business_event_id = ?2, finops_event_id = ?3, entity = ?4, legal_entity = ?5, control_number = ?6, rec_id = ?7,
			event_at = ?8, timeless = ?9 WHERE id = ?1`,
		eventID, a.BusinessEventID, a.FinOpsEventID, a.Entity, a.LegalEntity, a.ControlNumber, a.RecID, a.eventAt(t.now), a.EventAt.IsZero()); err != nil {
		return r, err
	}
	if a.Shipment == nil {
		return r, nil
	}
	return r, t.createShipment(a, r)
}

func (t *tx) dropUnread(eventID string) error {
	_, err := t.exec(`DELETE FROM unread WHERE seq = (SELECT seq FROM events WHERE id = ?1)`, eventID)
	return err
}

// UnreadBody gives the body of an unreadable event as it came, signatures
// included. ErrNotFound when the event is unknown or has been read.
func (db *DB) UnreadBody(ctx context.Context, eventID string) ([]byte, error) {
	var body []byte
	err := db.readRow(ctx, `SELECT u.body FROM unread u JOIN events e ON e.seq = u.seq WHERE e.id = ?1`, []any{eventID}, &body)
	return body, err
}

// Body gives an event's body, without signatures.
func (db *DB) Body(ctx context.Context, eventID string) ([]byte, error) {
	var body []byte
	err := db.readRow(ctx, `SELECT b.body FROM bodies b JOIN events e ON e.seq = b.seq WHERE e.id = ?1`, []any{eventID}, &body)
	return body, err
}

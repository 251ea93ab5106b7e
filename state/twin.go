package state

import "time"

// twinHorizon is how many exports of an entity are looked through.
const twinHorizon = 200

// seekTwin marks an export that came another way and may hold the same rows, and
// holds the one at hand for a person if its flow says so. It looks in the
// transaction that creates the export: of two copies that are opened in the
// same instant the second sees the first.
//
// It says "possibly the same" and no more: no identity of FinOps joins an
// event's file and a queue's package.
func (t *tx) seekTwin(s Shipment, e *NewExport) error {
	if e.TwinWithin <= 0 {
		return nil
	}
	err := t.row(`SELECT e.id FROM (SELECT * FROM exports WHERE entity = ?2 ORDER BY seq DESC LIMIT ?7) e JOIN shipments s ON s.id = e.shipment_id
		WHERE e.environment = ?1 AND (?3 = '' OR e.legal_entity = '' OR e.legal_entity = ?3 COLLATE NOCASE)
		AND s.source <> ?4 AND abs(e.order_at - ?5) <= ?6
		ORDER BY abs(e.order_at - ?5) LIMIT 1`,
		[]any{s.Environment, e.Entity, e.LegalEntity, s.Source, millis(s.Order.At), e.TwinWithin.Milliseconds(), twinHorizon}, &e.Twin)
	if err == ErrNotFound {
		return nil
	}
	if err == nil && e.HoldTwin && e.Reason == "" {
		e.Reason, e.Detail = ReasonTwin, "possibly the same rows as "+e.Twin+", which came another way"
	}
	return err
}

// TwinSearch is how an export is compared with those that came another way.
type TwinSearch struct {
	TwinWithin time.Duration // how far apart the two may be; 0: none is sought
	HoldTwin   bool          // park it when one is found
}

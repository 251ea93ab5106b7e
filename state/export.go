package state

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// NewExport is one data file found in a shipment.
type NewExport struct {
	Member       string
	Entity       string
	TargetEntity string
	LegalEntity  string
	RefreshType  string
	ExpectedRows *int64
	Notes        string
	Twin         string // see Export.Twin; found when the export is created
	TwinSearch

	// Reason parks the export at once: a member not to be opened, no flow.
	Reason Reason
	Detail string

	Flow       string        // the flow that took it; '' when none
	Deliveries []NewDelivery // one for each output; without any the export is parked
}

// NewDelivery is one output that an export goes to.
type NewDelivery struct {
	Output string
	Flow   string
}

// Opened records what a shipment's raw file holds: its exports, and their
// deliveries, in the order of the slice. An opening that was recorded before
// is not repeated. What the ledger found out about an export (that it is a copy,
// or held) stands in the slice afterwards.
func (db *DB) Opened(ctx context.Context, shipmentID, project string, exports []NewExport) error {
	var opened []NewExport
	err := db.update(ctx, func(t *tx) error {
		// Of its own: a run that is undone must leave no word behind of a copy
		// that was undone with it.
		opened = slices.Clone(exports)
		return t.opened(shipmentID, project, opened)
	})
	if err == nil {
		copy(exports, opened)
	}
	return err
}

func (t *tx) opened(shipmentID, project string, exports []NewExport) error {
	s, err := t.shipment(shipmentID)
	if err != nil || !s.OpenedAt.IsZero() {
		return err
	}
	if len(exports) == 0 {
		return fmt.Errorf("record opening of %s: no export is in it; park it instead", s.ID)
	}
	if s.State != Fetched {
		return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: "opened"}
	}
	if _, err := t.exec(`UPDATE shipments SET opened_at = ?2, interrupted = 0, owner = '', lease_until = 0 WHERE id = ?1`, s.ID, t.now); err != nil {
		return err
	}
	held := false
	if err := t.row(`SELECT held FROM shipments WHERE id = ?1`, []any{s.ID}, &held); err != nil {
		return err
	}
	for i := range exports {
		if held && exports[i].Reason == "" {
			exports[i].Reason, exports[i].Detail = heldBecause(s)
		}
		if err := t.openExport(s, project, &exports[i], onlyOne(exports, exports[i].Entity)); err != nil {
			return fmt.Errorf("record export %q of %s: %w", exports[i].Member, s.ID, err)
		}
	}
	return t.settle(s.ID)
}

// heldBecause says why a whole shipment is kept from the outputs.
func heldBecause(s Shipment) (Reason, string) {
	if s.Source == "package" {
		return ReasonPartial, "FinOps says that the execution only partly succeeded; finrelay shipments show tells what it said"
	}
	return ReasonBacklog, "it was in the queue before finrelay began to poll it"
}

// openExport creates an export, unless one that came another way is proven to
// hold its rows; and it takes from the list what this one is proven to hold.
// only says that the shipment has no other file of the entity: of several, none
// is proven to be the one that came.
func (t *tx) openExport(s Shipment, project string, e *NewExport, only bool) error {
	if !only {
		if err := t.seekTwin(s, e); err != nil {
			return err
		}
		return t.createExport(s, project, e)
	}
	same, err := proven(t, s, e.Entity)
	if err != nil {
		return err
	}
	if same != "" && e.Reason != ReasonMissingMember {
		e.Reason, e.Detail, e.Twin = ReasonSameExport, sameDetail(s, same), same
		return t.createExport(s, project, e)
	}
	if err := t.seekTwin(s, e); err != nil {
		return err
	}
	if err := t.createExport(s, project, e); err != nil {
		return err
	}
	switch e.Reason {
	case "", ReasonNoFlow, ReasonFlowError, ReasonBacklog, ReasonTwin: // its rows are here and can be read
		return t.closeProven(s, e.Entity, ExportID(s.ID, e.Member))
	}
	return nil
}

func onlyOne(exports []NewExport, entity string) bool {
	n := 0
	for i := range exports {
		if strings.EqualFold(exports[i].Entity, entity) {
			n++
		}
	}
	return n == 1
}

func (t *tx) createExport(s Shipment, project string, e *NewExport) error {
	id := ExportID(s.ID, e.Member)
	to, reason, outputs := Open, e.Reason, e.Deliveries
	if reason == "" && len(outputs) == 0 {
		reason = ReasonNoFlow // open, it would wait for ever for a delivery
	}
	switch reason {
	case "":
	case ReasonSameExport:
		to, outputs = Skipped, nil
	default:
		to, outputs = Parked, nil
	}
	if err := t.step(KindExport, id, s.ID, "", to, reason, e.Detail); err != nil {
		return err
	}
	// The time of receipt is the shipment's: what people wait for began then.
	if _, err := t.exec(`INSERT INTO exports (id, shipment_id, environment, member, entity, target_entity, legal_entity, refresh_type, project, flow, notes,
			order_at, order_no, expected_rows, state, reason, detail, received_at, twin, opening_notes)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?11)`,
		id, s.ID, s.Environment, e.Member, e.Entity, e.TargetEntity, e.LegalEntity, e.RefreshType, project, e.Flow, e.Notes,
		millis(s.Order.At), s.Order.No, e.ExpectedRows, to, reason, e.Detail, millis(s.ReceivedAt), e.Twin); err != nil {
		return err
	}
	if err := t.createDeliveries(id, s.ID, outputs); err != nil {
		return err
	}
	return t.hearFlows(s.Environment, e)
}

// hearFlows: an export that came is heard by each flow that took it, whatever
// becomes of it.
func (t *tx) hearFlows(environment string, e *NewExport) error {
	heard := map[string]bool{"": true}
	for _, d := range append([]NewDelivery{{Flow: e.Flow}}, e.Deliveries...) {
		if heard[d.Flow] {
			continue
		}
		heard[d.Flow] = true
		if err := t.heard(d.Flow, environment); err != nil {
			return err
		}
		if err := t.foundAgain(d.Flow, environment, e.Entity, "it is heard of again"); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) createDeliveries(exportID, shipmentID string, deliveries []NewDelivery) error {
	for _, d := range deliveries {
		if err := t.step(KindDelivery, exportID+"/"+d.Output, shipmentID, "", Ready, "", ""); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO deliveries (export_id, output, flow, state, due_at) VALUES (?1, ?2, ?3, 'ready', ?4)`,
			exportID, d.Output, d.Flow, t.now); err != nil {
			return err
		}
	}
	return nil
}

// RerunExport sets a parked or landed export going again along deliveries,
// which the caller has routed anew: the configuration may have changed since.
// Deliveries that are done are repeated only when the export had landed; they
// write the same bytes to the same place. An export whose raw file is gone
// cannot run: *TransitionError. A parked one whose rows are proven to have come
// with another export does not run: *SameExportError.
func (db *DB) RerunExport(ctx context.Context, exportID, flow string, deliveries []NewDelivery, by string) error {
	return db.rerunExport(ctx, exportID, flow, deliveries, by, false)
}

// LandAgain is RerunExport for a person who wants an export to land although
// another one has its rows.
func (db *DB) LandAgain(ctx context.Context, exportID, flow string, deliveries []NewDelivery, by string) error {
	return db.rerunExport(ctx, exportID, flow, deliveries, by, true)
}

func (db *DB) rerunExport(ctx context.Context, exportID, flow string, deliveries []NewDelivery, by string, again bool) error {
	if len(deliveries) == 0 {
		return fmt.Errorf("rerun %s: no output to go to", exportID)
	}
	return db.update(ctx, func(t *tx) error {
		by := by
		e, err := t.export(exportID)
		if err != nil {
			return err
		}
		s, err := t.shipment(e.ShipmentID)
		if err != nil {
			return err
		}
		if !s.RawHere() {
			return fmt.Errorf("rerun without its raw file: %w", &TransitionError{Kind: KindExport, ID: e.ID, From: e.State, To: Open})
		}
		same, err := provenCopy(t, e, s)
		if err != nil {
			return err
		}
		if same != "" && !again {
			return &SameExportError{ID: e.ID, Same: same}
		}
		if same != "" {
			by, e.Twin = by+", although "+same+" has the same rows", same
		}
		if err := t.step(KindExport, e.ID, e.ShipmentID, e.State, Open, ReasonRerun, by); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE exports SET state = 'open', reason = '', detail = '', flow = ?2, landed_at = NULL, twin = ?3 WHERE id = ?1`, e.ID, flow, e.Twin); err != nil {
			return err
		}
		if e.State == Landed { // it lands anew, and what is to be said of that is not known yet
			if _, err := t.exec(`UPDATE exports SET notes = opening_notes, remarks = '', unseen = '' WHERE id = ?1`, e.ID); err != nil {
				return err
			}
		}
		return t.rerouteDeliveries(e, deliveries, by)
	})
}

func (t *tx) rerouteDeliveries(e Export, wanted []NewDelivery, by string) error {
	existing := map[string]Delivery{}
	if err := t.rows(`SELECT `+deliveryColumns+` FROM deliveries WHERE export_id = ?1`, []any{e.ID}, func(scan func(...any) error) error {
		d, err := scanDelivery(scan)
		existing[d.Output] = d
		return err
	}); err != nil {
		return err
	}
	var added []NewDelivery
	for _, w := range wanted {
		d, ok := existing[w.Output]
		delete(existing, w.Output)
		switch {
		case !ok:
			added = append(added, w)
		case d.State == Parked || d.State == Waiting || d.State == Delivered && e.State == Landed:
			if err := t.releaseDelivery(d, ReasonRerun, by); err != nil {
				return err
			}
		}
		if _, err := t.exec(`UPDATE deliveries SET flow = ?3, attempts = 0, interrupted = 0 WHERE export_id = ?1 AND output = ?2`, e.ID, w.Output, w.Flow); err != nil {
			return err
		}
	}
	// An output that no flow names any more would hold the export open for ever.
	for output, d := range existing {
		if d.State == Delivered {
			continue
		}
		if err := t.note(KindDelivery, deliveryID(d), e.ShipmentID, d.State, Removed, ReasonRerun, by); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM deliveries WHERE export_id = ?1 AND output = ?2`, e.ID, output); err != nil {
			return err
		}
	}
	if err := t.createDeliveries(e.ID, e.ShipmentID, added); err != nil {
		return err
	}
	return t.land(e.ID)
}

package state

import (
	"context"
	"time"
)

// EventsNameRuns says whether an event since then named the execution that
// wrote its file.
func (db *DB) EventsNameRuns(ctx context.Context, environment string, since time.Time) (bool, error) {
	var known bool
	err := db.readRow(ctx, `SELECT EXISTS (SELECT 1 FROM shipments WHERE environment = ?1 AND execution_id <> '' AND source = 'event' AND received_at >= ?2)`,
		[]any{environment, millis(since)}, &known)
	return known, err
}

// proven finds the export that is proven to hold the same rows as an entity of
// a shipment that is being opened; "" when none is. The proof is FinOps' own:
// the same execution and the same entity, come another way (an event and a
// queue's message, say). Content proves nothing, since incremental exports
// repeat it.
//
// What is parked elsewhere proves nothing either: the copy at hand may be the
// one that can be read.
func proven(t reader, s Shipment, entity string) (exportID string, err error) {
	if s.ExecutionID == "" || entity == "" {
		return "", nil
	}
	if told, err := toldApart(t, s, entity); err != nil || !told {
		return "", err
	}
	if one, err := oneEachWay(t, s, entity); err != nil || !one {
		return "", err
	}
	found := 0
	files := map[string]int{} // of the entity, by shipment
	err = t.rows(`SELECT e.id, e.shipment_id, e.state FROM shipments o JOIN exports e ON e.shipment_id = o.id
		WHERE o.environment = ?1 AND o.execution_id = ?2 AND o.execution_id <> '' AND o.source <> ?3 AND e.entity = ?4 COLLATE NOCASE
		AND o.received_at >= `+epochBegan+`
		ORDER BY e.seq`, []any{s.Environment, s.ExecutionID, s.Source, entity}, func(scan func(...any) error) error {
		var id, shipment string
		var at State
		err := scan(&id, &shipment, &at)
		if files[shipment]++; files[shipment] > 1 {
			found++ // several files of one entity: which of them this one is, FinOps does not say
		}
		if at == Open || at == Landed {
			exportID, found = id, found+1
		}
		return err
	})
	if err != nil || found != 1 {
		return "", err
	}
	return exportID, nil
}

// epochBegan is when the environment's identities began to count: those of a
// database that was restored since may repeat, and prove nothing across.
const epochBegan = `coalesce((SELECT since FROM environments WHERE name = ?1), 0)`

// oneEachWay says whether no other way has several shipments that have the
// entity of the execution, or may have it, however far they have come. Of two
// companies' events one may have landed and the other be lost: a package that
// holds both is no copy of the first.
func oneEachWay(t reader, s Shipment, entity string) (bool, error) {
	var several int
	err := t.row(`SELECT count(*) FROM (SELECT 1 FROM shipments WHERE environment = ?1 AND execution_id = ?2 AND execution_id <> '' AND source <> ?3
		AND (source = 'queue' OR entity = '' OR entity = ?4 COLLATE NOCASE) GROUP BY source HAVING count(*) > 1)`,
		[]any{s.Environment, s.ExecutionID, s.Source, entity}, &several)
	return several == 0, err
}

// toldApart says whether an execution's id tells the shipments of one way apart.
// An event class that fills the field with a constant, or a job that keeps one
// id for all its runs, would otherwise make every export after the first a
// duplicate, and its rows would be lost.
func toldApart(t reader, s Shipment, entity string) (bool, error) {
	var others int
	err := t.row(`SELECT count(*) FROM shipments WHERE environment = ?1 AND execution_id = ?2 AND execution_id <> '' AND source = ?3 AND id <> ?4
		AND (source = 'queue' OR entity = ?5 COLLATE NOCASE)`,
		[]any{s.Environment, s.ExecutionID, s.Source, s.ID, entity}, &others)
	if err != nil || others > 0 {
		return false, err
	}
	var since int64
	err = t.row(`SELECT `+epochBegan, []any{s.Environment}, &since)
	return millis(s.ReceivedAt) >= since, err
}

// closeProven takes shipments off the list whose rows are proven to have come
// another way, by the export that is here now.
func (t *tx) closeProven(s Shipment, entity, exportID string) error {
	if s.ExecutionID == "" || entity == "" {
		return nil
	}
	var closable []Shipment
	if err := t.rows(`SELECT `+shipmentColumns+` FROM shipments WHERE environment = ?1 AND execution_id = ?2 AND execution_id <> '' AND source <> ?3
		AND entity = ?4 COLLATE NOCASE AND state IN ('expired', 'parked') AND raw_file = '' AND received_at >= `+epochBegan,
		[]any{s.Environment, s.ExecutionID, s.Source, entity}, func(scan func(...any) error) error {
			o, err := scanShipment(scan)
			closable = append(closable, o)
			return err
		}); err != nil {
		return err
	}
	if len(closable) != 1 { // none, or ids that do not tell them apart
		return nil
	}
	if told, err := toldApart(t, s, entity); err != nil || !told {
		return err
	}
	if one, err := oneEachWay(t, s, entity); err != nil || !one {
		return err
	}
	return t.settleSame(closable[0], exportID)
}

// settleSame closes a shipment without a raw file, because an export that came
// another way has its rows.
func (t *tx) settleSame(s Shipment, exportID string) error {
	if err := t.prove(s.ID, ProofElsewhere); err != nil {
		return err
	}
	return t.closeShipment(s, ReasonSameExport, sameDetail(s, exportID))
}

func sameDetail(s Shipment, exportID string) string {
	return "the same execution and entity came another way: " + exportID + " (execution " + s.ExecutionID + ")"
}

// doubtCopies puts on the list what was skipped as a copy of an export that
// turns out not to land by itself: the copy may be the one that can be read.
func (t *tx) doubtCopies(e Export) error {
	var copies []Export
	if err := t.rows(`SELECT c.id, c.shipment_id FROM shipments s JOIN shipments o ON o.environment = s.environment AND o.execution_id = s.execution_id AND o.execution_id <> ''
		JOIN exports c ON c.shipment_id = o.id
		WHERE s.id = ?1 AND c.twin = ?2 AND c.state = 'skipped' AND c.reason = 'same_export' AND o.raw_file <> '' AND o.raw_removed_at IS NULL`,
		[]any{e.ShipmentID, e.ID}, func(scan func(...any) error) error {
			var c Export
			err := scan(&c.ID, &c.ShipmentID)
			copies = append(copies, c)
			return err
		}); err != nil {
		return err
	}
	for _, c := range copies {
		detail := "the same rows as " + e.ID + ", which did not land: rerun the one that can be read and skip the other"
		if err := t.step(KindExport, c.ID, c.ShipmentID, Skipped, Parked, ReasonTwin, detail); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE exports SET state = 'parked', reason = ?2, detail = ?3 WHERE id = ?1`, c.ID, ReasonTwin, detail); err != nil {
			return err
		}
	}
	return nil
}

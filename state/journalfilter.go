package state

import (
	"context"
	"fmt"
	"strings"
)

// JournalFilter narrows the journal. Zero fields do not narrow.
type JournalFilter struct {
	Environment string
	// Entity is a glob. A shipment's entries are of its own label and of those
	// of its exports, once it is opened.
	Entity string
	Flow   string // of an export, a delivery, or the cadence of a flow
	Kinds  []Kind
}

// Kinds are those that the journal speaks of.
var Kinds = []Kind{KindEvent, KindShipment, KindExport, KindDelivery, KindMessage, KindExecution, KindCadence, KindEnvironment}

// What a journal row is about, as SQL of its subject; ? is the wanted value.
// Each finds its row by an id. The subject of a cadence is FLOW@ENVIRONMENT or
// FLOW@ENVIRONMENT/ENTITY, that of a delivery EXPORT-ID/OUTPUT.
const (
	ofEnvironment = `CASE kind
		WHEN 'event' THEN (SELECT environment FROM events WHERE id = subject) = ?
		WHEN 'execution' THEN (SELECT environment FROM executions WHERE id = subject) = ?
		WHEN 'environment' THEN subject = ?
		WHEN 'cadence' THEN instr(subject || '/', '@' || ? || '/') > 0
		ELSE (SELECT environment FROM shipments WHERE id = j.shipment_id) = ? END`

	ofEntity = `CASE
		WHEN kind = 'event' THEN EXISTS (SELECT 1 FROM events e WHERE e.id = subject
			AND (e.entity GLOB ? OR EXISTS (SELECT 1 FROM exports x WHERE x.shipment_id = e.shipment_id AND x.entity GLOB ?)))
		WHEN kind IN ('export', 'delivery') THEN (SELECT entity FROM exports WHERE id = substr(subject, 1, instr(subject || '/', '/') - 1)) GLOB ?
		WHEN kind = 'cadence' THEN instr(subject, '/') > 0 AND substr(subject, instr(subject, '/') + 1) GLOB ?
		ELSE (SELECT entity FROM shipments WHERE id = j.shipment_id) GLOB ?
			OR EXISTS (SELECT 1 FROM exports x WHERE x.shipment_id = j.shipment_id AND x.entity GLOB ?) END`

	ofFlow = `CASE
		WHEN kind = 'delivery' THEN EXISTS (SELECT 1 FROM deliveries d WHERE d.export_id = substr(subject, 1, instr(subject || '/', '/') - 1)
			AND d.export_id || '/' || d.output = subject AND d.flow = ?)
		WHEN kind = 'cadence' THEN substr(subject, 1, instr(subject, '@') - 1) = ?
		ELSE EXISTS (SELECT 1 FROM exports x WHERE x.shipment_id = CASE kind WHEN 'event' THEN (SELECT shipment_id FROM events WHERE id = subject) ELSE j.shipment_id END
			AND (kind <> 'export' OR x.id = subject) AND (x.flow = ? OR EXISTS (SELECT 1 FROM deliveries d WHERE d.export_id = x.id AND d.flow = ?))) END`
)

// JournalOf is Journal, of the entries that a filter leaves.
func (db *DB) JournalOf(ctx context.Context, f JournalFilter, after int64, limit int) ([]JournalEntry, error) {
	args := []any{after, limit}
	terms := []string{"seq > ?1"}
	add := func(term string, v any) {
		args = append(args, v)
		terms = append(terms, "("+strings.ReplaceAll(term, "?", fmt.Sprintf("?%d", len(args)))+")")
	}
	if f.Environment != "" {
		add(ofEnvironment, f.Environment)
	}
	if f.Entity != "" {
		add(ofEntity, sqlGlob(f.Entity))
	}
	if f.Flow != "" {
		add(ofFlow, f.Flow)
	}
	if len(f.Kinds) > 0 {
		marks := make([]string, len(f.Kinds))
		for i, k := range f.Kinds {
			args = append(args, k)
			marks[i] = fmt.Sprintf("?%d", len(args))
		}
		terms = append(terms, "kind IN ("+strings.Join(marks, ", ")+")")
	}
	rows, err := db.read.QueryContext(ctx, `SELECT seq, at, kind, subject, shipment_id, from_state, to_state, reason, detail
		FROM journal j WHERE `+strings.Join(terms, " AND ")+` ORDER BY seq LIMIT ?2`, args...)
	if err != nil {
		return nil, err
	}
	return scanJournal(rows)
}

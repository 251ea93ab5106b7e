package state

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// DefaultLimit is how many rows a list gives when the filter does not say.
const DefaultLimit = 50

// Filter narrows a list. Zero fields do not narrow. Lists are newest first.
type Filter struct {
	Environment string
	Entity      string // a glob as flows have them, see MatchGlob: letter case ignored
	// States, of exports also Waiting: open, with a delivery that waits for its
	// next try.
	States     []State
	Reason     Reason    // of an open export that of a delivery that waits
	Remark     Remark    // exports only: those that have it
	Unseen     bool      // exports only: landed with a remark, that of Remark if it is named, that nobody has looked at
	ShipmentID string    // exports only
	Since      time.Time // received at or after
	Limit      int       // rows; 0 is DefaultLimit, negative is no limit
}

// waitingExports are exports of which a delivery waits for its next try.
const waitingExports = `SELECT export_id FROM deliveries WHERE state IN ('ready', 'waiting') AND state = 'waiting'`

// where builds the condition; columns that a table lacks are not asked for.
func (f Filter) where(columns ...string) (string, []any) {
	has := map[string]bool{}
	for _, c := range columns {
		has[c] = true
	}
	var terms []string
	var args []any
	add := func(term string, v any) {
		args = append(args, v)
		terms = append(terms, strings.ReplaceAll(term, "?", fmt.Sprintf("?%d", len(args))))
	}
	if f.Environment != "" {
		add("environment = ?", f.Environment)
	}
	if f.Entity != "" {
		add(entityTerm(f.Entity))
	}
	switch {
	case f.Reason != "" && has["open"]:
		add("(reason = ? OR state = 'open' AND id IN ("+waitingExports+" AND reason = ?))", f.Reason)
	case f.Reason != "":
		add("reason = ?", f.Reason)
	}
	if f.ShipmentID != "" && has["shipment_id"] {
		add("shipment_id = ?", f.ShipmentID)
	}
	if f.Remark != "" && has["remarks"] {
		add("remarks <> '' AND instr(' ' || remarks || ' ', ' ' || ? || ' ') > 0", f.Remark)
	}
	if f.Unseen && has["remarks"] {
		terms = append(terms, "state = 'landed' AND remarks <> '' AND unseen <> ''")
		if f.Remark != "" {
			add("instr(' ' || unseen || ' ', ' ' || ? || ' ') > 0", f.Remark)
		}
	}
	switch {
	case !f.Since.IsZero() && has["requested_at"]:
		add("requested_at >= ?", millis(f.Since))
	case !f.Since.IsZero():
		add("received_at >= ?", millis(f.Since))
	}
	if len(f.States) > 0 {
		marks := make([]string, len(f.States))
		for i, s := range f.States {
			args = append(args, s)
			marks[i] = fmt.Sprintf("?%d", len(args))
		}
		term := "state IN (" + strings.Join(marks, ", ") + ")"
		if has["open"] && slices.Contains(f.States, Waiting) {
			term = "(" + term + " OR state = 'open' AND id IN (" + waitingExports + "))"
		}
		terms = append(terms, term)
		// The partial indexes hold what is not at rest: saying so lets SQLite
		// use them instead of walking a million settled rows.
		switch {
		case has["live"] && !hasRest(f.States):
			terms = append(terms, "state NOT IN ('settled')")
		case has["open"] && !hasRest(f.States):
			terms = append(terms, "state IN ('open', 'parked')")
		case has["unread"] && len(f.States) == 1 && f.States[0] == Unreadable:
			terms = append(terms, "state = 'unreadable'")
		}
	}
	where := ""
	if len(terms) > 0 {
		where = " WHERE " + strings.Join(terms, " AND ")
	}
	limit := f.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	args = append(args, limit)
	return where + fmt.Sprintf(" ORDER BY seq DESC LIMIT ?%d", len(args)), args
}

func hasRest(states []State) bool {
	for _, s := range states {
		if s == Settled || s == Landed || s == Skipped {
			return true
		}
	}
	return false
}

// Events lists events.
func (db *DB) Events(ctx context.Context, f Filter) ([]Event, error) {
	where, args := f.where("unread")
	return collect(ctx, db, `SELECT `+eventColumns+` FROM events`+where, args, scanEvent)
}

// Shipments lists shipments.
func (db *DB) Shipments(ctx context.Context, f Filter) ([]Shipment, error) {
	where, args := f.where("live")
	return collect(ctx, db, `SELECT `+shipmentColumns+` FROM shipments`+where, args, only(scanShipment))
}

// Exports lists exports.
func (db *DB) Exports(ctx context.Context, f Filter) ([]Export, error) {
	from := "exports"
	if few, err := db.fewExportsSince(ctx, f.Since); err != nil {
		return nil, err
	} else if few && f.ShipmentID == "" && f.Entity == "" && f.Remark == "" && !f.Unseen && (len(f.States) == 0 || hasRest(f.States)) {
		from = "exports INDEXED BY exports_received"
	}
	where, args := f.where("shipment_id", "open", "remarks")
	return collect(ctx, db, `SELECT `+exportColumns+` FROM `+from+where, args, only(scanExport))
}

// fewSince is how many rows are sorted rather than found in order.
const fewSince = 2000

// fewExportsSince says whether a list since a time should be read by its time:
// newest first, a list of nothing would walk the whole history. SQLite cannot
// know that; many rows since that time lie close together at the newest end.
func (db *DB) fewExportsSince(ctx context.Context, since time.Time) (bool, error) {
	if since.IsZero() {
		return false, nil
	}
	var n int
	err := db.readRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM exports INDEXED BY exports_received WHERE received_at >= ?1 LIMIT ?2)`,
		[]any{millis(since), fewSince}, &n)
	return n < fewSince, err
}

// only drops the variadic part of a scan function.
func only[T any](scan func(func(...any) error, ...any) (T, error)) func(func(...any) error) (T, error) {
	return func(s func(...any) error) (T, error) { return scan(s) }
}

// Deliveries gives an export's deliveries, in the order they were made.
func (db *DB) Deliveries(ctx context.Context, exportID string) ([]Delivery, error) {
	return collect(ctx, db, `SELECT `+deliveryColumns+` FROM deliveries WHERE export_id = ?1 ORDER BY seq`, []any{exportID}, scanDelivery)
}

// Event finds an event by its id.
func (db *DB) Event(ctx context.Context, id string) (Event, error) {
	return one(ctx, db, `SELECT `+eventColumns+` FROM events WHERE id = ?1`, []any{id}, scanEvent)
}

// Shipment finds a shipment by its id.
func (db *DB) Shipment(ctx context.Context, id string) (Shipment, error) {
	return one(ctx, db, `SELECT `+shipmentColumns+` FROM shipments WHERE id = ?1`, []any{id}, only(scanShipment))
}

// Export finds an export by its id.
func (db *DB) Export(ctx context.Context, id string) (Export, error) {
	return one(ctx, db, `SELECT `+exportColumns+` FROM exports WHERE id = ?1`, []any{id}, only(scanExport))
}

// Find completes the start of an id, as people type it, to the one id that it
// fits. ErrNotFound when none or several do.
func (db *DB) Find(ctx context.Context, start string) (string, error) {
	table := map[Kind]string{KindEvent: "events", KindShipment: "shipments", KindExport: "exports", KindExecution: "executions"}[KindOf(start)]
	if table == "" {
		return "", fmt.Errorf("%q: an id begins with ev_, sh_, ex_ or xc_: %w", start, ErrNotFound)
	}
	ids, err := collect(ctx, db, `SELECT id FROM `+table+` WHERE id >= ?1 AND id < ?1 || '~' LIMIT 2`, []any{start},
		func(scan func(...any) error) (id string, err error) {
			err = scan(&id)
			return id, err
		})
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", fmt.Errorf("%s: %w", start, ErrNotFound)
	case len(ids) > 1:
		return "", fmt.Errorf("%s fits several ids, type more of it: %w", start, ErrNotFound)
	}
	return ids[0], nil
}

// HasLink says whether a shipment's link is still kept.
func (db *DB) HasLink(ctx context.Context, shipmentID string) (bool, error) {
	var n int
	err := db.readRow(ctx, `SELECT count(*) FROM links WHERE seq = (SELECT seq FROM shipments WHERE id = ?1)`, []any{shipmentID}, &n)
	return n > 0, err
}

package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Column lists and the functions that scan them stand side by side: change
// them together.

const shipmentColumns = `id, environment, source, event_id, entity, legal_entity, execution_id, definition_group, expected_rows,
	order_at, order_no, link_path, deadline, state, reason, detail, due_at, attempts, interrupted, mark_etag, mark_offset,
	raw_file, raw_bytes, raw_sha256, received_at, fetched_at, opened_at, settled_at, raw_removed_at, renew_at, renewals, whole_package, rung, superseding,
	proof, seen_file, seen_as, seen_sha256, seen_bytes, seen_at`

func scanShipment(scan func(...any) error, more ...any) (Shipment, error) {
	var s Shipment
	var orderAt, deadline, due, received int64
	var fetched, opened, settled, removed, renew, seen sql.NullInt64
	err := scan(append([]any{&s.ID, &s.Environment, &s.Source, &s.EventID, &s.Entity, &s.LegalEntity, &s.ExecutionID, &s.DefinitionGroup, &s.ExpectedRows,
		&orderAt, &s.Order.No, &s.LinkPath, &deadline, &s.State, &s.Reason, &s.Detail, &due, &s.Attempts, &s.Interrupted, &s.MarkETag, &s.MarkOffset,
		&s.RawFile, &s.RawBytes, &s.RawSHA256, &received, &fetched, &opened, &settled, &removed, &renew, &s.Renewals, &s.WholePackage, &s.Rung, &s.Superseding,
		&s.Proof, &s.Seen.File, &s.Seen.As, &s.Seen.SHA256, &s.Seen.Bytes, &seen}, more...)...)
	s.Order.At, s.Deadline, s.DueAt, s.ReceivedAt = fromMillis(orderAt), fromMillis(deadline), fromMillis(due), fromMillis(received)
	s.FetchedAt, s.OpenedAt = fromMillis(fetched.Int64), fromMillis(opened.Int64)
	s.RenewAt, s.Seen.At = fromMillis(renew.Int64), fromMillis(seen.Int64)
	s.SettledAt, s.RawRemovedAt = fromMillis(settled.Int64), fromMillis(removed.Int64)
	return s, err
}

const exportColumns = `id, shipment_id, environment, member, entity, target_entity, legal_entity, refresh_type, project, flow, notes,
	order_at, order_no, expected_rows, state, reason, detail, rows, bad_rows, received_at, landed_at, twin, remarks, unseen, opening_notes`

func scanExport(scan func(...any) error, more ...any) (Export, error) {
	var e Export
	var orderAt, received int64
	var landed sql.NullInt64
	var remarks, unseen string
	err := scan(append([]any{&e.ID, &e.ShipmentID, &e.Environment, &e.Member, &e.Entity, &e.TargetEntity, &e.LegalEntity, &e.RefreshType, &e.Project, &e.Flow, &e.Notes,
		&orderAt, &e.Order.No, &e.ExpectedRows, &e.State, &e.Reason, &e.Detail, &e.Rows, &e.BadRows, &received, &landed, &e.Twin, &remarks, &unseen, &e.OpeningNotes}, more...)...)
	e.Remarks, e.Unseen = parseRemarks(remarks), parseRemarks(unseen)
	e.Order.At, e.ReceivedAt, e.LandedAt = fromMillis(orderAt), fromMillis(received), fromMillis(landed.Int64)
	return e, err
}

const deliveryColumns = `export_id, output, flow, state, reason, detail, due_at, attempts, interrupted,
	path, manifest_path, rows, bad_rows, bytes, sha256, delivered_at`

func scanDelivery(scan func(...any) error) (Delivery, error) {
	var d Delivery
	var due int64
	var delivered sql.NullInt64
	err := scan(&d.ExportID, &d.Output, &d.Flow, &d.State, &d.Reason, &d.Detail, &due, &d.Attempts, &d.Interrupted,
		&d.Path, &d.ManifestPath, &d.Rows, &d.BadRows, &d.Bytes, &d.SHA256, &delivered)
	d.DueAt, d.DeliveredAt = fromMillis(due), fromMillis(delivered.Int64)
	return d, err
}

const eventColumns = `id, environment, door, state, reason, business_event_id, finops_event_id, entity, legal_entity,
	control_number, rec_id, event_at, received_at, shipment_id, duplicates, last_seen_at, timeless`

func scanEvent(scan func(...any) error) (Event, error) {
	var e Event
	var at, received, seen int64
	err := scan(&e.ID, &e.Environment, &e.Door, &e.State, &e.Reason, &e.BusinessEventID, &e.FinOpsEventID, &e.Entity, &e.LegalEntity,
		&e.ControlNumber, &e.RecID, &at, &received, &e.ShipmentID, &e.Duplicates, &seen, &e.Timeless)
	e.EventAt, e.ReceivedAt, e.LastSeenAt = fromMillis(at), fromMillis(received), fromMillis(seen)
	return e, err
}

func scanJournal(rows *sql.Rows) ([]JournalEntry, error) {
	var entries []JournalEntry
	err := eachRow(rows, func(scan func(...any) error) error {
		var e JournalEntry
		var at int64
		if err := scan(&e.Seq, &at, &e.Kind, &e.Subject, &e.ShipmentID, &e.From, &e.To, &e.Reason, &e.Detail); err != nil {
			return err
		}
		e.At = fromMillis(at)
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// collect reads all rows of a query on a reader connection.
func collect[T any](ctx context.Context, db *DB, query string, args []any, scan func(func(...any) error) (T, error)) ([]T, error) {
	rows, err := db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var all []T
	err = eachRow(rows, func(s func(...any) error) error {
		v, err := scan(s)
		all = append(all, v)
		return err
	})
	return all, err
}

// one reads the row of a query on a reader connection, ErrNotFound when none.
func one[T any](ctx context.Context, db *DB, query string, args []any, scan func(func(...any) error) (T, error)) (T, error) {
	all, err := collect(ctx, db, query, args, scan)
	if err == nil && len(all) != 1 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

func (db *DB) readRow(ctx context.Context, query string, args []any, dest ...any) error {
	err := db.read.QueryRowContext(ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return db.orClosed(err)
}

// orClosed is the error of a read, or ErrClosed when the ledger is: what
// database/sql says then has no name to test for.
func (db *DB) orClosed(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-db.closing:
		return fmt.Errorf("%w (%w)", ErrClosed, err)
	default:
		return err
	}
}

func (t *tx) shipment(id string) (Shipment, error) {
	var s Shipment
	err := t.scanOne(`SELECT `+shipmentColumns+` FROM shipments WHERE id = ?1`, id, func(scan func(...any) error) (err error) {
		s, err = scanShipment(scan)
		return err
	})
	return s, err
}

func (t *tx) export(id string) (Export, error) {
	var e Export
	err := t.scanOne(`SELECT `+exportColumns+` FROM exports WHERE id = ?1`, id, func(scan func(...any) error) (err error) {
		e, err = scanExport(scan)
		return err
	})
	return e, err
}

func (t *tx) scanOne(query, id string, scan func(func(...any) error) error) error {
	found := false
	err := t.rows(query, []any{id}, func(s func(...any) error) error {
		found = true
		return scan(s)
	})
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

// nullMillis stores the zero time as NULL.
func nullMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

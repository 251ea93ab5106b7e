package state

import (
	"context"
	"fmt"
)

// SameExportError is an export that is not landed, because its rows are proven
// to have come with another one.
type SameExportError struct {
	ID   string
	Same string // the export that has them: landed, or on its way
}

func (e *SameExportError) Error() string {
	return fmt.Sprintf("export %s holds the rows of %s", e.ID, e.Same)
}

// SameExport gives the export, landed or on its way, that is proven to hold the
// rows of a parked one; "" when there is none. The answer is of the moment:
// RerunExport looks again.
func (db *DB) SameExport(ctx context.Context, e Export) (id string, err error) {
	s, err := db.Shipment(ctx, e.ShipmentID)
	if err != nil {
		return "", err
	}
	return provenCopy(glance{ctx, db}, e, s)
}

// provenCopy is proven for an export that is parked. One that landed itself is
// not a second landing when it runs again.
func provenCopy(t reader, e Export, s Shipment) (same string, err error) {
	if e.State != Parked {
		return "", nil
	}
	var files int
	if err := t.row(`SELECT count(*) FROM exports WHERE shipment_id = ?1 AND entity = ?2 COLLATE NOCASE`, []any{s.ID, e.Entity}, &files); err != nil || files != 1 {
		return "", err
	}
	return proven(t, s, e.Entity)
}

// reader is what the rules of sameness look through: a transition, or a glance
// from outside of one.
type reader interface {
	row(query string, args []any, dest ...any) error
	rows(query string, args []any, each func(scan func(dest ...any) error) error) error
}

// glance reads beside the writer.
type glance struct {
	ctx context.Context
	db  *DB
}

func (g glance) row(query string, args []any, dest ...any) error {
	return g.db.readRow(g.ctx, query, args, dest...)
}

func (g glance) rows(query string, args []any, each func(scan func(dest ...any) error) error) error {
	rows, err := g.db.read.QueryContext(g.ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, each)
}

package state

import (
	"context"
	"fmt"
)

// NameExport gives an export that stands still another entity and company: what
// neither its message nor its file names is told by the configuration, which may
// have changed since. It changes nothing once rows of it are in an output, or on
// their way there: a second landing under another name would be a second file.
func (db *DB) NameExport(ctx context.Context, exportID, entity, legalEntity string) error {
	return db.update(ctx, func(t *tx) error {
		e, err := t.export(exportID)
		if err != nil || e.Entity == entity && e.LegalEntity == legalEntity || e.State != Parked {
			return err
		}
		var begun int
		if err := t.row(`SELECT count(*) FROM deliveries WHERE export_id = ?1 AND state IN ('running', 'delivered')`, []any{e.ID}, &begun); err != nil || begun > 0 {
			return err
		}
		detail := fmt.Sprintf("entity %q of company %q, as the configuration says now", entity, legalEntity)
		if err := t.note(KindExport, e.ID, e.ShipmentID, e.State, e.State, ReasonRerun, detail); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE exports SET entity = ?2, legal_entity = ?3 WHERE id = ?1`, e.ID, entity, legalEntity)
		return err
	})
}

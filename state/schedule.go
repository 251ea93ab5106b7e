package state

import (
	"context"
	"time"
)

// Slot is the last slot of a data project's schedule that was taken. For one
// that is seen for the first time it is now: its first run is the next slot's.
func (db *DB) Slot(ctx context.Context, environment, project string) (time.Time, error) {
	var at int64
	err := db.update(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO schedules (environment, project, slot_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`, environment, project, t.now); err != nil {
			return err
		}
		return t.row(`SELECT slot_at FROM schedules WHERE environment = ?1 AND project = ?2`, []any{environment, project}, &at)
	})
	return fromMillis(at), err
}

// RequestSlot takes a slot: it stores runs to be started, in order, and gives
// their ids, in one transaction, so that a slot runs once whatever becomes of
// the process. While runs of the project are open it starts none: they export
// what this slot would.
func (db *DB) RequestSlot(ctx context.Context, environment, project string, slot time.Time, wanted []NewExecution) ([]string, error) {
	var ids []string
	err := db.update(ctx, func(t *tx) error {
		ids = nil
		if _, err := t.exec(`UPDATE schedules SET slot_at = ?3 WHERE environment = ?1 AND project = ?2`, environment, project, millis(slot)); err != nil {
			return err
		}
		var open string
		var at State
		err := t.row(`SELECT id, state FROM executions WHERE environment = ?1 AND project = ?2 COLLATE NOCASE AND state IN ('queued', 'starting', 'running', 'stuck') LIMIT 1`,
			[]any{environment, project}, &open, &at)
		if err == nil {
			return t.note(KindExecution, open, "", at, at, ReasonStillRunning, "the slot of "+slot.UTC().Format(time.RFC3339)+" starts no other run beside it")
		}
		if err != ErrNotFound {
			return err
		}
		ids, err = t.requestExecutions(wanted)
		return err
	})
	return ids, err
}

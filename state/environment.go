package state

import (
	"context"
	"fmt"
)

// epoch is read inside the transaction: a reset that stands before it in the
// same commit counts, and one that is undone does not.
func (t *tx) epoch(environment string) (int64, error) {
	if e, ok := t.db.epochs[environment]; ok {
		return e, nil
	}
	var e int64
	err := t.row(`SELECT epoch FROM environments WHERE name = ?1`, []any{environment}, &e)
	if err != nil && err != ErrNotFound { // not found: never reset
		return 0, err
	}
	t.db.epochs[environment] = e
	return e, nil
}

// ResetEnvironment starts a new epoch: identities that were seen before do not
// make a duplicate any more. It is for the day a FinOps database was restored
// or refreshed, when its counters and ids begin to repeat. Nothing that is
// stored is touched. It returns the new epoch.
func (db *DB) ResetEnvironment(ctx context.Context, name, why string) (int64, error) {
	var epoch int64
	err := db.update(ctx, func(t *tx) error {
		delete(db.epochs, name)
		if err := t.row(`INSERT INTO environments (name, epoch, since, why) VALUES (?1, 1, ?2, ?3)
			ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, since = excluded.since, why = excluded.why
			RETURNING epoch`, []any{name, t.now, why}, &epoch); err != nil {
			return err
		}
		return t.note(KindEnvironment, name, "", "", State(fmt.Sprintf("epoch %d", epoch)), ReasonNewEpoch, why)
	})
	return epoch, err
}

// HostsSeen gives the hosts of recent links, by environment: what an operator
// would pin.
func (db *DB) HostsSeen(ctx context.Context) (map[string][]string, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT DISTINCT environment, substr(link_path, 1, instr(link_path || '/', '/') - 1) AS host
		FROM (SELECT environment, link_path FROM shipments ORDER BY seq DESC LIMIT 10000) ORDER BY environment, host`)
	if err != nil {
		return nil, err
	}
	seen := map[string][]string{}
	err = eachRow(rows, func(scan func(...any) error) error {
		var environment, host string
		if err := scan(&environment, &host); err != nil {
			return err
		}
		seen[environment] = append(seen[environment], host)
		return nil
	})
	return seen, err
}

package state

import (
	"context"
	"errors"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// Probe writes to the ledger, durably, what means nothing: that it can be
// written is known only by doing it. It waits its turn behind the transitions
// that are queued. As for them, the wait does not end with ctx once it is queued.
func (db *DB) Probe(ctx context.Context) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO probes (only, at) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET at = excluded.at`, t.now)
		return err
	})
}

// Answers reads from the ledger what costs nothing to read.
func (db *DB) Answers(ctx context.Context) error {
	var n int
	return db.readRow(ctx, `SELECT count(*) FROM probes`, nil, &n)
}

// DiskFull says whether an error is a disk, or a user's share of it, without room.
func DiskFull(err error) bool {
	ledger, _ := errors.AsType[sqlite3.Error](err)
	return ledger.Code == sqlite3.ErrFull || isAny(err, ledger, syscall.ENOSPC, syscall.EDQUOT)
}

// ReadOnly says whether an error is a file system or file that may not be written.
func ReadOnly(err error) bool {
	ledger, _ := errors.AsType[sqlite3.Error](err)
	return ledger.Code == sqlite3.ErrReadonly || isAny(err, ledger, syscall.EROFS)
}

// isAny looks for the system's own error, which SQLite keeps beside its code.
func isAny(err error, ledger sqlite3.Error, causes ...syscall.Errno) bool {
	for _, cause := range causes {
		if errors.Is(err, cause) || ledger.SystemErrno == cause {
			return true
		}
	}
	return false
}

package state

import (
	"errors"

	"github.com/mattn/go-sqlite3"
)

// Refused says whether the ledger is well and says no: to ask again would give
// the same answer. Any other error is of the moment: a full disk, a lock.
func Refused(err error) bool {
	if _, ok := errors.AsType[*TransitionError](err); ok {
		return true
	}
	constraint, ok := errors.AsType[sqlite3.Error](err)
	// The ledger has no triggers: one that refuses is somebody's, for the moment.
	ours := ok && constraint.Code == sqlite3.ErrConstraint && constraint.ExtendedCode != sqlite3.ErrConstraintTrigger
	return ours || errors.Is(err, ErrNotFound) || errors.Is(err, ErrClosed)
}

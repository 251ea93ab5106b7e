//go:build !linux

package state

// checkFilesystem knows Linux's file systems only; elsewhere the operator must.
func checkFilesystem(string) error { return nil }

// Free gives the bytes that this user may still write where the ledger is; known
// is false where that cannot be asked, as here.
func (db *DB) Free() (bytes uint64, known bool) { return 0, false }

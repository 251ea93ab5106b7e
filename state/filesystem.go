package state

import "fmt"

// FilesystemError is a state folder on a file system that a ledger must not
// be put on.
type FilesystemError struct {
	Folder string
	Type   string // "NFS", "SMB", …
}

func (e *FilesystemError) Error() string {
	return fmt.Sprintf("state folder %s is on %s: SQLite's locks and fsync cannot be trusted over a network, "+
		"and an event answered with 202 could be lost; put the state folder on a local disk (outputs may stay where they are)",
		e.Folder, e.Type)
}

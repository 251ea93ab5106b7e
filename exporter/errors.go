package exporter

import (
	"errors"
	"fmt"
)

// Reasons for not opening a member of a package, or a whole file. They come
// wrapped with the name of the member; test for them with errors.Is.
var (
	// ErrUnsafePath: the member's name leaves the folder it would be put in
	// ("../x", "C:\x", "/x").
	ErrUnsafePath = errors.New("unsafe path in archive")
	// ErrDuplicateName: the archive holds two members that would be the same
	// file on a system that folds case.
	ErrDuplicateName = errors.New("duplicate name in archive")
	// ErrTooLarge: a limit on members, unpacked bytes or compression ratio is
	// exceeded; the message names the limit and the value.
	ErrTooLarge = errors.New("larger than the limit")
	// ErrEncrypted: the member is encrypted; FinOps never does that.
	ErrEncrypted = errors.New("encrypted")
	// ErrUnsupported: a compression method, a nested archive or a data format
	// that this version does not read. The raw file is good and is kept.
	ErrUnsupported = errors.New("not readable yet")
	// ErrDamaged: truncated, wrong checksum, or not the structure it claims.
	ErrDamaged = errors.New("damaged")
	// ErrEmpty: a data file of 0 bytes, not even a header.
	ErrEmpty = errors.New("file of 0 bytes")
)

// RecordError is a record or document that cannot be read, with the place
// where reading stopped.
type RecordError struct {
	Entry  string // name of the data file, as in the archive; "" for a bare file or a pipe
	Line   int64  // first line of the record, from 1; 0 when unknown
	Column int64  // byte within that line, from 1; 0 when unknown
	Err    error  // what is wrong, in words that need no context
}

// Error gives "ENTRY:LINE:COLUMN: what is wrong", leaving out what is unknown.
func (e *RecordError) Error() string {
	entry := e.Entry
	if entry == "" {
		entry = "input"
	}
	switch {
	case e.Line > 0 && e.Column > 0:
		return fmt.Sprintf("%s:%d:%d: %v", entry, e.Line, e.Column, e.Err)
	case e.Line > 0:
		return fmt.Sprintf("%s:%d: %v", entry, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", entry, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }

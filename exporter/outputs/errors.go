package outputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Reasons for refusing; test for them with errors.Is.
var (
	// ErrMissing: the place is not there, or what is there is another one. It
	// comes as a *MissingError. Nothing was created, written or removed.
	ErrMissing = errors.New("the output's place is missing")
	// ErrPathTaken: the path holds another export's rows. It comes as a
	// *PathTakenError. Repeating does not help; the template has to change.
	ErrPathTaken = errors.New("path belongs to another export")
	// ErrSuperseded: a later Begin for the same export discarded this attempt.
	ErrSuperseded = errors.New("a later attempt for the same export took over")
	// ErrRowCount: rows told and rows written differ. That is a fault in the
	// program; committing would make the manifest a lie.
	ErrRowCount = errors.New("rows told and rows written differ")
)

var errFinished = errors.New("this attempt is already finished")

// MissingError says what is found where an output's place should be.
type MissingError struct {
	Place string // the folder
	Seen  string // in words that follow it: "does not exist"
	Want  string // what was expected
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("not mounted? %s %s; expected %s", e.Place, e.Seen, e.Want)
}

// Unwrap makes errors.Is(err, ErrMissing) true.
func (e *MissingError) Unwrap() error { return ErrMissing }

// PathTakenError names both exports that want one path.
type PathTakenError struct {
	Path   string // the data file
	Owner  string // id of the export whose rows are there
	Export string // id of the export that was refused
}

func (e *PathTakenError) Error() string {
	return fmt.Sprintf("%s holds the rows of export %s, export %s would overwrite them: put {export_id} into the output's template",
		e.Path, e.Owner, e.Export)
}

// Unwrap makes errors.Is(err, ErrPathTaken) true.
func (e *PathTakenError) Unwrap() error { return ErrPathTaken }

// bare is what is wrong with a file, without its path: who wraps it names that.
func bare(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

// bareAt is bare, unless the error speaks of another file: of a folder above.
func bareAt(path string, err error) error {
	if e, ok := err.(*fs.PathError); ok && e.Path != path {
		return err
	}
	return bare(err)
}

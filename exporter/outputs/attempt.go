package outputs

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
)

// attempt is one try to land one export as files.
type attempt struct {
	out    *Files
	marker string // id of the marker that the output's folder must hold
	export Export

	// mu is held for the length of each call. Its user is one goroutine; the
	// lock is for a younger attempt that takes over.
	mu   sync.Mutex
	over error // why nothing more is taken; nil while the attempt runs

	path    string // of the data file, below the output's folder, with "/"
	folder  string // its folder, "." for the output's own
	name    string // its last element
	id      string // part of the temporary names
	disk    *disk
	rows    *rowEncoder
	data    *stagedFile
	bad     *stagedFile // nil until the first bad row
	badRows int64
}

// start opens the folder and the temporary data file.
func (a *attempt) start() error {
	a.path = a.out.template.Path(a.export)
	a.folder, a.name = splitPath(a.path)
	// The output's name is in it so that two outputs with one folder do not
	// write into each other's files.
	a.id = shortHash(a.out.name + "\x00" + a.export.ID)

	var err error
	if a.rows, err = newRowEncoder(a.out.format, a.out.envelope, a.export); err != nil {
		return err
	}
	if a.disk, err = a.out.openFolder(a.folder, a.marker); err != nil {
		return err
	}
	for _, suffix := range []string{badRowsSuffix, manifestSuffix} {
		if _, err := a.disk.remove(tempName(a.name+suffix, a.id)); err != nil {
			return err
		}
	}
	a.data, err = stage(a.disk, a.name, a.id, dataBuffer)
	return err
}

func (a *attempt) Block(lines []byte, rows int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over != nil {
		return a.refuse("write")
	}
	if err := a.rows.block(a.data.buf, lines, rows); err != nil {
		a.over = err
		return a.refuse("write")
	}
	return nil
}

func (a *attempt) BadRow(line []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over != nil {
		return a.refuse("set a row aside of")
	}
	if err := a.badRow(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
		a.over = err
		return a.refuse("set a row aside of")
	}
	return nil
}

func (a *attempt) badRow(line []byte) error {
	if bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("%w: a bad row of several lines", ErrRowCount)
	}
	if a.bad == nil {
		var err error
		if a.bad, err = stage(a.disk, a.name+badRowsSuffix, a.id, smallBuffer); err != nil {
			return err
		}
	}
	a.badRows++
	a.bad.buf.Write(line)
	return a.bad.buf.WriteByte('\n')
}

func (a *attempt) Abort() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.end(errFinished)
}

// supersede discards the attempt for a younger one. It waits for a call that
// is in progress; after a commit there is nothing left to discard.
func (a *attempt) supersede() {
	a.mu.Lock()
	defer a.mu.Unlock()
	// What cannot be removed here, the younger attempt stumbles over itself
	// and reports.
	_ = a.end(ErrSuperseded)
}

// refuse says why a call was turned down.
func (a *attempt) refuse(act string) error {
	return fmt.Errorf("%s export %s: %w", act, a.export.ID, a.over)
}

// end closes the attempt and removes its temporary files, once. The first
// reason stays. The caller holds a.mu.
func (a *attempt) end(why error) error {
	if a.over == nil {
		a.over = why
	}
	a.out.forget(a)
	if a.disk == nil {
		return nil
	}
	var errs []error
	for _, s := range []*stagedFile{a.data, a.bad} {
		if s != nil {
			errs = append(errs, s.discard())
		}
	}
	_, err := a.disk.remove(tempName(a.name+manifestSuffix, a.id))
	errs = append(errs, err, a.disk.root.Close())
	a.disk, a.data, a.bad = nil, nil, nil // a later end must not touch a younger attempt's files
	return errors.Join(errs...)
}

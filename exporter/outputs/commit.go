package outputs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func (a *attempt) Commit(ctx context.Context, f Facts) (Receipt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over != nil {
		return Receipt{}, a.refuse("commit")
	}
	r, err := a.commit(ctx, f)
	if err != nil {
		a.over = err
		return Receipt{}, a.refuse("commit")
	}
	// The names are durable; what fails while letting go changes nothing.
	_ = a.end(errFinished)
	return r, nil
}

// commit is the guarantee, and its order is the guarantee's substance:
//
//	sync   data, bad rows       their bytes are durable under temporary names
//	write  manifest             last thing that needs space; nothing visible yet
//	read   marker               the disk may have gone, or come, since Begin
//	remove old manifest         only if it says something else: what a manifest
//	                            says is true at every moment
//	rename data, bad rows
//	sync   manifest
//	sync   folder               the names of data and bad rows are durable: no
//	                            file system promises to keep two renames in order
//	rename manifest             the commit mark
//	sync   folder               its name is durable
//
// A crash between two steps leaves data without a manifest at worst. The next
// attempt writes the same bytes over it.
func (a *attempt) commit(ctx context.Context, f Facts) (Receipt, error) {
	if f.Rows != a.rows.rows || f.BadRows != a.badRows {
		return Receipt{}, fmt.Errorf("%w: told %d and %d set aside, written %d and %d", ErrRowCount, f.Rows, f.BadRows, a.rows.rows, a.badRows)
	}
	if err := a.syncRows(); err != nil {
		return Receipt{}, err
	}
	body, err := a.manifest(f).encode()
	if err != nil {
		return Receipt{}, err
	}

	lock := a.out.commitLock(a.path)
	lock.Lock()
	defer lock.Unlock()
	stale, err := a.checkOwner(body)
	if err != nil {
		return Receipt{}, err
	}
	manifest, err := stage(a.disk, a.name+manifestSuffix, a.id, smallBuffer)
	if err != nil {
		return Receipt{}, err
	}
	defer manifest.close()
	manifest.buf.Write(body)
	if err := manifest.buf.Flush(); err != nil {
		return Receipt{}, err
	}
	if err := ctx.Err(); err != nil { // from here on, stopping halfway helps nobody
		return Receipt{}, err
	}
	if err := a.inPlace(); err != nil {
		return Receipt{}, err
	}
	if stale {
		if err := a.withdraw(manifest.name); err != nil {
			return Receipt{}, err
		}
	}
	if err := a.publish(manifest); err != nil {
		return Receipt{}, err
	}
	return a.receipt(), nil
}

func (a *attempt) syncRows() error {
	if err := a.rows.end(a.data.buf); err != nil {
		return err
	}
	if err := a.data.sync(); err != nil {
		return err
	}
	if a.bad == nil {
		return nil
	}
	return a.bad.sync()
}

func (a *attempt) manifest(f Facts) Manifest {
	m := newManifest(a.export, f)
	m.Bytes = a.data.size
	m.SHA256 = a.data.sha256()
	m.DataFile = a.name
	m.DataFormat = a.out.format
	m.Envelope = a.out.envelope
	if a.bad != nil {
		m.BadRowsFile = a.bad.name
	}
	return m
}

// checkOwner looks at the manifest that is there. It tells whether that one is
// of this export but says something else, and refuses if it is another's.
func (a *attempt) checkOwner(body []byte) (stale bool, err error) {
	name := a.name + manifestSuffix
	old, err := a.disk.root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", a.disk.path(name), err)
	}
	owner, err := manifestOwner(old)
	if err != nil {
		return false, fmt.Errorf("read %s: not a manifest (%w): move it out of the way", a.disk.path(name), err)
	}
	if owner != a.export.ID {
		return false, &PathTakenError{Path: a.disk.path(a.name), Owner: owner, Export: a.export.ID}
	}
	return !bytes.Equal(old, body), nil
}

// inPlace gives ErrMissing unless the folder that rows were written into is
// still the one that its path leads to, below an output's folder that holds the
// marker. A disk that was mounted over it would hide what is renamed now.
func (a *attempt) inPlace() error {
	root, err := openPlace(a.out.folder, a.out.name, a.marker)
	if err != nil {
		return err
	}
	defer root.Close()
	now, err := root.Stat(filepath.FromSlash(a.folder))
	if err == nil {
		var begun fs.FileInfo
		if begun, err = a.disk.root.Stat("."); err == nil && os.SameFile(now, begun) {
			return nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at %s: %w", a.disk.at, bare(err))
	}
	return &MissingError{Place: a.disk.at, Seen: "was replaced while rows were written into it", Want: "the same folder to the end"}
}

// withdraw takes the old manifest away, durably, before its data file changes.
func (a *attempt) withdraw(manifest string) error {
	if _, err := a.disk.remove(manifest); err != nil {
		return err
	}
	return a.disk.syncFolder(".")
}

func (a *attempt) publish(manifest *stagedFile) error {
	if err := a.data.publish(); err != nil {
		return err
	}
	if err := a.publishBadRows(); err != nil {
		return err
	}
	if err := manifest.sync(); err != nil {
		return err
	}
	// Without it a power cut may keep the manifest's new name and lose the
	// data file's: a manifest of nothing.
	if err := a.disk.syncFolder("."); err != nil {
		return err
	}
	if err := manifest.publish(); err != nil {
		return err
	}
	return a.disk.syncFolder(".")
}

// publishBadRows also takes an older attempt's bad rows away if there are none
// now, and those of an earlier version: the manifest would not name them, but
// people would read them.
func (a *attempt) publishBadRows() error {
	if _, err := a.disk.remove(a.name + formerBadRowsSuffix); err != nil {
		return err
	}
	if a.bad != nil {
		return a.bad.publish()
	}
	_, err := a.disk.remove(a.name + badRowsSuffix)
	return err
}

func (a *attempt) receipt() Receipt {
	r := Receipt{
		Path:         a.disk.path(a.name),
		ManifestPath: a.disk.path(a.name + manifestSuffix),
		Rows:         a.rows.rows,
		Bytes:        a.data.size,
		SHA256:       a.data.sha256(),
	}
	if a.bad != nil {
		r.BadRowsPath = a.disk.path(a.bad.name)
	}
	return r
}

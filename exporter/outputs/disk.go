package outputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Group may read, others may not: these are business data. A stricter umask
// still counts.
const (
	fileMode   = 0o640
	folderMode = 0o750
)

// disk is one folder and everything we do to the names in it. Each step goes
// through here, so that errors name the path, and tests can record the order
// of steps and make any of them fail.
//
// All access is through os.Root: a symbolic link inside the output's folder
// cannot lead a write out of it.
type disk struct {
	root  *os.Root
	at    string                        // the folder's path, for messages
	trace func(step, name string) error // nil outside tests; called before the step
}

func (d *disk) step(step, name string) error {
	if d.trace == nil {
		return nil
	}
	if err := d.trace(step, name); err != nil {
		return fmt.Errorf("%s %s: %w", step, d.path(name), err)
	}
	return nil
}

func (d *disk) path(name string) string { return filepath.Join(d.at, filepath.FromSlash(name)) }

// create makes a file that did not exist before: whoever still has a file of
// this name open keeps his own, and cannot write into ours.
func (d *disk) create(name string) (*os.File, error) {
	if err := d.step("create", name); err != nil {
		return nil, err
	}
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("clear the way for %s: %w", d.path(name), bare(err))
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", d.path(name), bare(err))
	}
	return f, nil
}

func (d *disk) sync(f *os.File, name string) error {
	if err := d.step("sync", name); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", d.path(name), bare(err))
	}
	return nil
}

func (d *disk) rename(from, to string) error {
	if err := d.step("rename", to); err != nil {
		return err
	}
	if err := d.root.Rename(from, to); err != nil {
		return fmt.Errorf("rename to %s: %w", d.path(to), bare(err))
	}
	return nil
}

// remove takes a name away; that it is not there is no error.
func (d *disk) remove(name string) (removed bool, err error) {
	if _, err := d.root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err := d.step("remove", name); err != nil {
		return false, err
	}
	err = d.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("remove %s: %w", d.path(name), bare(err))
	}
	return true, nil
}

// mkdir makes one folder and tells whether it was missing.
func (d *disk) mkdir(name string) (made bool, err error) {
	err = d.root.Mkdir(name, folderMode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("create folder %s: %w", d.path(name), bare(err))
	}
	return true, nil
}

// syncFolder makes the names in a folder durable.
func (d *disk) syncFolder(name string) error {
	if err := d.step("sync folder", name); err != nil {
		return err
	}
	folder, err := d.root.Open(name)
	if err != nil {
		return fmt.Errorf("open folder %s: %w", d.path(name), bare(err))
	}
	return syncAndClose(folder, d.path(name))
}

func syncAndClose(folder *os.File, at string) error {
	// Windows has no such call for folders; NTFS logs names itself.
	if runtime.GOOS == "windows" {
		return folder.Close()
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder %s: %w", at, bare(err))
	}
	return nil
}

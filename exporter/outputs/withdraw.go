package outputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Landed says where an export landed before.
type Landed struct {
	Path     string // of its data file
	ExportID string
	// The place that the file is in. With Marker "" nobody knows it any more,
	// and the manifest beside the file is all that says whose it is.
	Output, Place, Marker string
}

// Withdraw removes an export's data file, and what lies beside it, from a place
// where it landed before: its output has moved it elsewhere since, and an export
// lands once. The manifest goes first, and durably, so that no reader finds a
// manifest without its data. A file that is gone, or that belongs to another
// export by now, is left alone without an error; a place without its marker is
// ErrMissing.
func Withdraw(l Landed) error {
	if err := l.withdraw(); err != nil {
		return fmt.Errorf("withdraw %s: %w", l.Path, err)
	}
	return nil
}

func (l Landed) withdraw() error {
	top, name, err := l.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer top.root.Close()
	body, err := top.root.ReadFile(name + manifestSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := decodeManifest(body)
	if err != nil {
		return fmt.Errorf("read its manifest: %w", err)
	}
	if m.ExportID != l.ExportID {
		return nil
	}
	if _, err := top.remove(name + manifestSuffix); err != nil {
		return err
	}
	folder := filepath.Dir(name)
	if err := top.syncFolder(folder); err != nil {
		return err
	}
	gone := []string{name}
	if m.BadRowsFile != "" {
		gone = append(gone, filepath.Join(folder, m.BadRowsFile))
	}
	for _, file := range gone {
		if _, err := top.remove(file); err != nil {
			return err
		}
	}
	return nil
}

// open gives a folder and the data file's name below it.
func (l Landed) open() (d *disk, name string, err error) {
	var root *os.Root
	if name, ok := below(l.Place, l.Path); ok && l.Marker != "" {
		root, err = openPlace(l.Place, l.Output, l.Marker)
		return &disk{root: root, at: l.Place}, name, err
	}
	folder, name := filepath.Split(l.Path)
	root, err = os.OpenRoot(folder)
	return &disk{root: root, at: folder}, name, err
}

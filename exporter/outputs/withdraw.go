package outputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Withdraw removes an export's data file, and what lies beside it, from a place
// where it landed before: its output has moved it elsewhere since, and an export
// lands once. The manifest goes first, and durably, so that no reader finds a
// manifest without its data. A file that is gone, or that belongs to another
// export by now, is left alone without an error.
func Withdraw(path, exportID string) error {
	m, err := ReadManifest(path + manifestSuffix)
	if errors.Is(err, fs.ErrNotExist) || err == nil && m.ExportID != exportID {
		return nil
	}
	if err != nil {
		return fmt.Errorf("withdraw %s: %w", path, err)
	}
	folder := filepath.Dir(path)
	if err := errors.Join(os.Remove(path+manifestSuffix), syncDir(folder)); err != nil {
		return fmt.Errorf("withdraw %s: %w", path, err)
	}
	gone := []string{path}
	if m.BadRowsFile != "" {
		gone = append(gone, filepath.Join(folder, m.BadRowsFile))
	}
	for _, file := range gone {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("withdraw %s: %w", path, err)
		}
	}
	return nil
}

func syncDir(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

//go:build !windows

package fetch

import (
	"errors"
	"os"
)

// syncDir makes the names in a folder durable: a rename is not, by itself.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

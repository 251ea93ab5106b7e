package fetch

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes a file's bytes and length durable. fdatasync leaves out the
// times, which would cost a second write on most file systems.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}

package convert

import (
	"bytes"
	"fmt"
	"os"

	"finrelay/exporter"
)

// Bounds of what is kept aside while a workbook is read, in bytes. Variables
// so that tests can reach them.
var (
	// spoolMemory is how much stays in memory; from there on a temporary file
	// holds all of it.
	spoolMemory = 4 << 20
	// spoolMost is how much there may be at all.
	spoolMost int64 = 4 << 30
)

// spool keeps bytes that are read at random later: small ones in memory, large
// ones in a temporary file that has no name any more where the system allows
// that, so that nothing is left even when the process is killed. The caller
// closes it.
type spool struct {
	folder string // of the temporary file; "" is the system's
	mem    []byte
	file   *os.File
	size   int64
}

func (s *spool) Write(p []byte) (int, error) {
	if s.size+int64(len(p)) > spoolMost {
		return 0, fmt.Errorf("%w: more than %d bytes to be kept aside", exporter.ErrTooLarge, spoolMost)
	}
	if s.file == nil && len(s.mem)+len(p) > spoolMemory {
		if err := s.toDisk(); err != nil {
			return 0, err
		}
	}
	if s.file == nil {
		s.mem = append(s.mem, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	return n, err
}

func (s *spool) toDisk() error {
	f, err := os.CreateTemp(s.folder, "finrelay-workbook-")
	if err != nil {
		return err
	}
	_ = os.Remove(f.Name()) // where this is refused, Close does it
	s.file = f
	_, err = f.Write(s.mem)
	s.mem = nil
	return err
}

// ReadAt is as io.ReaderAt asks; nobody may write at the same time.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(p, off)
	}
	return bytes.NewReader(s.mem).ReadAt(p, off)
}

// Close gives memory and file back.
func (s *spool) Close() error {
	s.mem = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	_ = os.Remove(s.file.Name()) // most systems let toDisk do it
	s.file = nil
	return err
}

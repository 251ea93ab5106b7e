package outputs

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
)

// What one write call hands to the kernel, in bytes.
const (
	dataBuffer  = 256 << 10
	smallBuffer = 4 << 10 // manifests and bad rows
)

// stagedFile is a file under its temporary name, with size and hash of what
// was written so far.
type stagedFile struct {
	disk *disk
	name string // final
	temp string

	file *os.File // nil once closed
	made os.FileInfo
	buf  *bufio.Writer
	sum  hash.Hash
	size int64
}

// stage creates the temporary file of name; attempt tells exports apart that
// want the same name.
func stage(d *disk, name, attempt string, buffer int) (*stagedFile, error) {
	s := &stagedFile{disk: d, name: name, temp: tempName(name, attempt), sum: sha256.New()}
	file, err := d.create(s.temp)
	if err != nil {
		return nil, err
	}
	s.file = file
	s.buf = bufio.NewWriterSize(writerFunc(s.flushed), buffer)
	if s.made, err = file.Stat(); err != nil {
		return nil, errors.Join(fmt.Errorf("look at %s: %w", d.path(s.temp), bare(err)), s.close())
	}
	return s, nil
}

// flushed takes what leaves the buffer.
func (s *stagedFile) flushed(p []byte) (int, error) {
	n, err := s.write(p)
	s.sum.Write(p[:n])
	s.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("write %s: %w", s.disk.path(s.temp), bare(err))
	}
	return n, nil
}

func (s *stagedFile) write(p []byte) (int, error) {
	if err := s.disk.step("write", s.temp); err != nil {
		return 0, err
	}
	return s.file.Write(p)
}

// sync makes the bytes durable and closes the file: Windows renames no open
// file, and nothing may be written after the hash is told.
func (s *stagedFile) sync() error {
	if err := s.buf.Flush(); err != nil {
		return err
	}
	if err := s.disk.sync(s.file, s.temp); err != nil {
		return err
	}
	return s.close()
}

// publish gives the file its final name, replacing what has it.
func (s *stagedFile) publish() error {
	if !s.ours() {
		return fmt.Errorf("rename to %s: %w: %s is gone or is another file now", s.disk.path(s.name), ErrSuperseded, s.temp)
	}
	return s.disk.rename(s.temp, s.name)
}

// ours tells whether the temporary name still means the file that was written.
// Another process may have swept it, or put its own there: rows that are half
// written by somebody else must not become visible as ours.
func (s *stagedFile) ours() bool {
	now, err := s.disk.root.Lstat(s.temp)
	return err == nil && os.SameFile(now, s.made)
}

func (s *stagedFile) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if err != nil {
		return fmt.Errorf("close %s: %w", s.disk.path(s.temp), bare(err))
	}
	return nil
}

// discard closes and removes the temporary file, if it still has that name.
func (s *stagedFile) discard() error {
	err := s.close()
	if !s.ours() {
		return err
	}
	_, removeErr := s.disk.remove(s.temp)
	return errors.Join(err, removeErr)
}

func (s *stagedFile) sha256() string { return hex.EncodeToString(s.sum.Sum(nil)) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

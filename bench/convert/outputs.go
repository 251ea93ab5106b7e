//go:build linux

package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"finrelay/bench/canon"
)

// outputs gives the files a contestant has written, in the order of their
// names: out itself, or what is in it when it is a folder.
func outputs(out string) (names []string, err error) {
	err = filepath.WalkDir(out, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// syncAll makes the files durable. It is a formality for a contestant that has
// done so itself, and levels those that have not.
func syncAll(out string) error {
	names, err := outputs(out)
	for _, name := range names {
		if err == nil {
			err = syncFile(name)
		}
	}
	return err
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// fingerprint reads what a contestant has written, and its size in bytes.
func fingerprint(out string) (p canon.Print, size int64, err error) {
	names, err := outputs(out)
	if err != nil {
		return p, 0, err
	}
	files := &concat{names: names}
	defer func() { err = errors.Join(err, files.Close()) }()
	in := &counted{r: files}
	p, err = canon.Read(in)
	return p, in.n, err
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// concat reads the files one after the other, one open at a time.
type concat struct {
	names []string
	file  *os.File
}

func (c *concat) Read(p []byte) (int, error) {
	for {
		if c.file == nil {
			if len(c.names) == 0 {
				return 0, io.EOF
			}
			f, err := os.Open(c.names[0])
			if err != nil {
				return 0, err
			}
			c.file, c.names = f, c.names[1:]
		}
		n, err := c.file.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if err := c.file.Close(); err != nil {
			return n, err
		}
		c.file = nil
		if n > 0 {
			return n, nil
		}
	}
}

// Close closes the file that is open, if reading stopped in the middle.
func (c *concat) Close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}

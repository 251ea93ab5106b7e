package unpack

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zip"

	"finrelay/exporter"
)

// Member gives the member of that name, the first if there are several, as
// after a restart when only the name is known.
func (c *Contents) Member(name string) (Member, bool) {
	for _, m := range c.Members {
		if m.Name == name {
			return m, true
		}
	}
	return Member{}, false
}

// Open gives the unpacked bytes of a member from the beginning; the caller
// closes the stream. A member may be opened again and several at once.
//
// The error is m.Err when that is set. Reading ends with exporter.ErrDamaged,
// wrapped with the member's name, when the bytes do not unpack, are more or
// fewer than stated or have another checksum, which is known only at the end:
// until io.EOF nothing read is proved good.
func (c *Contents) Open(m Member) (io.ReadCloser, error) {
	if m.Err != nil {
		return nil, m.Err
	}
	if m.entry == nil {
		if c.Kind != KindBare && c.Kind != KindWorkbook {
			return nil, fmt.Errorf("open %q: not a member of this archive", m.Name)
		}
		return io.NopCloser(io.NewSectionReader(c.file, 0, c.size)), nil
	}
	if r := c.begun.Load(); r != nil && r.entry == m.entry && c.begun.CompareAndSwap(r, nil) {
		r.name = m.Name
		return r, nil
	}
	r, err := c.stream(m.entry)
	if err != nil {
		return nil, named(m.Name, err)
	}
	r.name = m.Name
	return r, nil
}

// stream opens an entry. Its errors, and those of reading, are without a name.
func (c *Contents) stream(e *entry) (*stream, error) {
	r, err := e.File.Open()
	if err != nil {
		return nil, explain(err)
	}
	return &stream{ReadCloser: r, entry: e}, nil
}

// stream gives the errors of the zip reader the words of package exporter. It
// does not count: the zip reader gives no more bytes than the directory states,
// and examine held those against the limits.
type stream struct {
	io.ReadCloser
	entry *entry
	name  string // put before errors; "" for none
	head  []byte // what sniff has read, to be read again
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.head) > 0 {
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	n, err := s.ReadCloser.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	if err = explain(err); s.name != "" {
		err = named(s.name, err)
	}
	return n, err
}

func explain(err error) error {
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return fmt.Errorf("%w: unknown compression method", exporter.ErrUnsupported)
	case errors.Is(err, zip.ErrChecksum):
		return fmt.Errorf("%w: wrong checksum", exporter.ErrDamaged)
	case errors.Is(err, zip.ErrFormat):
		return fmt.Errorf("%w: more bytes than the archive states, or no header", exporter.ErrDamaged)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: ends before it is whole", exporter.ErrDamaged)
	}
	return blame(err, "cannot be unpacked")
}

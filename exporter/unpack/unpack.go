package unpack

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"finrelay/exporter"
)

// Kind says what a raw file is.
type Kind string

// Kinds of raw files; the package comment says how they are told apart.
const (
	KindBare     Kind = "bare"
	KindPackage  Kind = "package"
	KindZip      Kind = "zip"
	KindWorkbook Kind = "workbook"
)

// Limits bounds what an archive may hold. A zero field is its default.
type Limits struct {
	Members     int   // data files and all other entries; default 10000
	MemberBytes int64 // unpacked bytes of one member, or of a bare file; default 64 GiB
	TotalBytes  int64 // unpacked bytes of all members; default 256 GiB
	// Ratio is unpacked to packed bytes of one member, counted only in members
	// of more than 64 MiB unpacked; default 1000. Real XML exports reach 15.
	Ratio     int64
	NameBytes int // length of a member's name; default 1024
}

const ratioCountsFrom = 64 << 20 // unpacked bytes; below it a bomb does no harm

func (l Limits) orDefaults() Limits {
	l.Members = orDefault(l.Members, 10_000)
	l.MemberBytes = orDefault(l.MemberBytes, 64<<30)
	l.TotalBytes = orDefault(l.TotalBytes, 256<<30)
	l.Ratio = orDefault(l.Ratio, 1000)
	l.NameBytes = orDefault(l.NameBytes, 1024)
	return l
}

func orDefault[T int | int64](v, usual T) T {
	if v <= 0 {
		return usual
	}
	return v
}

// Options says how to open a raw file.
type Options struct {
	Limits Limits
	Name   string // what to call a bare file: its link's last path element
}

// Contents is an open raw file. Its fields are only read. Open and Member may
// be called concurrently; the caller closes it, after the streams it gave.
type Contents struct {
	Kind    Kind
	Project string    // data project (definition group) of a package, "" when unknown
	Members []Member  // data files in the order of the archive
	Missing []Missing // in the order of the manifest
	// Warnings are sentences about what was passed over or not as declared.
	Warnings []string

	file    *os.File
	size    int64
	entries []*entry               // of an archive: members, manifest and all else
	begun   atomic.Pointer[stream] // of a member, for the next who opens it
}

// Member is one data file.
type Member struct {
	// Name is the path as in the archive, "" in a bare file. Names tell members
	// apart: of several with exactly one name the later ones, which are never
	// opened, have a number put behind it.
	Name         string
	Entity       string // label as the manifest says, else the file name without extension
	TargetEntity string // AOT name as the manifest says, else ""
	RefreshType  string // as the manifest says, else ""
	SourceFormat string // as the manifest says, else ""
	Declared     bool   // the manifest names this file
	Size         int64  // unpacked bytes, as stated in the archive's directory
	// Err is why the member must not be opened; nil when it may be. It wraps
	// one of ErrUnsafePath, ErrDuplicateName, ErrTooLarge, ErrEncrypted,
	// ErrUnsupported and ErrDamaged of package exporter. A member of 0 bytes
	// may be opened: whether that is right, only who asked for it knows.
	Err error

	entry *entry // nil in a bare file
}

// Missing is a data file that the manifest declares and the archive lacks.
type Missing struct {
	Entity string // label
	// File is the name as the manifest says, else the one FinOps would give the
	// label. No other Missing and no Member has the same.
	File string
}

// Open looks into the raw file at path. The caller closes the Contents.
//
// The error is exporter.ErrEmpty for 0 bytes, exporter.ErrDamaged for a zip
// whose directory cannot be read (cut short, most likely), exporter.ErrTooLarge
// for one with more entries than allowed; these come wrapped. Another error is
// the disk's, and trying again may help. An archive without any data file is no
// error.
func Open(path string, opt Options) (*Contents, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c, err := OpenFile(file, opt)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", filepath.Base(path), err)
	}
	return c, nil
}

// OpenFile is Open for a file that is open, and may have no name any more. It
// belongs to the Contents; after an error it is closed.
func OpenFile(file *os.File, opt Options) (*Contents, error) {
	c := &Contents{file: file}
	if err := c.recognise(opt); err != nil {
		c.Close() // only read from
		return nil, err
	}
	return c, nil
}

// Close closes the raw file. Streams still open fail from then on.
func (c *Contents) Close() error {
	if r := c.begun.Swap(nil); r != nil {
		r.Close() // nobody has opened it
	}
	return c.file.Close()
}

func (c *Contents) recognise(opt Options) error {
	info, err := c.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: not a regular file", exporter.ErrUnsupported)
	}
	if c.size = info.Size(); c.size == 0 {
		return exporter.ErrEmpty
	}
	head := make([]byte, sniffBytes)
	n, err := c.file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	limits := opt.Limits.orDefaults()
	if isZip(head[:n]) {
		return c.archive(opt.Name, limits)
	}
	c.Kind = KindBare
	c.Members = []Member{c.bare(opt.Name, limits, head[:n])}
	return nil
}

// bare describes a raw file that is the data file itself.
func (c *Contents) bare(name string, limits Limits, head []byte) Member {
	m := Member{Entity: stem(name), Size: c.size}
	switch format := unreadable(name, head); {
	case format != "":
		m.Err = fmt.Errorf("%s: %w", format, exporter.ErrUnsupported)
	case c.size > limits.MemberBytes:
		m.Err = fmt.Errorf("%w: %d bytes, at most %d", exporter.ErrTooLarge, c.size, limits.MemberBytes)
	}
	return m
}

// maxWarnings keeps an archive of ten thousand strange members readable.
const maxWarnings = 100

func (c *Contents) warnf(format string, args ...any) {
	switch n := len(c.Warnings); {
	case n < maxWarnings:
		c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
	case n == maxWarnings:
		c.Warnings = append(c.Warnings, "further warnings are left out")
	}
}

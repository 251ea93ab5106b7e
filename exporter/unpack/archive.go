package unpack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/zip"

	"finrelay/dmf"
	"finrelay/exporter"
)

// entry is one line of the archive's directory.
type entry struct {
	*zip.File
	name string // as UTF-8
}

// maxDirectoryBytes bounds the names, extra fields and comments of a directory
// together. Without it ten thousand members could claim 2 GB of them.
const maxDirectoryBytes = 16 << 20

// archive describes a raw file that is a zip.
func (c *Contents) archive(name string, limits Limits) error {
	entries, err := c.directory(limits)
	if err != nil {
		return err
	}
	c.entries, c.Kind = entries, kindOf(entries)
	if c.Kind == KindWorkbook {
		c.Members = []Member{c.bare(name, limits, nil)}
		return nil
	}
	for _, e := range entries {
		switch {
		case isFolder(e), c.Kind == KindPackage && isPackageXML(e.name):
		case isClutter(e.name):
			c.warnf("%q is left out: packing programs add it, it is no data", e.name)
		default:
			c.Members = append(c.Members, Member{Name: e.name, Entity: stem(e.name), Size: statedSize(e), entry: e})
		}
	}
	c.numberSameNames()
	c.examine(limits)
	if c.Kind == KindPackage {
		c.declare(entries)
	}
	return nil
}

// numberSameNames makes the names of members tell them apart, since those who
// keep a list of what a file held know a member by its name.
func (c *Contents) numberSameNames() {
	taken := map[string]bool{}
	for _, m := range c.Members {
		taken[m.Name] = true
	}
	next := map[string]int{} // number for the next of a name; 0 before its first
	for i := range c.Members {
		m := &c.Members[i]
		first := m.Name
		if next[first] == 0 {
			next[first] = 2
			continue
		}
		for taken[m.Name] {
			m.Name = fmt.Sprintf("%s (%d)", first, next[first])
			next[first]++
		}
		taken[m.Name] = true
	}
}

// directory reads the archive's list of members. The list is bounded while it
// is read: a counter in the file says nothing (it wraps at 65536).
func (c *Contents) directory(limits Limits) ([]*entry, error) {
	count, bytes := 0, 0
	bound := func(h *zip.FileHeader) error {
		count++
		bytes += len(h.Name) + len(h.Extra) + len(h.Comment)
		h.Comment = ""
		switch {
		case count > limits.Members:
			return fmt.Errorf("%w: more than %d members", exporter.ErrTooLarge, limits.Members)
		case bytes > maxDirectoryBytes:
			return fmt.Errorf("%w: a directory of more than %d bytes", exporter.ErrTooLarge, maxDirectoryBytes)
		}
		return nil
	}
	// Through a section, an offset beyond the file is the archive's fault and
	// not an error of the disk.
	r := io.NewSectionReader(c.file, 0, c.size)
	z, err := zip.NewReaderWithOptions(r, c.size, zip.ReaderOptions{NameDecoder: bound})
	if err != nil {
		return nil, blame(err, "the directory at the end of the zip cannot be read; was the download cut short?")
	}
	z.RegisterDecompressor(zip.Deflate, inflate)
	entries := make([]*entry, len(z.File))
	for i, f := range z.File {
		entries[i] = &entry{File: f, name: decodeName(f.Name)}
	}
	return entries, nil
}

// blame says whose fault an error of the zip reader is: it passes on errors of
// the disk and our own, and gives ErrDamaged with the words for the rest.
func blame(err error, words string) error {
	if _, disk := errors.AsType[*fs.PathError](err); disk || errors.Is(err, exporter.ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %s (%v)", exporter.ErrDamaged, words, err)
}

func kindOf(entries []*entry) Kind {
	types, sheets := false, false
	for _, e := range entries {
		if isPackageXML(e.name) {
			return KindPackage
		}
		types = types || e.name == contentTypes
		sheets = sheets || strings.HasPrefix(slashed(e.name), "xl/")
	}
	if types && sheets {
		return KindWorkbook
	}
	return KindZip
}

// isPackageXML knows the two files that make a zip a data package, in any
// folder: people repack packages folder and all.
func isPackageXML(name string) bool { return isManifest(name) || isHeader(name) }

func isManifest(name string) bool { return strings.EqualFold(base(name), dmf.ManifestName) }

func isHeader(name string) bool { return strings.EqualFold(base(name), dmf.PackageHeaderName) }

// isFolder tells an entry that stands for a folder. One that holds bytes is
// not passed over; see examine.
func isFolder(e *entry) bool {
	return namesFolder(e) && e.UncompressedSize64 == 0
}

func namesFolder(e *entry) bool {
	return e.Mode().IsDir() || strings.HasSuffix(slashed(e.name), "/")
}

package unpack

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/klauspost/compress/zip"

	"finrelay/exporter"
)

// examine sets Err of each member that must not be opened, from the directory
// first and then from its first bytes.
func (c *Contents) examine(limits Limits) {
	seen := map[string]bool{}
	var total uint64
	for i := range c.Members {
		m := &c.Members[i]
		err := checkEntry(m.entry, limits)
		// The first of two same names is opened, whatever comes later: an
		// archive may not replace what its reader has already taken.
		if key := foldName(m.entry.name); err == nil && seen[key] {
			err = exporter.ErrDuplicateName
		} else {
			seen[key] = true
		}
		if err == nil {
			with := total + m.entry.UncompressedSize64 // each is small beside 2^64
			if with > uint64(limits.TotalBytes) {
				err = fmt.Errorf("%w: with it the members have %d bytes, at most %d", exporter.ErrTooLarge, with, limits.TotalBytes)
			} else {
				total = with
			}
		}
		m.Err = named(m.Name, err)
	}
	c.findSharedBytes()
	for i := range c.Members {
		if m := &c.Members[i]; m.Err == nil {
			m.Err = named(m.Name, c.sniff(m.entry))
		}
	}
}

// named puts the member's name before what is wrong. Quoted, because a name
// may hold anything, and cut, because it may be long.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	const enough = 200 // characters
	if r := []rune(name); len(r) > enough {
		name = string(r[:enough]) + "..."
	}
	return fmt.Errorf("%q: %w", name, err)
}

const (
	flagEncrypted       = 1 << 0
	flagStrongEncrypted = 1 << 6
	flagMasked          = 1 << 13 // the directory itself is encrypted
	methodAES           = 99
)

// checkEntry looks at what the directory says of a member.
func checkEntry(e *entry, limits Limits) error {
	why := unsafeName(e.name)
	size, packed := e.UncompressedSize64, e.CompressedSize64
	switch {
	case why != "":
		return fmt.Errorf("%w: the name %s", exporter.ErrUnsafePath, why)
	case len(e.Name) > limits.NameBytes:
		return fmt.Errorf("%w: a name of %d bytes, at most %d", exporter.ErrTooLarge, len(e.Name), limits.NameBytes)
	case e.Flags&(flagEncrypted|flagStrongEncrypted|flagMasked) != 0, e.Method == methodAES:
		return fmt.Errorf("%w; FinOps never encrypts: export again without a password", exporter.ErrEncrypted)
	case e.Method != zip.Store && e.Method != zip.Deflate:
		return fmt.Errorf("%w: compression method %d (%s): pack it again with deflate, which is every program's usual method",
			exporter.ErrUnsupported, e.Method, methodName(e.Method))
	case !e.Mode().IsRegular() && !namesFolder(e):
		return fmt.Errorf("%w: a link or device, not a file", exporter.ErrUnsupported)
	case namesFolder(e):
		return fmt.Errorf("%w: a folder that holds %d bytes", exporter.ErrDamaged, size)
	case size > uint64(limits.MemberBytes):
		return fmt.Errorf("%w: %d bytes, at most %d", exporter.ErrTooLarge, size, limits.MemberBytes)
	case size > ratioCountsFrom && size/max(packed, 1) > uint64(limits.Ratio):
		return fmt.Errorf("%w: unpacks to %d times its size, at most %d", exporter.ErrTooLarge, size/max(packed, 1), limits.Ratio)
	}
	return nil
}

func methodName(method uint16) string {
	switch method {
	case 9:
		return "deflate64"
	case 12:
		return "bzip2"
	case 14:
		return "LZMA"
	case 93:
		return "zstd"
	}
	return "unknown"
}

// findSharedBytes parks members whose packed bytes lie in another's or beyond
// the end of the file. Members that share bytes are how a small archive
// becomes an endless one without any member that looks odd.
func (c *Contents) findSharedBytes() {
	type span struct {
		member     *Member
		start, end uint64
	}
	var spans []span
	for i := range c.Members {
		m := &c.Members[i]
		if m.Err != nil {
			continue
		}
		start, err := m.entry.DataOffset()
		if err != nil {
			m.Err = named(m.Name, blame(err, "not at the place the directory says"))
			continue
		}
		if uint64(start) > uint64(c.size) || m.entry.CompressedSize64 > uint64(c.size)-uint64(start) {
			m.Err = named(m.Name, fmt.Errorf("%w: ends beyond the end of the archive", exporter.ErrDamaged))
			continue
		}
		spans = append(spans, span{m, uint64(start), uint64(start) + m.entry.CompressedSize64})
	}
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var end uint64
	for _, s := range spans {
		if s.start < end && s.end > s.start {
			s.member.Err = named(s.member.Name, fmt.Errorf("%w: shares its bytes with another member", exporter.ErrDamaged))
		}
		end = max(end, s.end)
	}
}

// sniff reads a member's first bytes. To give these the inflater unpacks some
// 32 KB, which is much of a small file: the stream of the first member stays
// open for who opens that.
func (c *Contents) sniff(e *entry) error {
	r, err := c.stream(e)
	if err != nil {
		return err
	}
	head, err := io.ReadAll(io.LimitReader(r, sniffBytes))
	if err == nil {
		if format := unreadable(e.name, head); format != "" {
			err = fmt.Errorf("%s: %w", format, exporter.ErrUnsupported)
		}
	}
	r.head = head
	if err != nil || !c.begun.CompareAndSwap(nil, r) {
		r.Close() // nothing to lose: only read from
	}
	return err
}

func statedSize(e *entry) int64 {
	return int64(min(e.UncompressedSize64, math.MaxInt64))
}

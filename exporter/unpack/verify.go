package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"

	"finrelay/exporter"
)

// Verify reads each entry of an archive to its end and compares its checksum.
// When it returns nil no byte of the archive is missing or wrong.
//
// The error is exporter.ErrDamaged for an entry that does not unpack or has
// another checksum; exporter.ErrUnsupported, ErrEncrypted or ErrTooLarge for
// one that is not read, so that nothing is known of it; the cause of ctx when
// that ended; else the disk's. A bare file has no checksums: it is unsupported.
func (c *Contents) Verify(ctx context.Context, limits Limits) error {
	if c.entries == nil {
		return fmt.Errorf("check a file that is no archive: %w", exporter.ErrUnsupported)
	}
	limits = limits.orDefaults()
	refused := map[*entry]error{}
	for _, m := range c.Members {
		if m.entry != nil {
			refused[m.entry] = m.Err
		}
	}
	var unread error
	var total uint64
	buffer := make([]byte, packedBuffer)
	for _, e := range c.entries {
		err, member := refused[e]
		if !member && !isFolder(e) {
			err = named(e.name, checkEntry(e, limits))
		}
		if total += e.UncompressedSize64; total > uint64(limits.TotalBytes) && err == nil {
			err = named(e.name, fmt.Errorf("%w: with it the archive has more than %d bytes", exporter.ErrTooLarge, limits.TotalBytes))
		}
		switch {
		case isFolder(e):
			continue
		case errors.Is(err, exporter.ErrDamaged):
			return err
		case err != nil && !unpacks(e, err, limits):
			unread = err
			continue
		}
		if err := c.verify(ctx, e, buffer); err != nil {
			return err
		}
	}
	return unread
}

// unpacks says whether an entry's bytes can be read although it is not to be
// opened: for its name, or because it is an archive itself.
func unpacks(e *entry, err error, limits Limits) bool {
	return errors.Is(err, exporter.ErrUnsafePath) || errors.Is(err, exporter.ErrDuplicateName) || checkEntry(e, limits) == nil && !errors.Is(err, exporter.ErrTooLarge)
}

func (c *Contents) verify(ctx context.Context, e *entry, buffer []byte) error {
	r, err := c.stream(e)
	if err != nil {
		return named(e.name, err)
	}
	defer r.Close() // only read from
	for ctx.Err() == nil {
		if _, err := r.Read(buffer); err == io.EOF {
			return nil
		} else if err != nil {
			return named(e.name, err)
		}
	}
	return context.Cause(ctx)
}

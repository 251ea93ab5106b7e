package convert

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"

	"finrelay/exporter"
)

const oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// oleError says what an OLE compound file is: the wrapper that Excel puts
// around an encrypted workbook, or a workbook of the format before XLSX.
//
// Source: Microsoft, [MS-OFFCRYPTO] 2.3.4.4, stream EncryptedPackage; [MS-XLS]
// 2.1.2, streams Workbook and Book.
func oleError(r io.ReaderAt, size int64) error {
	names, err := oleNames(r, size)
	if err != nil {
		return fmt.Errorf("%w: an Office file whose directory cannot be read (%v)", exporter.ErrDamaged, err)
	}
	for _, name := range names {
		switch name {
		case "EncryptedPackage", "EncryptionInfo":
			return fmt.Errorf("an Excel workbook with a password: %w; save it without one and hand that file over", exporter.ErrEncrypted)
		case "Workbook", "Book":
			return fmt.Errorf("an old Excel workbook (XLS): format %w; save it as XLSX and hand that file over", exporter.ErrUnsupported)
		}
	}
	return fmt.Errorf("an Office file that is no workbook: format %w", exporter.ErrUnsupported)
}

// maxOLESectors bounds the directory that is read: damaged chains may be rings.
const maxOLESectors = 1024

// oleNames gives the names in the directory of a compound file.
//
// Source: Microsoft, [MS-CFB] 2.2 (header), 2.3 (FAT), 2.6 (directory entries).
func oleNames(r io.ReaderAt, size int64) ([]string, error) {
	header := make([]byte, 512)
	if _, err := r.ReadAt(header, 0); err != nil {
		return nil, err
	}
	shift := binary.LittleEndian.Uint16(header[30:])
	if shift != 9 && shift != 12 {
		return nil, fmt.Errorf("sector shift %d", shift)
	}
	sector := int64(1) << shift
	var names []string
	at := binary.LittleEndian.Uint32(header[48:])
	buf := make([]byte, sector)
	for range maxOLESectors {
		if _, err := r.ReadAt(buf, (int64(at)+1)*sector); err != nil {
			return names, noError(err, names)
		}
		for entry := buf; len(entry) >= 128; entry = entry[128:] {
			if name := oleName(entry); name != "" {
				names = append(names, name)
			}
		}
		next, ok := oleNext(r, header, sector, at)
		if !ok {
			break
		}
		at = next
	}
	return names, nil
}

// noError: a directory cut short may still have said what we want to know.
func noError(err error, names []string) error {
	if len(names) > 0 {
		return nil
	}
	return err
}

func oleName(entry []byte) string {
	length := int(binary.LittleEndian.Uint16(entry[64:]))
	if length < 2 || length > 64 {
		return ""
	}
	units := make([]uint16, length/2-1)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(entry[2*i:])
	}
	return string(utf16.Decode(units))
}

// oleNext follows the chain of sectors. Only the 109 table sectors that the
// header names are looked at; a directory beyond them (7 MB on) says no more
// about the kind of file.
func oleNext(r io.ReaderAt, header []byte, sector int64, at uint32) (uint32, bool) {
	const lastRegular, tables, first = 0xFFFFFFFA, 109, 76
	perTable := uint32(sector / 4)
	table := at / perTable
	if table >= tables {
		return 0, false
	}
	where := binary.LittleEndian.Uint32(header[first+4*table:])
	if where > lastRegular {
		return 0, false
	}
	var b [4]byte
	if _, err := r.ReadAt(b[:], (int64(where)+1)*sector+4*int64(at%perTable)); err != nil {
		return 0, false
	}
	next := binary.LittleEndian.Uint32(b[:])
	return next, next <= lastRegular
}

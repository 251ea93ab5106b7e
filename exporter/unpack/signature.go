package unpack

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
)

// sniffBytes is enough for every signature below and for the name of a zip's
// first member.
const sniffBytes = 64

// isZip knows a zip by its first bytes: a member, the end of an empty archive,
// or the mark of a split one. A self-extracting zip is not known; FinOps makes
// none.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) ||
		bytes.HasPrefix(head, []byte("PK\x05\x06")) ||
		bytes.HasPrefix(head, []byte("PK\x07\x08"))
}

// signatures are formats that no reader here takes and that would otherwise be
// read as text in some odd encoding. Office files from before XLSX, and
// workbooks with a password, which look the same here, are not among them:
// telling them apart takes the whole file, and convert does it.
var signatures = []struct{ magic, format string }{
	{"\x1F\x8B\x08", "a gzip file"},
	{"7z\xBC\xAF\x27\x1C", "a 7z archive"},
	{"Rar!\x1A\x07", "a RAR archive"},
}

// unreadable names the format of a data file that cannot be read yet, and what
// to do, or gives "" when nothing speaks against it.
func unreadable(name string, head []byte) string {
	if isZip(head) {
		if isWorkbookPart(firstName(head)) || isWorkbookName(name) {
			return ""
		}
		return "a nested archive (one level is unpacked: hand the inner one over by itself)"
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.format
		}
	}
	return ""
}

// isWorkbookName tells the extension of a workbook. A zip that only its name
// calls one is refused where its rows are read.
func isWorkbookName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".xlsx", ".xlsm":
		return true
	}
	return false
}

// isWorkbookPart tells whether a zip with a member of this name, the first or
// the only one known, is taken for an Excel workbook.
func isWorkbookPart(name string) bool {
	return name == contentTypes || strings.HasPrefix(name, "_rels/") ||
		strings.HasPrefix(name, "docProps/") || strings.HasPrefix(name, "xl/")
}

// firstName gives the name in a zip's first local header, as far as head has it.
func firstName(head []byte) string {
	const nameLength, name = 26, 30 // offsets in the header
	if len(head) < name {
		return ""
	}
	n := int(binary.LittleEndian.Uint16(head[nameLength:]))
	return string(head[name:min(name+n, len(head))])
}

package state

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// IDLength is the number of characters in an id: two letters for the kind, an
// underscore, 16 characters of hash (80 bits: a million ids collide with a
// chance of one in 10^12).
const IDLength = 2 + 1 + 16

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID derives an id from the parts of an identity: a two-letter prefix, an
// underscore and a hash. The same parts give the same id for ever; no clock
// and no counter goes in.
func NewID(prefix string, parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		// Lengths keep ("ab","c") and ("a","bc") apart.
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var sum [sha256.Size]byte
	return prefix + "_" + idEncoding.EncodeToString(h.Sum(sum[:0])[:10])
}

// Prefixes of ids, by kind.
const (
	eventPrefix    = "ev"
	shipmentPrefix = "sh"
	exportPrefix   = "ex"
)

// ExportID is the id of the export that a data file of a shipment becomes.
func ExportID(shipmentID, member string) string {
	return NewID(exportPrefix, shipmentID, member)
}

// KindOf tells from an id, or the start of one, what it names; "" when it
// names nothing of ours.
func KindOf(id string) Kind {
	prefix, _, _ := strings.Cut(id, "_")
	switch prefix {
	case eventPrefix:
		return KindEvent
	case shipmentPrefix:
		return KindShipment
	case exportPrefix:
		return KindExport
	case executionPrefix:
		return KindExecution
	}
	return ""
}

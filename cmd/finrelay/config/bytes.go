package config

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

// Bytes is a size in bytes, written with a unit: "1MiB" is 1024², "500KB" is
// 500,000; without a unit the number is bytes.
type Bytes int64

var errBytes = errors.New("not a size: write a number with a unit, like 500KB, 1MiB or 2GiB")

var bytesForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)$`)

// bytesUnits go from large to small, binary before decimal, which is the order
// String tries them in.
var bytesUnits = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3},
	{"B", 1}, {"", 1},
}

// ParseBytes reads the form above; letter case does not matter. A fraction
// ("1.5GiB") is rounded down to whole bytes.
func ParseBytes(s string) (Bytes, error) {
	m := bytesForm.FindStringSubmatch(s)
	if m == nil {
		return 0, errBytes
	}
	for _, unit := range bytesUnits {
		if !strings.EqualFold(unit.name, m[2]) {
			continue
		}
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil && n <= math.MaxInt64/unit.size {
			return Bytes(n * unit.size), nil
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil || n*float64(unit.size) >= 1<<62 {
			return 0, errors.New("larger than any file")
		}
		return Bytes(n * float64(unit.size)), nil
	}
	return 0, errBytes
}

// String gives the largest unit that leaves a whole number: "1MiB", "500KB".
func (b Bytes) String() string {
	for _, unit := range bytesUnits {
		if n := int64(b); n != 0 && n%unit.size == 0 {
			return strconv.FormatInt(n/unit.size, 10) + unit.name
		}
	}
	return "0B"
}

// MarshalText gives String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is ParseBytes.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := ParseBytes(string(text))
	if err == nil {
		*b = v
	}
	return err
}

// JSONSchema describes the written form.
func (Bytes) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		AnyOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "0"},
			{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)? ?([KkMmGgTt][Ii]?)?[Bb]?$|\$\{`},
		},
		Examples: []any{"500KB", "1MiB"},
	}
}

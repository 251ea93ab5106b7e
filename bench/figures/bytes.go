package figures

import (
	"fmt"
	"strconv"
	"strings"
)

// Bytes is a size as a flag: "20MB", "1GB", "4096". Units are powers of ten.
type Bytes int64

var units = []struct {
	suffix string
	bytes  float64
}{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"", 1}}

// Set parses a size.
func (b *Bytes) Set(s string) error {
	for _, unit := range units {
		number, ok := strings.CutSuffix(strings.ToUpper(s), unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is no size; write 500KB, 20MB or 1GB", s)
		}
		*b = Bytes(n * unit.bytes)
		break
	}
	return nil
}

func (b Bytes) String() string {
	for _, unit := range units {
		if unit.suffix == "" || float64(b) < unit.bytes {
			continue
		}
		return strconv.FormatFloat(float64(b)/unit.bytes, 'f', -1, 64) + unit.suffix
	}
	return strconv.FormatInt(int64(b), 10)
}

package canon

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Print is what a file of JSON Lines holds.
type Print struct {
	Rows int64
	Sum  string // hex; equal sums, equal rows in equal order

	digests []uint64 // the beginning of each row's
}

// Read takes the fingerprint of what r holds. An error names the row, counted
// from 1.
func Read(r io.Reader) (Print, error) {
	var (
		p     Print
		parse parser
		whole = sha256.New()
		lines = bufio.NewReaderSize(r, 1<<20)
	)
	for {
		line, err := nextLine(lines)
		if errors.Is(err, io.EOF) {
			p.Sum = hex.EncodeToString(whole.Sum(nil))
			return p, nil
		}
		if err != nil {
			return p, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		text, err := parse.canonical(line)
		if err != nil {
			return p, fmt.Errorf("row %d: %w", p.Rows+1, err)
		}
		digest := sha256.Sum256(text)
		_, _ = whole.Write(digest[:])
		p.digests = append(p.digests, binary.LittleEndian.Uint64(digest[:]))
		p.Rows++
	}
}

// nextLine gives the next line, valid until the next call; io.EOF when there is
// none. A last line without a line feed is a line.
func nextLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := slices.Clone(line)
		line, err = r.ReadBytes('\n')
		line = append(long, line...)
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	return line, err
}

// Difference is how the rows of one file differ from those of a reference.
type Difference struct {
	Want, Got int64 // rows
	Missing   int64 // rows of the reference that the other has not
	Strange   int64 // rows of the other that the reference has not
}

// Diff compares rows wherever they stand. Files that differ only in the order
// of their rows have nothing missing and nothing strange, but other sums.
func Diff(reference, other Print) Difference {
	d := Difference{Want: reference.Rows, Got: other.Rows}
	a, b := slices.Sorted(slices.Values(reference.digests)), slices.Sorted(slices.Values(other.digests))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		case a[0] < b[0]:
			d.Missing++
			a = a[1:]
		default:
			d.Strange++
			b = b[1:]
		}
	}
	d.Missing += int64(len(a))
	d.Strange += int64(len(b))
	return d
}

func (d Difference) String() string {
	if d.Missing == 0 && d.Strange == 0 {
		return fmt.Sprintf("%d rows, in another order", d.Got)
	}
	return fmt.Sprintf("%d of %d rows; %d missing or changed, %d that should not be there", d.Got, d.Want, d.Missing, d.Strange)
}

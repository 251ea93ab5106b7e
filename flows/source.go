package flows

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"finrelay/exporter/unpack"
	"finrelay/state"
)

// source is the stream of one export's data file. It closes the archive with
// the stream that came out of it.
type source struct {
	io.Reader
	close []io.Closer // in this order

	// Of a package's member: the raw file's own hash is the package's, and
	// says nothing of what a consumer could compare.
	hash interface {
		io.Writer
		Sum(b []byte) []byte
	}
	bytes int64
	known measure // of a bare file, from the ledger
}

// measure is the length and hash of a data file as FinOps wrote it, unpacked.
type measure struct {
	bytes  int64
	sha256 string // hex
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.hash != nil {
		s.hash.Write(p[:n])
		s.bytes += int64(n)
	}
	return n, err
}

// rest reads what conversion left behind the data, and gives the measure.
func (s *source) rest() (measure, error) {
	if s.hash == nil {
		return s.known, nil
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return measure{}, err
	}
	return measure{bytes: s.bytes, sha256: hex.EncodeToString(s.hash.Sum(nil))}, nil
}

func (s *source) Close() error {
	var errs []error
	for _, c := range s.close {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// openMember gives the stream of one export's data file.
func (r *Relay) openMember(job state.DeliveryJob) (*source, error) {
	path := r.inFolder(job.Shipment.RawFile)
	whole := measure{bytes: job.Shipment.RawBytes, sha256: job.Shipment.RawSHA256}
	if job.Shipment.RawBytes == 0 {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return &source{Reader: f, close: []io.Closer{f}, known: whole}, nil
	}
	contents, err := unpack.Open(path, r.unpackOptions(job.Shipment))
	if err != nil {
		return nil, err
	}
	m, found := contents.Member(job.Export.Member)
	if !found {
		return nil, errors.Join(asDamaged(fmt.Errorf("data file %q is not in the raw file", job.Export.Member)), contents.Close())
	}
	stream, err := contents.Open(m)
	if err != nil {
		return nil, errors.Join(err, contents.Close())
	}
	s := &source{Reader: stream, close: []io.Closer{stream, contents}, known: whole}
	if m.Name != "" {
		s.hash = sha256.New()
	}
	return s, nil
}

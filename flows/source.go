package flows

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	whole := measure{bytes: job.Shipment.RawBytes, sha256: job.Shipment.RawSHA256}
	if job.Shipment.RawBytes == 0 {
		f, err := os.Open(r.inFolder(job.Shipment.RawFile))
		if err != nil {
			return nil, r.gone(job.Shipment, err)
		}
		return &source{Reader: f, close: []io.Closer{f}, known: whole}, nil
	}
	contents, err := r.openRaw(job.Shipment)
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

// errRawGone: somebody removed a raw file that is still needed. No waiting
// brings it back.
var errRawGone = errors.New("the raw file is gone from the state folder")

func (r *Relay) openRaw(s state.Shipment) (*unpack.Contents, error) {
	contents, err := unpack.Open(r.inFolder(s.RawFile), unpack.Options{Limits: r.cfg.Limits, Name: rawName(s)})
	if err != nil {
		return nil, r.gone(s, err)
	}
	return contents, nil
}

// gone tells a file that was removed from a folder that is away.
func (r *Relay) gone(s state.Shipment, err error) error {
	if errors.Is(err, fs.ErrNotExist) && !r.rawThere(s) {
		return fmt.Errorf("%w: %w", errRawGone, err)
	}
	return err
}

// rawThere says whether the ledger's word that a raw file is here holds. It
// believes the ledger when the whole folder cannot be looked into.
func (r *Relay) rawThere(s state.Shipment) bool {
	if !s.RawHere() {
		return false
	}
	if _, err := os.Stat(r.inFolder(s.RawFile)); !errors.Is(err, fs.ErrNotExist) {
		return true
	}
	_, err := os.Stat(r.inFolder(rawFolder))
	return err != nil
}

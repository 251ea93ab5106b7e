package fetch

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// partSuffix names the file that a download grows in, beside its final place
// so that the rename stays within one file system.
const partSuffix = ".part"

// diskError tells the local disk's trouble from the link's. It is not
// exported: errors.Is finds ENOSPC and the like underneath.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

func disk(act string, err error) error {
	if err == nil {
		return nil
	}
	return &diskError{fmt.Errorf("%s: %w", act, err)}
}

// part is the file that a download grows in, with the hashes of its bytes.
type part struct {
	file   *os.File
	path   string // where it goes when it is whole
	offset int64  // bytes on file, and where the next one goes
	buffer []byte

	// The hashes cover the file only if it grew from its first byte in this
	// Download. A continued file is read once at the end instead: reading it
	// before asking for the rest would spend a dying link's time.
	sha     hash.Hash
	md5     hash.Hash // nil when the server stated none at the first byte
	covered bool

	marked Mark  // what the owner of the ledger believes
	synced int64 // bytes known to be durable
	onMark func(Mark) error
	inDir  bool // the part file's name is durable
}

// openPart opens PATH.part where opt.Mark says it can be continued, else
// empty.
func openPart(path string, opt Options) (*part, error) {
	file, err := os.OpenFile(path+partSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, disk("open part file", err)
	}
	p := &part{
		file: file, path: path, buffer: make([]byte, bufferSize),
		marked: opt.Mark, onMark: opt.OnMark,
	}
	if err := p.continueAt(opt.Mark); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// continueAt cuts the file back to its Mark: what lies behind it may be
// anything after a power failure.
func (p *part) continueAt(mark Mark) error {
	info, err := p.file.Stat()
	if err != nil {
		return disk("stat part file", err)
	}
	if mark.ETag == "" || mark.Offset <= 0 || info.Size() < mark.Offset {
		return p.reset()
	}
	if err := p.file.Truncate(mark.Offset); err != nil {
		return disk("cut part file back to its mark", err)
	}
	if _, err := p.file.Seek(mark.Offset, io.SeekStart); err != nil {
		return disk("seek in part file", err)
	}
	p.offset, p.synced = mark.Offset, mark.Offset
	return nil
}

// reset empties the file.
//
// The order is the guarantee. The Mark is taken back first: were the file
// emptied and grown again under an old Mark of the same ETag, a power failure
// could leave a file that is long enough and holds zeros.
func (p *part) reset() error {
	if p.marked != (Mark{}) {
		if err := p.tell(Mark{}); err != nil {
			return err
		}
	}
	if err := p.file.Truncate(0); err != nil {
		return disk("empty part file", err)
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return disk("seek in part file", err)
	}
	p.offset, p.synced = 0, 0
	p.sha, p.md5, p.covered = sha256.New(), nil, true
	return nil
}

// wantMD5 is called before the first byte.
func (p *part) wantMD5(want bool) {
	p.md5 = nil
	if want {
		p.md5 = md5.New()
	}
}

// write appends the first n bytes of the buffer.
func (p *part) write(n int) error {
	if _, err := p.file.Write(p.buffer[:n]); err != nil {
		return disk("write part file", err)
	}
	p.offset += int64(n)
	if p.covered {
		p.sha.Write(p.buffer[:n])
		if p.md5 != nil {
			p.md5.Write(p.buffer[:n])
		}
	}
	return nil
}

func (p *part) unsynced() int64 { return p.offset - p.synced }

// mark makes the bytes so far durable and then says so. Without an ETag they
// cannot be continued; they are still synced, to spread the disk's work.
func (p *part) mark(etag string) error {
	if err := syncData(p.file); err != nil {
		return disk("sync part file", err)
	}
	if !p.inDir {
		if err := syncDir(filepath.Dir(p.path)); err != nil {
			return disk("sync folder of part file", err)
		}
		p.inDir = true
	}
	p.synced = p.offset
	if etag == "" {
		return nil
	}
	return p.tell(Mark{ETag: etag, Offset: p.offset})
}

func (p *part) tell(m Mark) error {
	if p.onMark != nil {
		if err := p.onMark(m); err != nil {
			return fmt.Errorf("record mark at byte %d: %w", m.Offset, err)
		}
	}
	p.marked = m
	return nil
}

// verify completes the hashes and compares the MD5 with the one wanted, nil
// for none.
func (p *part) verify(ctx context.Context, want []byte, mismatch func(got []byte) error) error {
	if !p.covered || want != nil && p.md5 == nil {
		p.sha, p.md5 = sha256.New(), nil
		hashes := []io.Writer{p.sha}
		if want != nil {
			p.md5 = md5.New()
			hashes = append(hashes, p.md5)
		}
		all := io.NewSectionReader(p.file, 0, p.offset)
		n, err := hashFile(ctx, io.MultiWriter(hashes...), all, p.buffer)
		if err == nil && n != p.offset {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return disk("read part file", err)
		}
		p.covered = true
	}
	if want == nil {
		return nil
	}
	if got := p.md5.Sum(nil); !bytes.Equal(got, want) {
		return mismatch(got)
	}
	return nil
}

func (p *part) sha256() string { return hex.EncodeToString(p.sha.Sum(nil)) }

// publish makes the file durable, gives it its name and makes that durable.
func (p *part) publish(name string) error {
	err := p.file.Sync()
	if err := errors.Join(err, p.close()); err != nil {
		return disk("sync part file", err)
	}
	return disk("rename part file", Move(p.path+partSuffix, name))
}

// Move gives a durable file another name in its folder, durably. A file of that
// name is replaced.
func Move(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// discard removes a file whose bytes are of no use.
func (p *part) discard() error {
	err := p.reset()
	return errors.Join(err, p.close(), disk("remove part file", os.Remove(p.path+partSuffix)))
}

func (p *part) close() error { return disk("close part file", p.file.Close()) }

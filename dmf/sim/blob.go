package sim

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"
)

// Container is the one container of the simulated account.
const Container = "dmf"

// BlobOptions says how a blob is stored. The zero value is what an upload in
// blocks leaves behind: no MD5, type application/octet-stream.
type BlobOptions struct {
	MD5         bool      // store the content's MD5, as an upload in one piece does
	WrongMD5    bool      // store the MD5 of something else
	ETag        string    // with its quotes; "" = made from seed, name and version
	ContentType string    // "" = application/octet-stream
	Created     time.Time // counts for retention; zero = now
}

// Blob is a file in the simulated store. Its content is replaced as a whole;
// a response that has begun goes on with the content it began with.
type Blob struct {
	store *store
	name  string
	opt   BlobOptions

	mu      sync.Mutex
	version int
	deleted bool
	current content
}

// content is one version of a blob, never changed once it is there.
type content struct {
	data     io.ReaderAt
	size     int64
	etag     string
	modified time.Time
	created  time.Time
	md5      string // base64; "" = none stored
	mime     string
}

// Name returns the blob's name, decoded and without the container.
func (b *Blob) Name() string { return b.name }

// Size returns the length of the current content, in bytes.
func (b *Blob) Size() int64 { return b.content().size }

// ETag returns the entity tag of the current content, with its quotes.
func (b *Blob) ETag() string { return b.content().etag }

// Bytes returns a copy of the current content.
func (b *Blob) Bytes() []byte {
	c := b.content()
	data := make([]byte, c.size)
	if _, err := c.data.ReadAt(data, 0); err != nil && err != io.EOF {
		panic(fmt.Sprintf("sim: read blob %q: %v", b.name, err))
	}
	return data
}

// Replace overwrites the content: another ETag, another Last-Modified. A blob
// that was deleted is there again.
func (b *Blob) Replace(data []byte) {
	b.replace(bytes.NewReader(bytes.Clone(data)), int64(len(data)))
}

// Delete removes the blob; links to it answer BlobNotFound.
func (b *Blob) Delete() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deleted = true
}

func (b *Blob) content() content {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

func (b *Blob) replace(data io.ReaderAt, size int64) {
	sum := b.opt.md5Of(data, size)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version++
	b.deleted = false
	now := b.store.clock.Now()
	c := content{data: data, size: size, modified: now, created: now, md5: sum, mime: b.opt.ContentType}
	if b.version == 1 && !b.opt.Created.IsZero() {
		c.modified, c.created = b.opt.Created.UTC(), b.opt.Created.UTC()
	}
	if c.mime == "" {
		c.mime = "application/octet-stream"
	}
	c.etag = b.opt.ETag
	if c.etag == "" || b.version > 1 {
		h := derive(b.store.seed, fmt.Sprintf("etag %d %s", b.version, b.name))
		c.etag = fmt.Sprintf("\"0x8D%X\"", h[:7])[:18] + `"` // 0x8D and 13 digits, as Azure's
	}
	b.current = c
}

func (o BlobOptions) md5Of(data io.ReaderAt, size int64) string {
	if !o.MD5 && !o.WrongMD5 {
		return ""
	}
	h := md5.New()
	if o.WrongMD5 {
		_, _ = h.Write([]byte("something else"))
	}
	if _, err := io.Copy(h, io.NewSectionReader(data, 0, size)); err != nil {
		panic(fmt.Sprintf("sim: read blob data: %v", err))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// store holds the container's blobs by name.
type store struct {
	seed      uint64
	clock     *Clock
	retention time.Duration

	mu    sync.Mutex
	blobs map[string]*Blob
}

func newStore(seed uint64, clock *Clock, retention time.Duration) *store {
	return &store{seed: seed, clock: clock, retention: retention, blobs: make(map[string]*Blob)}
}

// PutBlob stores data under name, in place of a blob that had the name, which
// then is no longer reachable through its own handle. Data is copied.
func (s *Sim) PutBlob(name string, data []byte, opt BlobOptions) *Blob {
	return s.PutBlobFrom(name, bytes.NewReader(bytes.Clone(data)), int64(len(data)), opt)
}

// PutBlobFrom stores a blob whose content stays where it is, for files too
// large for memory: size bytes of data, which must stay readable and unchanged
// and which the caller closes after Close.
func (s *Sim) PutBlobFrom(name string, data io.ReaderAt, size int64, opt BlobOptions) *Blob {
	b := &Blob{store: s.store, name: name, opt: opt}
	b.replace(data, size)
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.blobs[name] = b
	return b
}

// blob returns the blob of that name, whatever its age; nil if never put.
func (st *store) blob(name string) *Blob {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.blobs[name]
}

// open returns the current content. A blob that was deleted or is older than
// the retention is not found.
func (st *store) open(name string) (content, bool) {
	b := st.blob(name)
	if b == nil || !st.alive(b) {
		return content{}, false
	}
	return b.content(), true
}

// alive reports whether a blob is neither deleted nor past its retention.
func (st *store) alive(b *Blob) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.deleted && st.clock.Now().Before(b.current.created.Add(st.retention))
}

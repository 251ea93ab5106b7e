package fetch

import (
	"context"
	"io"
)

// Source is one blob that can be opened for reading any number of times.
// Download needs nothing else, so every kind of link shares its loop.
type Source interface {
	// Open returns the bytes from offset on. A non-empty etag makes the
	// request conditional (If-Match). An offset without an etag cannot be
	// continued safely: such a call returns the bytes from the start, and
	// Body.Offset says so.
	//
	// Open returns a *LinkError of KindChanged when the blob is no longer the
	// one etag names, or when the answer does not fit the question.
	Open(ctx context.Context, offset int64, etag string) (*Body, error)
}

// Body is one answer of a Source. The caller closes it; a Body belongs to one
// goroutine.
type Body struct {
	io.ReadCloser
	// Offset is where this body really starts, in bytes: the offset asked
	// for, or 0 when the server sent the whole blob.
	Offset int64
	// Size is the length of the whole blob in bytes, -1 when unknown.
	Size int64
	// ETag is the strong ETag of the blob, "" when the server states none or
	// only a weak one: then the blob cannot be resumed.
	ETag string
	// MD5 is the hash of the whole blob when the server states one, else nil.
	MD5 []byte
	// ContentType is the Content-Type header as it came.
	ContentType string
	// ContentEncoding is the Content-Encoding header as it came, although none
	// is asked for. Download undoes gzip before it stores a byte; Size, ETag and
	// MD5 are then not those of the file.
	ContentEncoding string
	// Framed says that the end of this body can be told from the end of its
	// connection; see dmf.Framed.
	Framed bool
	// Vouched says that the storage's own headers came with it: it is what
	// FinOps stored, and not something that somebody on the way has made.
	Vouched bool

	host string // for errors that the loop makes itself
}

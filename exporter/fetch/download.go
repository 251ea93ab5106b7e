package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"
)

// Bounds of the loop.
const (
	bufferSize  = 256 << 10              // bytes read, hashed and written at once
	minProgress = 64 << 10               // bytes from one body that make a cut worth no complaint
	maxStalls   = 4                      // answers in a row with less than that
	maxRestarts = 2                      // times from the start within one Download
	firstPause  = 100 * time.Millisecond // after the first stall in a row, then doubled
)

// Download makes path hold the whole of src. It streams to path+".part",
// continues cut bodies, verifies ETag, length and MD5, and renames when all is
// durable; a file already at path is replaced. The folder must exist. Two
// Downloads to one path must not run at once.
//
// A body that ended only with its connection is durable too, but never called
// path: it is at path+UnframedSuffix, as Result.Path says. One that is packed
// with gzip on the way is unpacked, and never continued in the middle.
//
// After an error the part file stays, its last Mark has been reported, and
// another Download with that Mark goes on from there, with the same Source or
// another link to the same blob. When the blob is refused as too large or not
// what the server stated, the part file is removed.
//
// Errors: *LinkError for anything the link or its server did; whatever src
// returns that is none; the cause of ctx when it ended; else the local disk's
// or OnMark's error, wrapped.
func Download(ctx context.Context, src Source, path string, opt Options) (Result, error) {
	res, err := downloadWith(ctx, src, path, opt.orDefaults(), patience{left: MaxPatience})
	if err != nil {
		return Result{}, fmt.Errorf("download to %s: %w", filepath.Base(path), err)
	}
	return res, nil
}

func downloadWith(ctx context.Context, src Source, path string, opt Options, wait patience) (Result, error) {
	p, err := openPart(path, opt)
	if err != nil {
		return Result{}, err
	}
	d := &loop{
		src: src, part: p, opt: opt,
		etag: p.marked.ETag, size: -1,
		patience: wait,
	}
	if err := d.run(ctx); err != nil {
		return Result{}, errors.Join(err, d.leave(err))
	}
	res := Result{Path: path, Bytes: p.offset, SHA256: p.sha256(), ETag: d.etag, Resumed: d.resumed, Framed: d.framed, Vouched: d.vouched, ContentType: d.contentType}
	if !res.Framed {
		res.Path += UnframedSuffix
	}
	if err := p.publish(res.Path); err != nil {
		return Result{}, err
	}
	return res, nil
}

// loop is one Download at work.
type loop struct {
	src  Source
	part *part
	opt  Options

	etag string // of the blob the part holds; "" = cannot be continued
	size int64  // of that blob, -1 unknown
	md5  []byte // of that blob, nil unknown
	host string

	framed, vouched bool // of the body that came last
	contentType     string

	answers  int // bodies opened so far
	stalls   int // answers in a row without progress
	restarts int
	resumed  int
	patience patience
}

// run asks until the part file holds the whole blob and is verified.
func (d *loop) run(ctx context.Context) error {
	for {
		err := d.once(ctx)
		if err == nil {
			if err = d.verify(ctx); err == nil {
				return nil
			}
		}
		if err := d.decide(ctx, err); err != nil {
			return err
		}
	}
}

// once reads one answer to its end.
func (d *loop) once(ctx context.Context) error {
	body, err := d.src.Open(withPatience(ctx, &d.patience), d.part.offset, d.etag)
	if err != nil {
		return err
	}
	defer body.Close() // a body that gave its bytes has no error worth more than the checks below
	d.answers++
	d.host = body.host
	plain, err := unpacked(body)
	if err != nil {
		return err
	}
	if err := d.adopt(body); err != nil {
		return err
	}
	return d.copy(ctx, plain)
}

// adopt decides what an answer means for the bytes already there.
func (d *loop) adopt(body *Body) error {
	if body.Size > d.opt.MaxBytes {
		return d.tooLarge(body.Size)
	}
	if body.Offset == 0 {
		// The whole blob: the first answer, or a server that ignores ranges
		// and would do so for ever.
		if d.part.offset > 0 {
			if err := d.again(d.fault(KindChanged, "the server sends the blob from its start, whatever is asked")); err != nil {
				return err
			}
		}
		d.etag, d.size, d.md5 = body.ETag, body.Size, body.MD5
		d.framed, d.vouched, d.contentType = body.Framed, body.Vouched, body.ContentType
		d.part.wantMD5(d.md5 != nil)
		return nil
	}
	switch {
	case body.Offset != d.part.offset:
		return d.fault(KindMismatch, fmt.Sprintf("asked for bytes from %d, got them from %d", d.part.offset, body.Offset))
	case body.ETag == "" || body.ETag != d.etag:
		return d.fault(KindChanged, fmt.Sprintf("asked for ETag %s, got %q", d.etag, body.ETag))
	case d.size >= 0 && body.Size >= 0 && body.Size != d.size:
		return d.fault(KindMismatch, fmt.Sprintf("the blob was %d bytes long, now it is %d, with the same ETag", d.size, body.Size))
	}
	d.resumed++
	d.framed = body.Framed
	if body.Size >= 0 {
		d.size = body.Size
	}
	if body.MD5 != nil {
		d.md5 = body.MD5
	}
	return nil
}

// copy appends a body to the part file. It ends with nil when the blob is
// complete and with a *cutError when this answer ended before it was.
func (d *loop) copy(ctx context.Context, body io.Reader) error {
	start := d.part.offset
	for {
		n, err := fill(body, d.part.buffer)
		if d.part.offset+int64(n) > d.opt.MaxBytes {
			return d.tooLarge(-1)
		}
		if werr := d.write(n); werr != nil {
			return werr
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case d.size >= 0 && d.part.offset > d.size:
			return d.fault(KindMismatch, fmt.Sprintf("%d bytes came, %d were stated", d.part.offset, d.size))
		case err == nil:
			continue
		case d.part.offset == d.size, d.size < 0 && err == io.EOF:
			return nil
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return &cutError{got: d.part.offset - start, err: err}
	}
}

// fill reads until the buffer is full or the reader ends, and keeps the
// reader's own error: io.ReadFull gives one name to a body that ended in
// order and a body that was cut.
func fill(r io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var got int
		got, err = r.Read(buffer[n:])
		n += got
	}
	return n, err
}

func (d *loop) write(n int) error {
	if n == 0 {
		return nil
	}
	if err := d.part.write(n); err != nil {
		return err
	}
	// No Mark at the very end: asked to continue there, Azure says 416.
	if d.part.unsynced() >= d.opt.MarkEvery && d.part.offset != d.size {
		if err := d.part.mark(d.etag); err != nil {
			return err
		}
	}
	if d.opt.Progress != nil {
		d.opt.Progress(d.part.offset, d.size)
	}
	return nil
}

// verify compares the whole file with what the server stated.
func (d *loop) verify(ctx context.Context) error {
	return d.part.verify(ctx, d.md5, func(got []byte) error {
		return d.fault(KindMismatch, fmt.Sprintf("MD5 is %x, the server states %x", got, d.md5))
	})
}

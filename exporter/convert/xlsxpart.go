package convert

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/zip"

	"finrelay/exporter"
)

// part is the stream of one part, with a budget: XML has tokens of any length,
// and the decoder keeps each whole.
type part struct {
	io.ReadCloser // as UTF-8
	utf16         bool
	ctx           context.Context
	name          string
	left          int // bytes that may be read before the budget is set anew
	most          int // the budget, for messages
	err           error
}

var errBudget = errors.New("longer than allowed")

func (b *workbook) open(at string) (*part, error) {
	f := b.parts[partKey(at)]
	if f == nil {
		return nil, fmt.Errorf("%w: the workbook lacks its part %s", exporter.ErrDamaged, at)
	}
	if f.Flags&1 != 0 {
		return nil, fmt.Errorf("the workbook's part %s: %w; save it without a password", at, exporter.ErrEncrypted)
	}
	if size := f.UncompressedSize64; size > ratioFrom && size/max(f.CompressedSize64, 1) > maxRatio {
		return nil, fmt.Errorf("%w: %s unpacks to %d times its size, at most %d", exporter.ErrTooLarge, at, size/max(f.CompressedSize64, 1), maxRatio)
	}
	r, err := f.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		return nil, fmt.Errorf("the workbook's part %s: compression method %d: %w", at, f.Method, exporter.ErrUnsupported)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s (%v)", exporter.ErrDamaged, at, err)
	}
	text, isUTF16 := decoded(r)
	return &part{ReadCloser: text, utf16: isUTF16, ctx: b.ctx, name: at}, nil
}

func (p *part) Read(b []byte) (int, error) {
	switch {
	case p.ctx.Err() != nil:
		p.err = context.Cause(p.ctx)
	case p.left <= 0:
		p.err = errBudget
	}
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.ReadCloser.Read(b[:min(len(b), p.left)])
	p.left -= n
	if err != nil && err != io.EOF {
		p.err = fmt.Errorf("%w: %s cannot be unpacked (%v)", exporter.ErrDamaged, p.name, err)
		err = p.err
	}
	return n, err
}

// allow sets the budget anew: n bytes for what comes next.
func (p *part) allow(n int) {
	p.most = n
	p.left = n + decoderAhead
}

// decoderAhead is more than an XML decoder reads before it is asked.
const decoderAhead = 64 << 10

// explain gives the cause of a decoder's error: ours when reading failed, a
// disk's, else that the part is not the XML it should be.
func (p *part) explain(err error) error {
	_, disk := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(p.err, errBudget):
		return &malformed{err: fmt.Errorf("%s: record longer than %d bytes", p.name, p.most)}
	case p.err != nil:
		return p.err
	case disk:
		return err
	}
	return &malformed{err: fmt.Errorf("%s: %w", p.name, err)}
}

// rootElement reads up to the element around all others. A document type
// declaration is refused, though nothing in it would be read: ECMA-376 part 2
// wants none in any part.
func rootElement(d *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t, nil
		case xml.Directive:
			return xml.StartElement{}, errDoctype
		}
	}
}

// finish reads what is left, so that the part's checksum is looked at.
func (p *part) finish() error {
	for {
		p.allow(blockSize)
		if _, err := io.CopyN(io.Discard, p, int64(blockSize)); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

package fetch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// unpacked gives the bytes of a body as they were before somebody on the way
// packed them: proxies do so, although identity is asked for. What is said of
// the packed bytes is taken back: no range of them is a range of the file.
//
// A body that says gzip and is none is taken as it is. Any other encoding is a
// *LinkError of KindNoFile: stored, its bytes would pass for the file.
func unpacked(body *Body) (io.Reader, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(body.ContentEncoding)); encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		in := bufio.NewReader(body)
		// An error here, of the connection say, comes again when the body is read.
		if magic, err := in.Peek(2); err != nil || !bytes.Equal(magic, []byte("\x1F\x8B")) {
			return in, nil
		}
		body.Size, body.ETag, body.MD5 = -1, "", nil
		return &gzipBody{in: in}, nil
	default:
		return nil, &LinkError{Kind: KindNoFile, Host: body.host,
			Detail: fmt.Sprintf("the answer is encoded as %q, which was not asked for: something on the way changes answers", clipped(encoding, 40))}
	}
}

// gzipBody unpacks as it is read. Its end is that of the body below it, which
// knows whether that was cut.
type gzipBody struct {
	in  io.Reader
	out *gzip.Reader // nil until the first read: the header comes over the network too
}

func (g *gzipBody) Read(p []byte) (n int, err error) {
	if g.out == nil {
		g.out, err = gzip.NewReader(g.in)
	}
	if err == nil {
		n, err = g.out.Read(p)
	}
	if err != nil && err != io.EOF {
		if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
			return n, &LinkError{Kind: KindMismatch, Detail: "the answer was packed on its way, and its checksum does not fit", Err: err}
		}
		err = fmt.Errorf("unpack gzip: %w", err)
	}
	return n, err
}

func clipped(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

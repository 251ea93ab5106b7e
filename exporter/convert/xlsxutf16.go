package convert

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// utf16Part reads a part that is in UTF-16 as UTF-8.
//
// Source: ECMA-376 part 2, XML usage: the XML of a part is in UTF-8 or UTF-16.
// XML 1.0, 4.3.3: UTF-16 begins with a byte order mark.
type utf16Part struct {
	io.ReadCloser
	codec   utf16Codec
	in, out []byte // of the buffers, what waits
	err     error  // of the last Read
	inMem   [4 << 10]byte
	outMem  [6 << 10]byte // a unit of two bytes is three of UTF-8 at most
}

// decoded gives r, or what reads it as UTF-8 when it begins with the mark of
// UTF-16.
func decoded(r io.ReadCloser) (_ io.ReadCloser, isUTF16 bool) {
	head := make([]byte, 2)
	n, _ := io.ReadFull(r, head) // the reader of a zip gives its error again
	mark := string(head[:n])
	if mark == "\xff\xfe" || mark == "\xfe\xff" {
		return &utf16Part{ReadCloser: r, codec: utf16Codec{bigEndian: mark == "\xfe\xff"}}, true
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head[:n]), r), r}, false
}

// Read fills p from what was decoded, however small p is.
func (u *utf16Part) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		atEOF := errors.Is(u.err, io.EOF)
		wrote, read := u.codec.decode(u.outMem[:], u.in, atEOF)
		u.out, u.in = u.outMem[:wrote], u.in[read:]
		if wrote > 0 {
			break
		}
		if u.err != nil {
			return 0, u.err
		}
		held := copy(u.inMem[:], u.in)
		var n int
		n, u.err = u.ReadCloser.Read(u.inMem[held:])
		u.in = u.inMem[:held+n]
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// decoder reads the part's XML.
func (p *part) decoder() *xml.Decoder {
	d := xml.NewDecoder(p)
	if p.utf16 {
		d.CharsetReader = func(name string, r io.Reader) (io.Reader, error) {
			declared, _, err := lookupEncoding(name)
			if err == nil && declared != nameUTF16LE && declared != nameUTF16BE {
				err = fmt.Errorf("declaration says %s, but the part is UTF-16", name)
			}
			return r, err // UTF-8 by now
		}
	}
	return d
}

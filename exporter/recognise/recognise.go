package recognise

import (
	"bytes"
	"compress/gzip"
	"io"
	"mime"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Is says what a file is.
type Is string

// What files are; the package comment says more.
const (
	Export   Is = "export"
	Broken   Is = "broken"
	Unknown  Is = "unknown"
	Unclear  Is = "unclear"
	NoExport Is = "no export"
)

// Found is what was recognised in a file.
type Found struct {
	Is   Is
	What string // for people: "a table", "a web page: Access denied"
	// Ends says that the file's own structure tells where it ends, so that
	// nothing can have been cut off unseen. A table's does not.
	Ends bool
}

// headBytes is how much of a table or a text is looked at. A document is read to
// its end.
const headBytes = 64 << 10

// Text looks at a file of size bytes that is no zip. contentType is the header
// that it came with, "" when that is not known. The error is the reader's.
func Text(file io.ReaderAt, size int64, contentType string) (Found, error) {
	if what := pageType(contentType); what != "" {
		return Found{Is: NoExport, What: what}, nil
	}
	if size == 0 {
		return Found{Is: NoExport, What: "nothing: 0 bytes"}, nil
	}
	head := make([]byte, min(size, headBytes))
	if _, err := file.ReadAt(head, 0); err != nil && err != io.EOF {
		return Found{}, err
	}
	t := text{file: &watched{r: io.NewSectionReader(file, 0, size)}, whole: size <= headBytes}
	found := t.found(head)
	return found, t.file.err
}

// watched keeps the error of a file, which parsers may take for the file's end.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// pageType names a content type that no export comes with.
func pageType(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = strings.ToLower(strings.TrimSpace(contentType))
	}
	switch kind {
	case "text/html", "application/xhtml+xml":
		return "a web page (" + kind + ")"
	case "application/problem+json", "application/problem+xml":
		return "an error document (" + kind + ")"
	case "text/css", "text/javascript", "application/javascript":
		return "a part of a web page (" + kind + ")"
	}
	for _, group := range []string{"image/", "audio/", "video/", "font/"} {
		if strings.HasPrefix(kind, group) {
			return "a part of a web page (" + kind + ")"
		}
	}
	return ""
}

// text is a file, of which head is the beginning: as UTF-8, or in some encoding
// that agrees with ASCII.
type text struct {
	file  *watched // all of it, as bytes
	head  []byte
	whole bool // head is all of it
}

// all reads the file as UTF-8, from its first byte that is no blank.
func (t text) all(raw []byte) io.Reader { return transform.NewReader(t.file, encodingOf(raw)) }

func (t text) found(raw []byte) Found {
	if bytes.HasPrefix(raw, []byte("\x1f\x8b")) {
		return t.gzipped(raw)
	}
	head, _, err := transform.Bytes(encodingOf(raw), raw)
	if err != nil {
		head = raw
	}
	t.head = trimStart(head)
	zeros := bytes.Count(head, []byte{0})
	switch {
	case len(t.head) == 0:
		return Found{Is: NoExport, What: "nothing but blanks"}
	case pageMarks.Match(t.head) && (zeros > 0 || !strings.ContainsRune("<{[", rune(t.head[0]))):
		if is := t.lines(); zeros == 0 && is.Is == Export {
			return is // a table whose values hold markup
		}
		return Found{Is: NoExport, What: titled("a web page behind other text", t.head)}
	case zeros*100 > len(head):
		return Found{Is: Unknown, What: "no text"}
	case t.head[0] == '<':
		return t.markup(t.all(raw))
	case t.head[0] == '{' || t.head[0] == '[' || t.head[0] == '"':
		if f := t.json(t.all(raw)); f.Is != "" {
			return f
		}
	}
	return t.lines()
}

// gzipped looks into what was packed on its way without saying so.
func (t text) gzipped(raw []byte) Found {
	known := Found{Is: Unknown, What: "a gzip file"}
	in, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return known
	}
	inner := make([]byte, headBytes)
	n, _ := io.ReadFull(in, inner) // of a cut beginning as much as there is
	within := text{file: &watched{r: bytes.NewReader(inner[:n])}, whole: true}
	if f := within.found(inner[:n]); n > 0 && !bytes.HasPrefix(inner, []byte("\x1f\x8b")) && (f.Is == NoExport || f.Is == Unclear) {
		f.What += ", packed with gzip"
		return f
	}
	return known
}

// encodingOf decodes UTF-16, by its mark or the zeros in it, and takes marks
// off. Single-byte code pages stay as they are: what is looked for is ASCII in
// all of them.
func encodingOf(head []byte) transform.Transformer {
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case len(head) >= 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case len(head) >= 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	}
	return transform.Nop
}

// trimStart takes off what may stand before a text: marks, blanks of all kinds,
// zeros.
func trimStart(b []byte) []byte {
	for {
		rest := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\uFEFF")), "\x00 \t\r\n\f\v\u00a0\u200b\u2028")
		if len(rest) == len(b) {
			return b
		}
		b = rest
	}
}

// skipStart is trimStart of a stream.
func skipStart(r io.RuneScanner) {
	for {
		c, _, err := r.ReadRune()
		if err != nil {
			return
		}
		if len(trimStart([]byte(string(c)))) > 0 {
			_ = r.UnreadRune() // directly after a read it cannot fail
			return
		}
	}
}

// snippet is the beginning of a text, for people: one line, short.
func snippet(b []byte) string {
	const most = 80 // characters
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b[:min(len(b), 4*most)]), "?")), " ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

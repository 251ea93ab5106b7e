package recognise

import (
	"bytes"
	"io"
	"mime"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// Is says what a file is.
type Is string

// What files are; the package comment says more.
const (
	Export   Is = "export"
	NoExport Is = "no export"
	Broken   Is = "broken"
	Unknown  Is = "unknown"
)

// Found is what was recognised in a file.
type Found struct {
	Is   Is
	What string // for people: "a table", "a web page: Access denied"
	// Ends says that the file's own structure tells where it ends, so that
	// nothing can have been cut off unseen. A table's does not.
	Ends bool
}

// How much of a file is looked at, in bytes.
const (
	headBytes = 64 << 10
	tailBytes = 4 << 10
)

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
	tail := make([]byte, min(size, tailBytes))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return Found{}, err
	}
	t := text{whole: size <= headBytes}
	var ok bool
	if t.head, t.tail, ok = asUTF8(head, tail, size); !ok {
		return Found{Is: Unknown, What: "no text"}, nil
	}
	return t.found(), nil
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
	}
	return ""
}

// text is the two ends of a file, as UTF-8 or in some encoding that agrees with
// ASCII.
type text struct {
	head, tail []byte
	whole      bool // head is all of it
}

func (t text) found() Found {
	start := bytes.TrimLeft(t.head, " \t\r\n")
	switch {
	case len(start) == 0:
		return Found{Is: Unknown, What: "nothing but blanks"}
	case start[0] == '<':
		return t.markup(start)
	case start[0] == '{' || start[0] == '[':
		return t.json(start)
	}
	return t.lines()
}

// asUTF8 decodes UTF-16, by its mark or the zeros in it, and takes the mark of
// UTF-8 off. Single-byte code pages stay as they are: what is looked for is
// ASCII in all of them. It reports false for what holds other zeros.
func asUTF8(head, tail []byte, size int64) (h, t []byte, ok bool) {
	order, mark := unicode.LittleEndian, 0
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")):
		mark = 2
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		order, mark = unicode.BigEndian, 2
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		return head[3:], tail, true
	case len(head) >= 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
	case len(head) >= 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		order = unicode.BigEndian
	default:
		return head, tail, bytes.IndexByte(head, 0) < 0
	}
	if (size-int64(len(tail)))%2 != 0 {
		tail = tail[1:] // begin with a whole unit
	}
	decode := func(b []byte) []byte {
		out, err := unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder().Bytes(b[:len(b)&^1])
		if err != nil {
			return nil // half a pair at an end is replaced, so there is no such error
		}
		return out
	}
	return decode(head[mark:]), decode(tail), true
}

// snippet is the beginning of a text, for people: one line, short.
func snippet(b []byte) string {
	const most = 80 // characters
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b[:min(len(b), 4*most)]), "?")), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

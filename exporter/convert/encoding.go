package convert

import (
	"bytes"
	"fmt"
	"regexp"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"finrelay/exporter"
)

const (
	nameUTF8    = "utf-8"
	nameUTF16LE = "utf-16le"
	nameUTF16BE = "utf-16be"
)

// lookupEncoding gives the canonical name and the codec, nil for UTF-8.
func lookupEncoding(name string) (string, codec, error) {
	enc, err := htmlindex.Get(name)
	if err != nil {
		return "", nil, fmt.Errorf("encoding %q: unknown name", name)
	}
	canonical, err := htmlindex.Name(enc)
	if err != nil {
		return "", nil, fmt.Errorf("encoding %q: %w", name, err)
	}
	switch canonical {
	case nameUTF8:
		return canonical, nil, nil
	case nameUTF16LE:
		return canonical, utf16Codec{}, nil
	case nameUTF16BE:
		return canonical, utf16Codec{bigEndian: true}, nil
	case "iso-2022-jp", "replacement", "x-user-defined":
		// ISO-2022-JP shifts between alphabets, so a byte means nothing by itself.
		return "", nil, fmt.Errorf("encoding %q: %w", name, exporter.ErrUnsupported)
	}
	if cm, ok := enc.(*charmap.Charmap); ok {
		return canonical, newCharmapCodec(cm), nil
	}
	return canonical, newMultibyteCodec(enc), nil
}

// detectEncoding gives the encoding's name and the length of the byte order
// mark. An empty name means: ASCII so far, decide at the first other byte.
func detectEncoding(head []byte, opt Options) (name string, mark int, err error) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		return "", 0, fmt.Errorf("UTF-32: %w", exporter.ErrUnsupported)
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return nameUTF8, 3, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return nameUTF16LE, 2, nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return nameUTF16BE, 2, nil
	case opt.Encoding != "":
		return opt.Encoding, 0, nil
	}
	if what := binaryKind(head); what != "" {
		return "", 0, fmt.Errorf("%s: format %w", what, exporter.ErrUnsupported)
	}
	if name := nulPattern(head); name != "" {
		return name, 0, nil
	}
	format := opt.Format
	if format == FormatAuto {
		format = sniffFormat(head)
	}
	// A header is names; one that holds NUL is no text at all. In XML it is
	// refused where it stands.
	line, _, _ := bytes.Cut(head, newline)
	if bytes.IndexByte(line, 0) >= 0 && (format == FormatCSV || format == FormatJSON) {
		return "", 0, fmt.Errorf("binary content: format %w", exporter.ErrUnsupported)
	}
	switch format {
	case FormatCSV:
		return "", 0, nil
	case FormatJSON:
		return nameUTF8, 0, nil
	}
	if declared := declaredEncoding(head); declared != "" {
		return declared, 0, nil
	}
	return nameUTF8, 0, nil
}

// nulPattern recognises UTF-16 without a mark: in the first line or tag, as far as
// it is at hand, one half of many code units is zero, the other half hardly ever.
// Not never: 一 is U+4E00, and the second unit of 😀 is U+DE00.
//
// Assumed: headers and tags are ASCII, since they are names of staging fields.
// A header in another script would need the encoding configured.
func nulPattern(head []byte) string {
	head = head[:min(len(head), 1024)&^1]
	var even, odd, units int
	whole := false // all of the first line or tag was seen
	for i := 0; i < len(head); i += 2 {
		units++
		if head[i] == 0 {
			even++
		}
		if head[i+1] == 0 {
			odd++
		}
		switch string(head[i : i+2]) {
		case "\n\x00", "\x00\n", ">\x00", "\x00>":
			whole = true // what comes below may be of any script
		}
		if whole {
			break
		}
	}
	enough := max(1, (2*units+4)/5)
	if whole {
		enough = units/2 + 1 // a NUL and a line end alone may be a fault in something else
	}
	switch {
	case odd >= enough && even <= odd/8:
		return nameUTF16LE
	case even >= enough && odd <= even/8:
		return nameUTF16BE
	}
	return ""
}

var declaration = regexp.MustCompile(`^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']`)

// declaredEncoding reads the XML declaration. What cannot be, an unknown name or
// UTF-16 over single bytes, the XML reader refuses at its place.
func declaredEncoding(head []byte) string {
	m := declaration.FindSubmatch(head[:min(len(head), 256)])
	if m == nil {
		return ""
	}
	name := string(m[1])
	if canonical, _, err := lookupEncoding(name); err != nil || canonical == nameUTF16LE || canonical == nameUTF16BE {
		return ""
	}
	return name
}

// codec turns source bytes into UTF-8 and back.
//
// A source byte that means nothing becomes 0xFF and itself. 0xFF is in no
// UTF-8 text, so the check that each row passes anyway finds it, with its
// place; and encode can give the source back byte for byte.
type codec interface {
	// decode reads whole characters from src into dst, as many as fit. It
	// leaves an incomplete one at the end of src alone unless atEOF.
	decode(dst, src []byte, atEOF bool) (nDst, nSrc int)
	// encode appends the source form of text, which decode made.
	encode(dst, text []byte) []byte
}

const undecodable = 0xFF

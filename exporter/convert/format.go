package convert

import "bytes"

// magics are the first bytes of what FinOps or an operator may hand over in
// place of text.
var magics = []struct{ prefix, kind string }{
	{"PK\x03\x04", "workbook or zip"},
	{"PK\x05\x06", "empty zip"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel 97 workbook"},
	{"\x1f\x8b", "gzip"},
	{"7z\xbc\xaf\x27\x1c", "7z archive"},
	{"Rar!\x1a\x07", "rar archive"},
	{"%PDF-", "PDF"},
	{"PAR1", "Parquet"},
}

// binaryKind names content that is no text; "" when it may be text.
func binaryKind(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.prefix)) {
			return m.kind
		}
	}
	return ""
}

// sniffFormat tells the formats apart by the first characters. A CSV header may
// begin with a bracket ("[Name],[City]") but not with what begins a JSON value
// after it, nor with a tag.
func sniffFormat(head []byte) Format {
	head = skipSpace(head)
	if len(head) < 2 {
		return FormatCSV
	}
	next := byte(' ')
	if rest := skipSpace(head[1:]); len(rest) > 0 {
		next = rest[0]
	}
	switch head[0] {
	case '<':
		if c := head[1]; c == '?' || c == '!' || nameStart(rune(c)) || c >= 0x80 {
			return FormatXML
		}
	case '{':
		if next == '"' || next == '}' {
			return FormatJSON
		}
	case '[':
		if bytes.IndexByte([]byte(`{[]"-0123456789`), next) >= 0 {
			return FormatJSON
		}
		for _, word := range []string{"null", "true", "false"} {
			if bytes.HasPrefix(skipSpace(head[1:]), []byte(word)) {
				return FormatJSON
			}
		}
	}
	return FormatCSV
}

func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

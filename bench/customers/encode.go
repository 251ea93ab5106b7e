package customers

import "bytes"

func csvRow(b []byte, values [][]byte) []byte {
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		if !bytes.ContainsAny(v, ",\"\r\n") {
			b = append(b, v...)
			continue
		}
		b = append(b, '"')
		for _, c := range v {
			if c == '"' {
				b = append(b, '"')
			}
			b = append(b, c)
		}
		b = append(b, '"')
	}
	return append(b, "\r\n"...)
}

// elementRow writes empty values in both forms that XML has for them.
func elementRow(b []byte, values [][]byte) []byte {
	b = append(b, "<"+rowElement+">"...)
	for i, v := range values {
		name := columns[i].name
		b = append(append(b, '<'), name...)
		if len(v) == 0 && i%2 == 1 {
			b = append(b, "/>"...)
			continue
		}
		b = escape(append(b, '>'), v)
		b = append(append(append(b, "</"...), name...), '>')
	}
	return append(b, "</"+rowElement+">\n"...)
}

func attributeRow(b []byte, values [][]byte) []byte {
	b = append(b, "<"+rowElement...)
	for i, v := range values {
		b = append(append(append(b, ' '), columns[i].name...), `="`...)
		b = append(escape(b, v), '"')
	}
	return append(b, "/>\n"...)
}

// escape serves text and attributes alike. A line break is written as a
// reference, because an XML reader turns a bare one in an attribute into a
// space.
func escape(b, v []byte) []byte {
	for _, c := range v {
		switch c {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&quot;"...)
		case '\n':
			b = append(b, "&#xA;"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

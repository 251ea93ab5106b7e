package sim

import (
	"bytes"
	"encoding/json"
	"strings"
)

// separated writes rows with a delimiter. A value is quoted when it holds the
// delimiter, a quote or a line break; line breaks inside stay as they are.
func separated(delimiter byte, t Table) []byte {
	var b bytes.Buffer
	row := func(values []string) {
		for i, v := range values {
			if i > 0 {
				b.WriteByte(delimiter)
			}
			if !strings.ContainsAny(v, "\"\r\n"+string(rune(delimiter))) {
				b.WriteString(v)
				continue
			}
			b.WriteByte('"')
			b.WriteString(strings.ReplaceAll(v, `"`, `""`))
			b.WriteByte('"')
		}
		b.WriteString("\r\n")
	}
	row(t.Columns)
	for _, values := range t.Rows {
		row(values)
	}
	return b.Bytes()
}

const xmlHead = `<?xml version="1.0" encoding="utf-8"?>`

// Line ends inside values are written as references where XML would otherwise
// change them: CR anywhere, LF and tab in attributes.
var (
	elementText   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	attributeText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#xD;", "\n", "&#xA;", "\t", "&#x9;")
)

// xmlElements writes one element a row and one child a column.
func xmlElements(t Table) []byte {
	var b bytes.Buffer
	b.WriteString(xmlHead + "\n<Document>\n")
	tag := t.rowElement()
	for _, values := range t.Rows {
		b.WriteString("  <" + tag + ">\n")
		for i, v := range values {
			name := t.Columns[i]
			if v == "" {
				b.WriteString("    <" + name + " />\n")
				continue
			}
			b.WriteString("    <" + name + ">" + elementText.Replace(v) + "</" + name + ">\n")
		}
		b.WriteString("  </" + tag + ">\n")
	}
	b.WriteString("</Document>\n")
	return b.Bytes()
}

// xmlAttributes writes one empty element a row and one attribute a column.
func xmlAttributes(t Table) []byte {
	var b bytes.Buffer
	b.WriteString(xmlHead + "\n<Document>\n")
	for _, values := range t.Rows {
		b.WriteString("  <" + t.rowElement())
		for i, v := range values {
			b.WriteString(" " + t.Columns[i] + `="` + attributeText.Replace(v) + `"`)
		}
		b.WriteString(" />\n")
	}
	b.WriteString("</Document>\n")
	return b.Bytes()
}

// jsonRows writes one object a row, keys in column order, all values strings.
func jsonRows(f Format, t Table) []byte {
	var b bytes.Buffer
	open, between, end := "[\n", ",\n", "\n]\n"
	switch f {
	case JSONObject:
		open, end = `{"`+t.rowElement()+`":[`+"\n", "\n]}\n"
	case JSONLines:
		open, between, end = "", "\n", "\n"
		if len(t.Rows) == 0 {
			return nil
		}
	}
	b.WriteString(open)
	for r, values := range t.Rows {
		if r > 0 {
			b.WriteString(between)
		}
		b.WriteByte('{')
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(jsonString(t.Columns[i]))
			b.WriteByte(':')
			b.Write(jsonString(v))
		}
		b.WriteByte('}')
	}
	b.WriteString(end)
	return b.Bytes()
}

// jsonString writes v without escaping <, > and &, which FinOps leaves alone.
func jsonString(v string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("sim: encode string: " + err.Error()) // a string cannot fail
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

package convert

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"finrelay/exporter"
)

// FuzzConvert gives anything to the reader. run checks what must hold for
// every input: rows reported are lines written, each of them valid JSON. Here
// it is also read byte by byte in small blocks, with the same outcome.
func FuzzConvert(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.input, string(g.opt.Format), g.opt.Encoding, g.opt.Delimiter, uint8(7))
	}
	f.Fuzz(func(t *testing.T, in []byte, format, encoding string, delimiter rune, block uint8) {
		opt := Options{Format: Format(format), Encoding: encoding, Delimiter: delimiter, MaxRecord: 1 << 16}
		if opt.Validate() != nil {
			return
		}
		want, res := run(t, bytes.NewReader(in), opt)
		if res.Bytes > int64(len(in)) {
			t.Fatalf("%d bytes read of %d", res.Bytes, len(in))
		}
		setBlockSize(t, int(block)+1)
		got, _ := run(t, iotest.OneByteReader(bytes.NewReader(in)), opt)
		compare(t, "in small blocks", got, want)
	})
}

// FuzzJSONKeepsMembers: a lone object whose first member is data comes out
// whole, whatever array of objects stands beside it.
func FuzzJSONKeepsMembers(f *testing.F) {
	f.Add("id", "lines", []byte(`{"x":1},{"x":2}`))
	f.Add("counts", "value", []byte(``))
	f.Add("value", "@odata.context", []byte(`{}`))
	f.Add("@odata.context", "value", []byte(`{"A":1}`))
	f.Fuzz(func(t *testing.T, key, list string, rows []byte) {
		quoted, name := appendString(nil, key), appendString(nil, list)
		doc := fmt.Appendf(nil, `{%s:7,%s:[%s]}`, quoted, name, rows)
		if isMetadata(quoted) || !utf8.Valid(doc) || !json.Valid(doc) {
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, doc); err != nil {
			t.Fatal(err)
		}
		got, _ := run(t, bytes.NewReader(doc), Options{Format: FormatJSON, Encoding: "utf-8"})
		if got.lines != want.String()+"\n" {
			t.Fatalf("%q: got %q %s, want one row %q", doc, got.lines, got.result, &want)
		}
	})
}

// FuzzXML compares with encoding/xml: what we take, it takes. The other way
// round does not hold, it takes much that is not well-formed.
func FuzzXML(f *testing.F) {
	for _, g := range goldens(f) {
		if sniffFormat(g.input) == FormatXML {
			f.Add(g.input)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		_, err := Convert(t.Context(), bytes.NewReader(in), "", Options{Format: FormatXML, Encoding: "utf-8"}, &discard{})
		if err != nil || bytes.HasPrefix(in, []byte("\xff\xfe")) || bytes.HasPrefix(in, []byte("\xfe\xff")) {
			return
		}
		dec := xml.NewDecoder(bytes.NewReader(in))
		dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
		for {
			if _, err := dec.RawToken(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("taken, but encoding/xml says: %v", err)
			}
		}
	})
}

// FuzzJSON compares with encoding/json: we take what it takes, and refuse what
// it refuses.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,-0.5e+3,"\u00e9\\",null,true,{"b":{}}]}`))
	f.Add([]byte(`{"a":01}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		doc := append(append([]byte(`[{"row":`), in...), "}]"...)
		var out record
		_, err := Convert(t.Context(), bytes.NewReader(doc), "", Options{Format: FormatJSON, Encoding: "utf-8"}, &out)
		if _, ok := errors.AsType[*exporter.RecordError](err); ok == json.Valid(doc) {
			t.Fatalf("%q: we say %v, encoding/json finds it valid: %v", doc, err, json.Valid(doc))
		}
		if err == nil && out.nbad == 0 {
			var want bytes.Buffer
			if json.Compact(&want, doc) == nil && "["+string(bytes.ReplaceAll(bytes.TrimSuffix(out.lines.Bytes(), newline), newline, []byte(",")))+"]" != want.String() {
				t.Fatalf("%q: got %q, want %q", doc, &out.lines, &want)
			}
		}
	})
}

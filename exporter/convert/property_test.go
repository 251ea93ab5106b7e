package convert

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// table is what a file says, before it is a file.
type table struct {
	names []string
	rows  [][]string
}

// lines is what must come out, by encoding/json's own hand.
func (tb table) lines() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	text := func(s string) string {
		b.Reset()
		_ = enc.Encode(s)
		return strings.TrimSuffix(b.String(), "\n")
	}
	var out strings.Builder
	for _, row := range tb.rows {
		for i, v := range row {
			fmt.Fprintf(&out, "%c%s:%s", "{,"[min(i, 1)], text(tb.names[i]), text(v))
		}
		out.WriteString("}\n")
	}
	// encoding/json spells these two as escapes; they need none.
	return strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(out.String())
}

func drawTable(t *rapid.T, alphabet string) table {
	value := rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 0, 12, -1)
	width := rapid.IntRange(1, 5).Draw(t, "columns")
	tb := table{names: rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z_][A-Z0-9_]{0,8}`), width, width, rapid.ID).Draw(t, "names")}
	for range rapid.IntRange(0, 12).Draw(t, "rows") {
		tb.rows = append(tb.rows, rapid.SliceOfN(value, width, width).Draw(t, "row"))
	}
	return tb
}

// drawPieces makes r and the reader's blocks as small as the case wants them.
func drawPieces(t *rapid.T, r io.Reader) io.Reader {
	blockSize = rapid.SampledFrom([]int{1, 2, 3, 7, 32, 100, 4096}).Draw(t, "block size")
	sampleSize = rapid.SampledFrom([]int{1, 20, 4096}).Draw(t, "sample size")
	if rapid.Bool().Draw(t, "byte by byte") {
		return iotest.OneByteReader(r)
	}
	return r
}

func keepSizes(t *testing.T) {
	block, sample := blockSize, sampleSize
	t.Cleanup(func() { blockSize, sampleSize = block, sample })
}

func (tb table) csv(t *rapid.T, delimiter, quote string) string {
	var b strings.Builder
	end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
	always := rapid.Bool().Draw(t, "quote always")
	for n, row := range append([][]string{tb.names}, tb.rows...) {
		if n > 0 {
			b.WriteString(end)
		}
		for i, v := range row {
			if i > 0 {
				b.WriteString(delimiter)
			}
			if always || strings.ContainsAny(v, delimiter+quote+"\r\n") || n == len(tb.rows) && v == "" {
				v = quote + strings.ReplaceAll(v, quote, quote+quote) + quote
			}
			b.WriteString(v)
		}
	}
	if rapid.Bool().Draw(t, "final line end") {
		b.WriteString(end)
	}
	return b.String()
}

const latin = "ab0 ,;\t|\"'\r\n\\<&\x01\x1f\x7fé€ß¦§ÿþ"

var encodings = []struct {
	name, mark string
	alphabet   string
}{
	{"utf-8", "", latin + "語😀\u2028\ufffd"},
	{"utf-8", "\xef\xbb\xbf", latin + "語😀"},
	{"utf-16le", "\xff\xfe", latin + "語😀\ufffd"},
	{"utf-16be", "\xfe\xff", latin + "語😀"},
	{"utf-16be", "", latin + "語😀"},
	{"windows-1252", "", latin},
	{"shift_jis", "", "ab,\"\n語ソ表"},
	{"gb18030", "", latin + "語😀"},
}

// characters are those of wanted that are ASCII or in the alphabet.
func characters(alphabet, wanted string) (all []string) {
	for _, c := range wanted {
		if c < utf8.RuneSelf || strings.ContainsRune(alphabet, c) {
			all = append(all, string(c))
		}
	}
	return all
}

func TestCSVGivesBackWhatWasWritten(t *testing.T) {
	keepSizes(t)
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(encodings).Draw(t, "encoding")
		tb := drawTable(t, e.alphabet)
		delimiter := rapid.SampledFrom(characters(e.alphabet, ",;\t|: \x1f\\¦§ÿß語ソ😀")).Draw(t, "delimiter")
		quote := rapid.SampledFrom(characters(e.alphabet, "\"\"'\x1fþ§ÿ表😀")).Draw(t, "quote")
		if quote == delimiter {
			quote = "`"
		}
		file := []byte(tb.csv(t, delimiter, quote))
		if _, c, err := lookupEncoding(e.name); err != nil {
			t.Fatal(err)
		} else if c != nil {
			file = c.encode(nil, file)
		}
		file = append([]byte(e.mark), file...)
		opt := Options{Format: FormatCSV, Delimiter: []rune(delimiter)[0], Quote: []rune(quote)[0], Encoding: e.name}
		var rec record
		res, err := Convert(t.Context(), drawPieces(t, bytes.NewReader(file)), "f", opt, &rec)
		if err != nil || rec.wrong != "" {
			t.Fatalf("%q: %v %s", file, err, rec.wrong)
		}
		if got, want := rec.lines.String(), tb.lines(); got != want || res.BadRows != 0 {
			t.Fatalf("%q: %d bad rows %s\ngot  %q\nwant %q", file, res.BadRows, &rec.bad, got, want)
		}
		if !slices.Equal(res.Columns, tb.names) || res.Encoding != e.name || res.Bytes != int64(len(file)) {
			t.Fatalf("%q: got %+v, want columns %q, encoding %s, %d bytes", file, res, tb.names, e.name, len(file))
		}
	})
}

// escapeXML writes a value so that no line end or white space is normalised.
func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func TestXMLGivesBackWhatWasWritten(t *testing.T) {
	keepSizes(t)
	rapid.Check(t, func(t *rapid.T) {
		tb := drawTable(t, "ab 0<>&\"']\r\n\té語😀")
		attributes := rapid.Bool().Draw(t, "attributes")
		pad := rapid.SampledFrom([]string{"", "\r\n  ", "<!-- x -->", "<?x y?>"}).Draw(t, "between rows")
		var b strings.Builder
		b.WriteString("<?xml version=\"1.0\"?>" + pad + "<Document>")
		for _, row := range tb.rows {
			b.WriteString(pad + "<ROW")
			if !attributes {
				b.WriteString(">")
			}
			for i, v := range row {
				if attributes {
					fmt.Fprintf(&b, " %s=\"%s\"", tb.names[i], escapeXML(v))
				} else {
					fmt.Fprintf(&b, "<%s>%s</%s>", tb.names[i], escapeXML(v), tb.names[i])
				}
			}
			b.WriteString(map[bool]string{true: "/>", false: "</ROW>"}[attributes])
		}
		b.WriteString(pad + "</Document>" + pad)
		var rec record
		res, err := Convert(t.Context(), drawPieces(t, strings.NewReader(b.String())), "f", Options{Format: FormatXML}, &rec)
		if got, want := rec.lines.String(), tb.lines(); err != nil || got != want || res.BadRows != 0 || rec.wrong != "" {
			t.Fatalf("%s: error %v, %d bad rows, %s\ngot  %q\nwant %q", &b, err, res.BadRows, rec.wrong, got, want)
		}
	})
}

func TestJSONGivesBackWhatWasWritten(t *testing.T) {
	keepSizes(t)
	rapid.Check(t, func(t *rapid.T) {
		tb := drawTable(t, "ab \"\\\n{}[],:é語😀")
		rows := strings.SplitAfter(tb.lines(), "\n")
		rows = rows[:len(rows)-1]
		for i := range rows {
			if rapid.Bool().Draw(t, "indent") {
				var b bytes.Buffer
				_ = json.Indent(&b, []byte(rows[i]), "", "  ")
				rows[i] = b.String()
			}
		}
		var file string
		switch form := rapid.SampledFrom([]string{"array", "envelope", "lines"}).Draw(t, "form"); {
		case form == "array":
			file = "[" + strings.Join(rows, ", ") + "]"
		case form == "envelope":
			file = `{"@a":{"b":"["},"value" : [` + strings.Join(rows, " ,") + `] , "Count": 1 }`
		case len(rows) == 0:
			return
		default:
			file = strings.Join(rows, "\n")
		}
		var rec record
		r := drawPieces(t, strings.NewReader(file))
		sampleSize = 4096 // an envelope has to begin within the sample
		res, err := Convert(t.Context(), r, "f", Options{Format: FormatJSON}, &rec)
		if got, want := rec.lines.String(), tb.lines(); err != nil || got != want || res.BadRows != 0 || rec.wrong != "" {
			t.Fatalf("%s: error %v, %d bad rows, %s\ngot  %q\nwant %q", file, err, res.BadRows, rec.wrong, got, want)
		}
	})
}

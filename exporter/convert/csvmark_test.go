package convert

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// csvCharacters are a delimiter and a quote.
type csvCharacters struct{ delimiter, quote rune }

// otherCharacters are ASCII and not, of each length in UTF-8, and pairs that
// begin with the same byte: ¦ and § with C2, ÿ and þ with C3.
var otherCharacters = []csvCharacters{
	{'¦', '"'}, {',', 'ÿ'}, {'¦', '§'}, {'þ', 'ÿ'}, {'\u2502', '\u2503'}, {'😀', '\x1f'}, {'\x1f', '😀'}, {'語', '表'}, {'\x14', 'þ'},
}

// rewrite gives text with these in place of the comma and the double quote.
func (c csvCharacters) rewrite(text string) string {
	return strings.NewReplacer(",", string(c.delimiter), `"`, string(c.quote)).Replace(text)
}

// TestOtherCharactersMeanTheSame: whatever separates and surrounds the values,
// the rows are those of commas and double quotes, in every encoding that has
// the characters, in blocks of every size.
func TestOtherCharactersMeanTheSame(t *testing.T) {
	const in = "A,B\r\n1,\"x,y\"\r\n\"2\",\"say \"\"é\"\" ¤\"\r\n3,\"\"\r\n,5\" pipe\n\"4\"\" x,\",z\n\"\"\"\"\"\",é\n"
	for size := 1; size <= 64; size++ {
		inBlocksOf(t, size)
		for _, c := range otherCharacters {
			// Quotes and delimiters in values are those of the file.
			want, _ := run(t, strings.NewReader(in), Options{Format: FormatCSV, Delimiter: ','})
			want.lines = strings.ReplaceAll(want.lines, `\"`, escaped(c.quote))
			want.lines = strings.ReplaceAll(want.lines, "x,y", "x"+escaped(c.delimiter)+"y")
			want.lines = strings.ReplaceAll(want.lines, "x,", "x"+escaped(c.delimiter))
			for _, encoding := range []string{"utf-8", "utf-16le", "utf-16be", "windows-1252", "gb18030"} {
				_, codec, _ := lookupEncoding(encoding)
				file := []byte(c.rewrite(in))
				if codec != nil {
					file = codec.encode(nil, file)
				}
				if encoding == "windows-1252" && max(c.delimiter, c.quote) > 0xFF {
					continue // not in it
				}
				opt := Options{Format: FormatCSV, Delimiter: c.delimiter, Quote: c.quote, Encoding: encoding}
				got, _ := run(t, iotest.OneByteReader(bytes.NewReader(file)), opt)
				got.result = strings.NewReplacer(encoding, "utf-8", fmt.Sprintf("delimiter %q", c.delimiter), "delimiter ','").Replace(got.result)
				want.result, got.result = withoutPlaces(want.result), withoutPlaces(got.result)
				compare(t, fmt.Sprintf("%q in %s, blocks of %d", c, encoding, size), got, want)
			}
		}
	}
}

// escaped is a character as JSON has it in a string.
func escaped(c rune) string {
	s := string(appendString(nil, string(c)))
	return s[1 : len(s)-1]
}

// withoutPlaces cuts the places of odd fields: they are in bytes.
func withoutPlaces(result string) string {
	result, _, _ = strings.Cut(result, "odd fields")
	return result
}

// TestHeaderWithColons: a colon is found where nothing else can be meant.
func TestHeaderWithColons(t *testing.T) {
	for in, want := range map[string]rune{
		"A:B\n1:2\n":                   ':',
		"\"A\":B_1:Größe\r\n1:2:3\r\n": ':',
		"A:B\n1:\"2:3\"\n":             ':',
		"A:B\n":                        ',', // nothing to go by
		"A:B\n1:2\n3\n":                ',',
		"TIME\n10:30\n11:45\n":         ',',
		"Time (hh:mm)\n10:30\n11:45\n": ',',
		"\"hh:mm\"\n10\n11\n":          ',',
		"A:B,C\n1:2,3\n":               ',',
		"A:B:C;D\n1:2:3;4\n":           ';',
	} {
		if _, res := run(t, strings.NewReader(in), Options{Format: FormatCSV}); res.Delimiter != want {
			t.Errorf("%q: %q separates, want %q", in, res.Delimiter, want)
		}
	}
	for _, opt := range []Options{{NoHeader: true}, {Quote: ':'}} {
		if _, res := run(t, strings.NewReader("A:B\n1:2\n"), opt); res.Delimiter != ',' {
			t.Errorf("%+v: %q separates, want ','", opt, res.Delimiter)
		}
	}
}

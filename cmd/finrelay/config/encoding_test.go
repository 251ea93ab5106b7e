package config

import (
	"slices"
	"strings"
	"testing"

	"finrelay/exporter/convert"
)

// Each name that is offered is one that is taken, here and by the converter, and
// the encoding's own.
func TestEncodingsAreRead(t *testing.T) {
	for i, name := range Encodings() {
		v := validator{c: &Config{}}
		v.encoding("x", name, true)
		if err := (convert.Options{Encoding: name}).Validate(); err != nil || len(v.problems) > 0 || canonicalEncoding(name) != name {
			t.Errorf("%s: %v here, %v there, its own name is %q", name, v.problems, err, canonicalEncoding(name))
		}
		if slices.Contains(encodings[:i], name) {
			t.Errorf("%s is listed twice", name)
		}
	}
	// All code pages of the Encoding Standard, by names that people use.
	for _, alias := range []string{"utf8", "unicode", "latin1", "ascii", "iso-8859-1", "iso-8859-9", "cp1252", "ibm866", "sjis", "gb2312", "euc-kr", "tis-620"} {
		if canonicalEncoding(alias) == "" {
			t.Errorf("%s is an encoding that is not listed", alias)
		}
	}
}

func TestEncodingHint(t *testing.T) {
	for name, want := range map[string]string{
		"windows-125":   "windows-125", // one of them
		"windows1252":   "did you mean windows-1252?",
		"1252":          "did you mean windows-1252?",
		"win-1252":      "did you mean windows-1252?",
		"latin-1":       "did you mean windows-1252?",
		"utf_8":         "did you mean utf-8?",
		"utf16x":        "did you mean utf-16le?",
		"ansi-1250":     "did you mean windows-1250?",
		"utf16":         "utf-16le or utf-16be?",
		"iso8859-15x":   "iso-8859-15",
		"shift-jiss":    "shift_jis",
		"klingon":       "for example utf-8",
		"":              "for example utf-8",
		"437":           "for example utf-8",
		"\u00fcn\u00ef": "for example utf-8",
	} {
		hint := EncodingHint(name)
		if !strings.Contains(hint, want) || !strings.HasSuffix(hint, "finrelay convert --help lists all") {
			t.Errorf("%q: %s, want %q in it", name, hint, want)
		}
	}
}

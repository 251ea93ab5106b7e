package config

import (
	"slices"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// encodings are the names of what files can be read in, each once. The Encoding
// Standard (WHATWG) knows each by more names, and all of them are taken.
var encodings = []string{
	"utf-8", "utf-16le", "utf-16be",
	"windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258", "windows-874",
	"iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8", "iso-8859-8-i", "iso-8859-10",
	"iso-8859-13", "iso-8859-14", "iso-8859-15", "iso-8859-16",
	"ibm866", "koi8-r", "koi8-u", "macintosh", "x-mac-cyrillic",
	"gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr",
}

// Encodings lists the names that read.encoding takes, each encoding once; they
// are known by the other names of the web's Encoding Standard too. The slice is
// the caller's.
func Encodings() []string { return slices.Clone(encodings) }

// KnownEncoding reports whether read.encoding takes a name.
func KnownEncoding(name string) bool { return canonicalEncoding(name) != "" }

// EncodingHint says what may be meant by a name of no encoding, and where all
// names are.
func EncodingHint(name string) string {
	hint := "for example utf-8, utf-16le, windows-1252, iso-8859-15 or shift_jis"
	if near := nearEncodings(name); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return hint + "; finrelay convert --help lists all"
}

// mostNear bounds how many names are offered.
const mostNear = 3

// nearEncodings gives the names that one may be a slip for, or a piece of: 1252,
// utf16 and latin-1 are names that people use.
func nearEncodings(name string) []string {
	if canonical := canonicalEncoding(fold(name)); canonical != "" {
		return []string{canonical}
	}
	if near := encodingsWith(len(name) > 3, func(known string) bool { return strings.HasPrefix(known, fold(name)) }); near != nil {
		return near
	}
	if near := nearest(name, encodings); near != "" {
		return []string{near}
	}
	digits := strings.Trim(fold(name), "abcdefghijklmnopqrstuvwxyz:.")
	return encodingsWith(len(digits) > 1, func(known string) bool { return strings.HasSuffix(known, digits) })
}

// encodingsWith gives the first few names of which something is true, if it is
// worth asking. The names are folded.
func encodingsWith(worth bool, is func(folded string) bool) []string {
	var found []string
	for _, known := range encodings {
		if worth && len(found) < mostNear && is(fold(known)) {
			found = append(found, known)
		}
	}
	return found
}

// canonicalEncoding gives the encoding's own name; "" for what is none, or is
// not read here.
func canonicalEncoding(name string) string {
	enc, err := htmlindex.Get(name)
	if err != nil {
		return ""
	}
	canonical, err := htmlindex.Name(enc)
	if err != nil || !slices.Contains(encodings, canonical) {
		return ""
	}
	return canonical
}

package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a character may be, for messages.
const (
	wantDelimiter = `one character, tab, its code as in U+001F, or auto; no line end`
	wantQuote     = `one character, its code as in U+00FE, or none; no line end`
)

// DelimiterChar gives the character between CSV fields, 0 for auto, and
// whether the setting is one of the two.
func (r *Read) DelimiterChar() (rune, bool) {
	if r.Delimiter == "auto" {
		return 0, true
	}
	return character(r.Delimiter)
}

// QuoteChar gives the character around CSV fields, 0 for none, and whether the
// setting is one of the two.
func (r *Read) QuoteChar() (rune, bool) {
	if r.Quote == "none" {
		return 0, true
	}
	return character(r.Quote)
}

// character reads the spellings of a character: itself, or for those that one
// cannot type or see, tab, \t, \u001f (four digits) and U+001F (four to six).
// Inside YAML's double quotes YAML has made \t and \u001f the characters
// themselves by now, which comes to the same.
func character(s string) (rune, bool) {
	if s == "tab" || s == `\t` {
		return '\t', true
	}
	code, isCode := strings.CutPrefix(s, `\u`)
	most := 4
	if !isCode {
		code, isCode = strings.CutPrefix(strings.ToUpper(s), "U+")
		most = 6
	}
	if isCode {
		n, err := strconv.ParseUint(code, 16, 32)
		return rune(n), err == nil && len(code) >= 4 && len(code) <= most && separates(rune(n))
	}
	c, size := utf8.DecodeRuneInString(s)
	return c, s != "" && size == len(s) && separates(c)
}

// separates says whether the converter can tell c from text and line ends.
func separates(c rune) bool {
	switch c {
	case 0, '\n', '\r', utf8.RuneError, '\ufeff':
		return false
	}
	return utf8.ValidRune(c)
}

package ris

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longestName is what the configuration allows.
const longestName = 64

// name makes a name of the configuration that is not taken: letters, digits,
// _ and -. wide is tried when the short one is taken, then numbers.
func (c *converter) name(kind, short, wide string) string {
	for _, text := range []string{short, wide} {
		if n := plainName(text); n != "" && c.take(kind, n) {
			return n
		}
	}
	stem := firstOf(plainName(short), kind)
	for i := 2; ; i++ {
		tail := "-" + strconv.Itoa(i)
		if n := stem[:min(len(stem), longestName-len(tail))] + tail; c.take(kind, n) {
			return n
		}
	}
}

func (c *converter) take(kind, name string) bool {
	k := kind + " " + strings.ToLower(name)
	if c.taken[k] {
		return false
	}
	c.taken[k] = true
	return true
}

// plainName keeps what a name may hold, takes marks off letters, and puts a
// dash for the rest.
func plainName(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'):
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	n := b.String()
	n = strings.Trim(n[:min(len(n), longestName)], "-_")
	return n
}

// clean keeps text on one line and makes it harmless on a terminal and in a
// comment.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Cf) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// quote writes a value of the configuration. ${ would begin a variable there.
func quote(s string) string {
	return strconv.QuoteToASCII(strings.ReplaceAll(clean(s), "${", "$${"))
}

func quoteAll(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	return strings.Join(quoted, ", ")
}

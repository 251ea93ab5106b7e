package config

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// What may be an address or a connection string is not repeated: a password or
// a signature stands in one in more ways than a parser finds. A value that is
// hidden for nothing costs a look into the file; one that is shown costs a key.

var (
	// scheme begins an address; C:\ is a folder.
	scheme = regexp.MustCompile(`(?i)://|[a-z][a-z0-9+.-]+:[/\\]`)
	// escaped are the characters : / ? = @ # and & as addresses write them.
	escaped = regexp.MustCompile(`(?i)%(3a|2f|3f|3d|40|23|26)`)
	// named is a secret that says what it is.
	named = regexp.MustCompile(`(?i)(pass(word|wd|phrase)?|pwd|secret|token|credential|\bsig(nature)?|(account|access|api|shared)[ _-]?key)["']?\s*:`)
	// namedBefore is one before an equals sign, as connection strings have it.
	namedBefore = regexp.MustCompile(`(?i)(pass(word|wd|phrase)?|pwd|secret|token|credential|\bsig(nature)?|(account|access|api|shared)[ _-]?key)["']?\s*=`)
	// cronWord is cron's own use of @, and of = for a time zone.
	cronWord = regexp.MustCompile(`^((CRON_)?TZ=[A-Za-z]{1,14}([/_][A-Za-z]{1,14}){0,3}([+-][0-9]{1,2})? +)?` +
		`(@([a-z]{1,10}|every [0-9a-zµ. ]{1,12})|([0-9*,/?-]|[A-Z]{3}){1,20}( +([0-9*,/?-]|[A-Z]{3}){1,20}){4,5})$`)
	// pieces are what a secret is made of, with signs that keys and signatures have
	// in them.
	pieces = regexp.MustCompile(`[\p{L}\p{N}_+/.~%!$&*-]+`)
	// version is an entity's: Customers V3, SalesOrderHeaderV2Entity.
	version = regexp.MustCompile(`V[0-9]{1,2}`)
	// before and behind are where addresses and connection strings keep a secret.
	before = regexp.MustCompile(`[^\s"'([{,;|]@[^\s"')\]},;|]|[^\s"'([{,;|]{8,}(@|=+($|[\s"'&;]))`)
	behind = regexp.MustCompile(`[?#=]([^\s"')\]},;|]+)`)
)

// doubtful reports whether text may carry a secret: it is written as an address
// or connection string is, and something in it is no ordinary word. A glob, a
// question or a number of something is none.
func doubtful(text string) bool {
	switch {
	case !hasRoom(text), cronWord.MatchString(text):
		return false
	case looksLikeAddress(text):
		return true
	case !strings.ContainsAny(text, "@=?#"):
		return false
	case namedBefore.MatchString(text), before.MatchString(text):
		return true
	}
	return slices.ContainsFunc(pieces.FindAllString(text, -1), mixed) ||
		slices.ContainsFunc(behind.FindAllStringSubmatch(text, -1), func(m []string) bool { return len([]rune(m[1])) >= longWord })
}

// longWord is from how many characters a word behind ?, # or = is in doubt.
const longWord = 8

// mixed reports whether a piece of text has letters and digits, or a long
// number, as no ordinary word has and most secrets do.
func mixed(piece string) bool {
	letters, digits := 0, 0
	for _, r := range version.ReplaceAllString(piece, "") {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	return digits > 0 && letters+digits >= 6
}

// looksLikeAddress reports signs of an address that no setting has in earnest.
func looksLikeAddress(text string) bool {
	return scheme.MatchString(text) || escaped.MatchString(text) || named.MatchString(text)
}

// hasRoom: a delimiter, or #,##0, has no letters that could be a secret's.
func hasRoom(text string) bool {
	n := 0
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) && r != '0' {
			n++
		}
	}
	return n > 2
}

// In a jq program the four characters are operators: .A == "x", .a?, @text and
// comments. What is none of these is in doubt, unless it is a word.
var (
	jqFormat   = regexp.MustCompile(`(^|[\s|(,;:\[{])("?@(text|json|html|uri|urid|csv|tsv|sh|base64d?|base32d?)\b|"@)`)
	notProgram = regexp.MustCompile(`@|(^|[^\w.$\s)\]])\s*[A-Za-z_]\w*\s*=([^=]|$)|^\s*[A-Za-z_]\w*\s*=|(^|[^.\w])\w*[A-Za-z0-9]=[^=\s]`)
	jqBehind   = regexp.MustCompile(`(?:[^=!<>|+*/%.\s-][?#]|\.\w+=)([\w%]+)`)
)

// doubtfulProgram is doubtful for the text of a jq program.
func doubtfulProgram(text string) bool {
	if !hasRoom(text) {
		return false
	}
	return looksLikeAddress(text) || notProgram.MatchString(jqFormat.ReplaceAllString(text, "$1 ")) ||
		slices.ContainsFunc(jqBehind.FindAllStringSubmatch(text, -1), func(m []string) bool { return mixed(m[1]) || len(m[1]) >= longWord })
}

// inDoubt is doubtful for the text of the setting called field.
func inDoubt(field, text string) bool {
	if strings.HasSuffix(field, ".when") || strings.HasSuffix(field, ".transform") {
		return doubtfulProgram(text)
	}
	return doubtful(text)
}

// shownPath is a path as messages may name it.
func shownPath(path string) string {
	if doubtful(path) {
		return redacted
	}
	return path
}

// shownKey is a key as messages may name it. One with a colon is a key and its
// value without the space between them.
func shownKey(name string) string {
	if doubtful(name) || strings.Contains(name, ":") {
		return redacted
	}
	return name
}

// unsaid is a cause without its text, which may repeat a value that is hidden.
type unsaid struct{ err error }

func (u unsaid) Error() string { return "cannot be read, and what is wrong with it would show it" }
func (u unsaid) Unwrap() error { return u.err }

// hush takes the text from an error about the file that a setting names, when
// the name must not be shown: by now it is cleaned and looks harmless.
func (s *source) hush(field string, err error) error {
	if p, exact := s.at(field); exact && p.line > 0 && p.shown == "" {
		return unsaid{err}
	}
	return err
}

var doubleQuoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// parserMessage is a message of the YAML parser without what it quotes: a
// single character, and a key that is there twice, are no secret.
func parserMessage(message string) string {
	return doubleQuoted.ReplaceAllStringFunc(message, func(q string) string {
		inner := q[1 : len(q)-1]
		if len(inner) <= 2 || strings.HasPrefix(message, "mapping key") && validName(inner) {
			return q
		}
		return `"` + redacted + `"`
	})
}

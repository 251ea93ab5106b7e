package recognise

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// delimiters of tables. A colon separates too, but stands in too many sentences
// to tell a table by a header alone.
const delimiters = ",;\t|:"

const (
	sampleRecords = 20   // records that a table is judged by
	longestName   = 120  // characters in a column's name
	longestPhrase = 4096 // bytes; what is longer is no sentence of a server's
)

// lines tells a table from a sentence. Servers and proxies say what is wrong in
// sentences; a table begins with the names of its columns.
func (t text) lines() Found {
	head := string(t.head)
	if rest, delimiter, ok := sepLine(head); ok && tableBy(rest, delimiter, t.whole) {
		return Found{Is: Export, What: "a table"}
	}
	for _, d := range delimiters {
		if tableBy(head, d, t.whole) {
			return Found{Is: Export, What: "a table"}
		}
	}
	if t.whole && len(head) <= longestPhrase && isSentence(head) {
		return Found{Is: NoExport, What: "a sentence: " + snippet(t.head)}
	}
	return Found{Is: Unknown, What: "a text that is no table with a header: " + snippet(t.head)}
}

// sepLine reads the line that spreadsheets put before a table: sep=;
func sepLine(s string) (rest string, delimiter rune, ok bool) {
	after, found := strings.CutPrefix(s, "sep=")
	if !found {
		return s, 0, false
	}
	delimiter, size := utf8.DecodeRuneInString(after)
	rest = strings.TrimLeft(after[size:], "\r\n")
	return rest, delimiter, size > 0 && len(rest) < len(after)-size
}

// tableBy says whether a text is a table by one delimiter: its first record
// names columns, and the records behind it, if any, have as many fields, at
// least one of them.
func tableBy(s string, delimiter rune, whole bool) bool {
	var fields []string
	agree, differ := 0, 0
	for n := 0; n < sampleRecords && s != ""; n++ {
		record, rest, ended := cutRecord(s, delimiter)
		if !ended && !whole {
			break // the sample ends within it
		}
		s = rest
		switch {
		case n == 0:
			fields = record
		case len(record) == 1 && record[0] == "": // an empty line
		case len(record) == len(fields):
			agree++
		default:
			differ++
		}
	}
	switch {
	case len(fields) < 2 || !namesColumns(fields):
		return false
	case agree == 0 && differ == 0: // a header alone is an export of no rows
		return delimiter != ':' && (len(fields) > 2 || allUpper(fields)) && plainNames(fields)
	case plainNames(fields):
		return agree > 0
	}
	// Names of several words: sentences have commas too, so the rows must fit.
	return agree >= 2 && agree > 2*differ && delimiter != ':'
}

// cutRecord splits off the first record. Delimiters and line ends in double
// quotes are the field's own.
func cutRecord(s string, delimiter rune) (fields []string, rest string, ended bool) {
	start, quoted := 0, false
	for i, c := range s {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == delimiter:
			fields, start = append(fields, unquoted(s[start:i])), i+utf8.RuneLen(c)
		case c == '\n' || c == '\r':
			fields = append(fields, unquoted(s[start:i]))
			if c == '\r' && strings.HasPrefix(s[i+1:], "\n") {
				i++
			}
			return fields, s[i+1:], true
		}
	}
	return append(fields, unquoted(s[start:])), "", false
}

func unquoted(field string) string {
	field = strings.TrimSpace(field)
	if len(field) >= 2 && field[0] == '"' && field[len(field)-1] == '"' {
		return field[1 : len(field)-1]
	}
	return field
}

// namesColumns says whether each field can be the name of a column.
func namesColumns(fields []string) bool {
	for _, f := range fields {
		first, _ := utf8.DecodeRuneInString(f)
		if f == "" || utf8.RuneCountInString(f) > longestName || !unicode.IsLetter(first) && first != '_' && first != '@' && first != utf8.RuneError ||
			strings.ContainsAny(f, "<>{}\n\r") || strings.HasSuffix(f, ".") || strings.HasSuffix(f, "!") {
			return false
		}
	}
	return true
}

// plainName is the name of a staging field: no blanks.
//
// Source: protocol notes, 4.5: columns are staging field names, in upper case.
var plainName = regexp.MustCompile(`^[\pL_@][^\s"']*$`)

func plainNames(fields []string) bool {
	for _, f := range fields {
		if !plainName.MatchString(strings.ToValidUTF8(f, "x")) {
			return false
		}
	}
	return true
}

func allUpper(fields []string) bool {
	for _, f := range fields {
		if f != strings.ToUpper(f) {
			return false
		}
	}
	return true
}

// phrase is some words with a single blank between them. Columns of a fixed
// width have several.
var phrase = regexp.MustCompile(`^\pL[^\s]*( [^\s]+)+$`)

// isSentence says whether a text reads like something that was written for
// people: each of its lines is words, or all of it is one word without even a
// line's end, like OK.
func isSentence(s string) bool {
	if !strings.ContainsAny(s, " \t\r\n") {
		return true
	}
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !phrase.MatchString(line) {
			return false
		}
	}
	return true
}

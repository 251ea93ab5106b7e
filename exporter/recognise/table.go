package recognise

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// delimiters of tables; of oddDelimiters FinOps writes none by itself.
const (
	delimiters    = ",;\t|"
	oddDelimiters = ":^~\x1f"
)

const (
	sampleRecords = 20   // records that a table is judged by
	longestName   = 120  // characters in a column's name
	shortText     = 4096 // bytes of a text that says too little to be data for sure
)

// lines tells a table from a sentence. Servers and proxies say what is wrong in
// sentences; a table begins with the names of its columns.
func (t text) lines() Found {
	s := string(t.head)
	best := Found{Is: NoExport}
	take := func(f Found) {
		if order[f.Is] > order[best.Is] {
			best = f
		}
	}
	if rest, delimiter, ok := sepLine(s); ok {
		take(t.tableBy(rest, delimiter))
	}
	for _, d := range delimiters + oddDelimiters {
		take(t.tableBy(s, d))
	}
	if best.Is != Export {
		take(t.column(s))
	}
	switch {
	case best.Is == Export || best.Is == Unknown:
		return best
	case strings.HasPrefix(s, "HTTP/"):
		return Found{Is: NoExport, What: "an answer of HTTP: " + snippet(t.head)}
	case isSentence(s) && len(strings.Fields(s)) > 0 && strings.Count(strings.TrimSpace(s), "\n") == 0 && best.Is != Unclear:
		return Found{Is: NoExport, What: "a sentence: " + snippet(t.head)}
	case best.Is == Unclear:
		return best
	case isFixedWidth(s):
		return Found{Is: Unknown, What: "lines of one length: " + snippet(t.head)}
	case t.whole && len(s) <= shortText, isCode(s), isSentence(s):
		return Found{Is: Unclear, What: "a text that is no table: " + snippet(t.head)}
	}
	return Found{Is: Unknown, What: "a text that is no table with a header: " + snippet(t.head)}
}

// order is which of several looks at the same text counts.
var order = map[Is]int{Export: 3, Unknown: 2, Unclear: 1}

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

// table is the first records of a text by one delimiter.
type table struct {
	fields        []string // of the first record
	agree, differ int      // records behind it with as many fields, and with others
	prose         bool     // delimiters have blanks behind them, as in a sentence
	ended         bool     // the first record ends with a line
}

func (t text) tableBy(s string, delimiter rune) Found {
	b := readTable(s, delimiter, t.whole)
	odd := strings.ContainsRune(oddDelimiters, delimiter)
	names := lower(b.fields)
	is := NoExport
	switch {
	case len(b.fields) < 2:
	case speaksOfTrouble(names) && b.agree < sampleRecords-2:
		is = Unclear // Error,Message
	case odd:
		if plainNames(b.fields) && b.fits() && !b.prose && (delimiter != ':' || allUpper(b.fields)) {
			is = Unknown
		}
	case b.prose:
		if plainNames(b.fields) && b.agree >= 2 && b.differ == 0 {
			is = Unknown
		}
	case plainNames(b.fields):
		is = b.byPlainNames()
	case labels(b.fields):
		is = b.byLabels()
	case b.agree >= 1 && b.differ == 0 && !isCode(s):
		is = Unknown // no header, or an odd one
	}
	what := "a table"
	if is != Export {
		what = "a table with an odd header: " + snippet(t.head)
	}
	return Found{Is: is, What: what}
}

// fits: there are rows, and they are as wide as the header.
func (b table) fits() bool { return b.agree > 0 && b.agree >= b.differ }

// byPlainNames judges a table whose header names columns as FinOps does.
func (b table) byPlainNames() Is {
	rows := b.agree + b.differ
	switch {
	case b.fits(), rows == 0 && (allUpper(b.fields) || len(b.fields) > 2 || b.ended):
		return Export
	case allUpper(b.fields) && len(b.fields) > 2:
		return Export // all rows of the sample are bad, which is the flow's business
	}
	return Unknown
}

// byLabels judges a table whose header names columns as people do. Sentences
// have commas too, so the rows must fit.
func (b table) byLabels() Is {
	switch {
	case b.agree >= 2 && b.agree > 2*b.differ:
		return Export
	case b.fits(), len(b.fields) > 2 && b.differ == 0:
		return Unknown
	}
	return Unclear
}

func readTable(s string, delimiter rune, whole bool) table {
	var b table
	b.prose = inProse(s, delimiter)
	for n := 0; n < sampleRecords && s != ""; n++ {
		record, rest, ended := cutRecord(s, delimiter)
		if !ended && !whole {
			break // the sample ends within it
		}
		s = rest
		switch {
		case n == 0:
			b.fields, b.ended = record, ended
			if len(record) > 1 && record[len(record)-1] == "" { // a delimiter at the end of each line
				b.fields = record[:len(record)-1]
			}
		case len(record) == 1 && record[0] == "": // an empty line
		case len(record) == len(b.fields), len(record) == len(b.fields)+1 && record[len(record)-1] == "":
			b.agree++
		default:
			b.differ++
		}
	}
	return b
}

// inProse says whether a delimiter has a blank behind it more often than not.
func inProse(s string, delimiter rune) bool {
	s = s[:min(len(s), shortText)]
	d := string(delimiter)
	return !strings.ContainsAny(d, "\t\x1f") && strings.Count(s, d+" ")*2 > strings.Count(s, d)
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

func lower(fields []string) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = strings.ToLower(strings.TrimRight(f, ":.!"))
	}
	return out
}

// plainName is the name of a staging field: no blanks.
//
// Source: protocol notes, 4.5: columns are staging field names, in upper case.
var plainName = regexp.MustCompile(`^[\pL_@#][\pL\pM\pN_@#$&%./\\()\[\]+-]*$`)

func plainNames(fields []string) bool {
	for _, f := range fields {
		if f = strings.ToValidUTF8(f, "x"); utf8.RuneCountInString(f) > longestName || !plainName.MatchString(f) || strings.HasSuffix(f, ".") {
			return false
		}
	}
	return len(fields) > 0
}

// labels says whether each field can be what people call a column.
func labels(fields []string) bool {
	for _, f := range fields {
		first, _ := utf8.DecodeRuneInString(f)
		if f == "" || utf8.RuneCountInString(f) > longestName || !unicode.IsLetter(first) && first != '_' && first != '@' && first != '#' && first != utf8.RuneError ||
			strings.ContainsAny(f, "<>{}=\n\r") || strings.HasSuffix(f, "!") || strings.HasSuffix(f, "?") || strings.Count(f, " ") > 6 {
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

// column judges a table of one column: with a staging field's name and rows it
// has bones, if few. Anything else may be a list of sentences.
func (t text) column(s string) Found {
	first, rest, _ := strings.Cut(strings.ReplaceAll(s, "\r", "\n"), "\n")
	name := []string{unquoted(first)}
	switch {
	case !plainNames(name) || !allUpper(name) || len(first) == len(s):
		return Found{Is: NoExport}
	case strings.TrimSpace(rest) == "" || speaksOfTrouble(lower(name)):
		return Found{Is: Unclear, What: "one word: " + snippet(t.head)}
	}
	return Found{Is: Unknown, What: "a table of one column: " + snippet(t.head)}
}

// isFixedWidth says whether there are lines, all of one length, with columns of
// blanks.
func isFixedWidth(s string) bool {
	n, width := 0, -1
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n")
		length := utf8.RuneCountInString(line)
		if n++; n > sampleRecords {
			break
		}
		if width < 0 {
			width = length
		}
		if length != width || !strings.Contains(line, "  ") {
			return false
		}
	}
	return n > 1 && width > 8
}

package convert

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// What a byte means to the CSV reader.
const (
	plain  = iota // text that JSON takes as it is; must be 0
	escape        // text that JSON wants escaped
	delim         // ends a field
	quote         // opens a field as its first byte, closes it, else is text
	lf            // ends a row
	cr            // ends a row before LF, else is text
	nul           // cannot be in a row
	lead          // may begin a delimiter or a quote outside ASCII: csvShape.mark tells
)

var (
	errNUL         = errors.New("NUL byte")
	errOpenQuote   = errors.New("quote is never closed")
	errEmptyLine   = errors.New("empty line")
	errUndecodable = errors.New("bytes that the encoding does not know")
)

// csvShape is everything that reading a row needs to know about its file. It
// does not change once made, so several goroutines could use one.
type csvShape struct {
	unquoted, quoted [256]uint8 // meaning of a byte outside and inside quotes
	quote, delimiter string     // as UTF-8
	comma            byte       // the delimiter, for fastRow, which knows only those of ASCII
	quoting          bool
	strict           bool // odd fields make a record bad
	// prefix holds for each column what stands before its value: the end of the
	// value before it, and the key. nil reads records of any width as JSON
	// arrays: how headers are read and delimiters are tried.
	prefix [][]byte

	keys    []csvKey // prefix in the form of fastRow; nil when it cannot read such a file
	keyRoom int      // bytes that the longest of keys takes, and a step beyond
}

func newCSVShape(delimiter rune, opt Options) *csvShape {
	s := &csvShape{quote: string(opt.Quote), quoting: !opt.NoQuote, delimiter: string(delimiter), strict: opt.Strict}
	s.comma = s.delimiter[0]
	for c := range 0x20 {
		s.unquoted[c] = escape
	}
	s.unquoted['"'] = escape
	s.unquoted['\\'] = escape
	s.unquoted[0] = nul
	s.quoted = s.unquoted
	s.unquoted['\n'] = lf
	s.unquoted['\r'] = cr
	s.unquoted[s.delimiter[0]] = meaning(s.delimiter, delim)
	if s.quoting {
		s.unquoted[s.quote[0]] = meaning(s.quote, quote)
		s.quoted[s.quote[0]] = meaning(s.quote, quote)
	}
	return s
}

// withColumns gives the shape for rows that have these columns.
func (s *csvShape) withColumns(names []string) *csvShape {
	rows := *s
	rows.prefix = make([][]byte, len(names))
	for i, name := range names {
		p := []byte(`",`)
		if i == 0 {
			p = []byte(`{`)
		}
		p = appendString(p, name)
		rows.prefix[i] = append(p, `:"`...)
	}
	rows.prepareFast()
	return &rows
}

// csvRow is what appendRow found.
type csvRow struct {
	size   int // bytes of the record, line end included
	fields int
	fault  *fault // why the record is no row; nil when it is one
	short  bool   // the record goes on beyond the bytes at hand
	opened int    // where the quote that is open at the end stands; -1 without
	odds   int    // odd fields, if it is a row
	odd    []odd  // the first of them, mostOddities at most
	oddIn  int    // number of the last odd field
}

// appendRow reads the record at the start of in, which is not empty, and
// appends its line. The line is worthless when the row has a fault or is
// short: the caller cuts it off. It touches nothing but its arguments.
//
// odd is memory for csvRow.odd. After a closing quote with text behind it, the
// field goes on as if it had not been quoted.
func (s *csvShape) appendRow(out, in []byte, atEOF bool, odd []odd) ([]byte, csvRow) {
	row := csvRow{opened: -1, odd: odd[:0]}
	i := 0
	for {
		out = s.appendPrefix(out, row.fields)
		row.fields++
		if i < len(in) && (s.unquoted[in[i]] == quote || s.unquoted[in[i]] == lead && s.quoteAt(in, i)) {
			out, i = s.appendQuoted(out, in, i, atEOF, &row)
		}
		var end bool
		out, i, end = s.appendUnquoted(out, in, i, atEOF, &row)
		if row.short {
			return out, row
		}
		if end {
			break
		}
	}
	row.size = i
	if s.prefix == nil {
		out = append(out, '"', ']')
	} else {
		out = append(out, '"', '}', '\n')
	}
	s.check(in, &row)
	return out, row
}

func (s *csvShape) appendPrefix(out []byte, field int) []byte {
	if field < len(s.prefix) {
		return append(out, s.prefix[field]...)
	}
	if field == 0 {
		return append(out, '[', '"')
	}
	return append(out, '"', ',', '"')
}

// check looks at the record as a whole.
func (s *csvShape) check(in []byte, row *csvRow) {
	rec := in[:row.size]
	switch {
	case row.fault != nil:
	case !utf8.Valid(rec):
		row.fail(invalidUTF8(rec), errUndecodable)
	case s.prefix == nil || row.fields == len(s.prefix):
	case lineEndOnly(rec):
		row.fail(0, errEmptyLine)
	default:
		row.fail(0, fmt.Errorf("%d fields, want %d", row.fields, len(s.prefix)))
	}
}

// fail keeps the first fault: later ones often follow from it.
func (r *csvRow) fail(at int, err error) {
	if r.fault == nil {
		r.fault = &fault{at, err}
	}
}

// oddField notes that the field being read is odd, once however odd it is.
func (s *csvShape) oddField(row *csvRow, at int, why error) {
	if s.strict {
		row.fail(at, why)
	}
	if row.oddIn == row.fields {
		return
	}
	row.oddIn = row.fields
	row.odds++
	if len(row.odd) < mostOddities {
		row.odd = append(row.odd, odd{at, why})
	}
}

func lineEndOnly(rec []byte) bool {
	return string(rec) == "\n" || string(rec) == "\r\n"
}

// invalidUTF8 is the offset of the first byte that is not UTF-8.
func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(b)
}

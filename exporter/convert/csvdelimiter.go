package convert

import (
	"bytes"
	"regexp"
)

// delimiters are tried in this order; the first wins a tie.
var delimiters = []rune{',', ';', '\t', '|'}

// colonNames is a header that a colon may separate: names of fields and nothing
// else, since "Time (hh:mm)" is a column.
var colonNames = regexp.MustCompile(`^"?[\pL_][\pL\pN_]*"?(:"?[\pL_][\pL\pN_]*"?)+\r?$`)

// sampleRows is how many records a delimiter is judged by.
const sampleRows = 50

// detectDelimiter reads the first records once with each candidate and takes
// the one under which most of them have as many fields as the first, more than
// one. Delimiters inside quotes do not count, since the real reader reads them.
// Without any such candidate the file has one column and the comma is as good
// as another.
//
// Times and namespaces have colons, so a colon is taken only when no other
// separates, the header is names, and each of the rows at hand, at least one,
// has as many.
func detectDelimiter(sample []byte, atEOF bool, opt Options) rune {
	var possible []rune
	for _, d := range delimiters {
		if !opt.NoQuote && d == opt.Quote {
			continue
		}
		if fields, _, _ := tryDelimiter(d, sample, 1, atEOF, opt); fields > 1 {
			possible = append(possible, d)
		}
	}
	switch len(possible) {
	case 0:
		if separatesByColon(sample, atEOF, opt) {
			return ':'
		}
		return delimiters[0]
	case 1:
		return possible[0]
	}
	best, bestAgree, bestFields := delimiters[0], 0, 1
	for _, d := range possible {
		fields, agree, differ := tryDelimiter(d, sample, sampleRows, atEOF, opt)
		// Every record that differs speaks against: a comma in one text of each
		// address must not beat the semicolon between all of them.
		score := agree - differ
		if bestFields < 2 || score > bestAgree || score == bestAgree && fields > bestFields {
			best, bestAgree, bestFields = d, score, fields
		}
	}
	return best
}

func separatesByColon(sample []byte, atEOF bool, opt Options) bool {
	if opt.NoHeader || !opt.NoQuote && opt.Quote == ':' {
		return false
	}
	header, _, _ := bytes.Cut(sample, newline)
	fields, agree, differ := tryDelimiter(':', sample, sampleRows, atEOF, opt)
	return fields > 1 && agree > 0 && differ == 0 && colonNames.Match(header)
}

// tryDelimiter reads so many records with d.
func tryDelimiter(d rune, sample []byte, records int, atEOF bool, opt Options) (fields, agree, differ int) {
	opt.Strict = false // an inch sign is no sign of another delimiter
	shape := newCSVShape(d, opt)
	var line []byte
	var odd []odd
	for n := 0; n < records && len(sample) > 0; n++ {
		var row csvRow
		line, row = shape.appendRow(line[:0], sample, atEOF, odd)
		odd = row.odd
		switch {
		case n == 0:
			fields = row.fields // of a header longer than the sample, what is seen
		case row.short:
		case row.fault == nil && row.fields == fields && !goesOnAfterQuote(row.odd):
			agree++
		case !lineEndOnly(sample[:row.size]):
			differ++
		}
		if row.short {
			break
		}
		sample = sample[row.size:]
	}
	return fields, agree, differ
}

// goesOnAfterQuote says whether text stands after a closing quote: most often
// that is the delimiter that is not being tried.
func goesOnAfterQuote(odd []odd) bool {
	for _, f := range odd {
		if f.why == errAfterQuote {
			return true
		}
	}
	return false
}

package convert

import (
	"errors"
	"fmt"
)

// Why a field is odd. See the package comment, CSV.
var (
	errStrayQuote = errors.New("quote inside an unquoted field")
	errAfterQuote = errors.New("text after a closing quote")
)

// mostOddities is how many places of odd fields a Result names.
const mostOddities = 20

// Oddity is a CSV field that was kept although its quotes are not as the format
// has them.
type Oddity struct {
	Line, Column int64  // place of the quote, or of the text after it; as in BadRow
	What         string // in words that need no context
}

// ReplacedText says in words how much was replaced; "" when nothing was.
func (r Result) ReplacedText() string {
	if r.Replaced == 0 {
		return ""
	}
	return fmt.Sprintf("%d characters that %s does not know were replaced by U+FFFD", r.Replaced, r.Encoding)
}

// GuessedText says in words that the encoding is a guess; "" when it is none.
// setting is where it can be said what the encoding is: "--encoding".
func (r Result) GuessedText(setting string) string {
	if !r.Guessed {
		return ""
	}
	return fmt.Sprintf("the file is not UTF-8 and was read as %s, which is a guess: if letters are wrong, say its encoding with %s", r.Encoding, setting)
}

// Oddities are what a conversion kept that may not be what its sender meant.
type Oddities struct {
	Count int64    // odd fields
	First []Oddity // the first 20 of them
}

// String says how many there are and where the first is, "" without any.
func (o Oddities) String() string {
	switch {
	case o.Count == 0:
		return ""
	case o.Count == 1:
		return fmt.Sprintf("1 place with stray quotes, at line %d column %d", o.First[0].Line, o.First[0].Column)
	}
	return fmt.Sprintf("%d places with stray quotes, the first at line %d column %d", o.Count, o.First[0].Line, o.First[0].Column)
}

// odd is an odd field within the text at hand.
type odd struct {
	at  int
	why error
}

// note counts the odd fields of text that begins at p and became rows. odds are
// the first of them.
func (o *Oddities) note(p *place, text []byte, count int, odds []odd) {
	o.Count += int64(count)
	for _, f := range odds {
		if len(o.First) == mostOddities {
			return
		}
		line, column := p.after(text[:f.at])
		o.First = append(o.First, Oddity{line, column, f.why.Error()})
	}
}

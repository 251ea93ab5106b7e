package convert

import (
	"fmt"
	"unicode/utf8"
)

// longRecord reports the record that is next, which is longer than may be held,
// by its beginning. Where it ends is for the reader to find.
func (e *emitter) longRecord() error {
	w := e.window
	n := wholeCharacters(w.bytes()[:w.max]) // so that they have their form in the source
	return e.badRow(n, &fault{0, fmt.Errorf("record longer than %d bytes, only as much of it is kept", w.max)})
}

// wholeCharacters is the length of text without a character that its end cuts.
func wholeCharacters(text []byte) int {
	for n := len(text) - 1; n >= 0 && n > len(text)-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			if utf8.FullRune(text[n:]) {
				break
			}
			return n
		}
	}
	return len(text)
}

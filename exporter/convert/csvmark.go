package convert

// A delimiter or a quote outside ASCII is two to four bytes of UTF-8, whatever
// the encoding of the file: text is decoded before it is read as CSV. No other
// character has those bytes within its own, and bytes that are no UTF-8 do not
// either, so comparing bytes is enough.

// cutOff is what csvShape.mark says when only more bytes can tell.
const cutOff = 0xFF

// meaning of the first byte of a delimiter or quote.
func meaning(character string, itself uint8) uint8 {
	if len(character) > 1 {
		return lead
	}
	return itself
}

// mark tells what in begins with, whose first byte is lead: delim or quote, and
// its length, or cutOff, or plain when the byte is text.
func (s *csvShape) mark(in []byte, atEOF bool) (what uint8, size int) {
	more := !atEOF
	switch {
	case hasPrefix(in, s.delimiter):
		return delim, len(s.delimiter)
	case s.quoting && hasPrefix(in, s.quote):
		return quote, len(s.quote)
	case more && endsWithin(in, s.delimiter), more && s.quoting && endsWithin(in, s.quote):
		return cutOff, len(in)
	}
	return plain, 1
}

// quoteAt says whether a quote stands at in[i].
func (s *csvShape) quoteAt(in []byte, i int) bool {
	return s.quoting && i < len(in) && in[i] == s.quote[0] && (len(s.quote) == 1 || hasPrefix(in[i:], s.quote))
}

// endsWithin says whether in is the beginning of the character and no more.
func endsWithin(in []byte, character string) bool {
	return len(in) < len(character) && string(in) == character[:len(in)]
}

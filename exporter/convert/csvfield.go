package convert

// appendUnquoted appends text from i up to the end of its field, and moves
// over that end. end says that the record ends there too.
func (s *csvShape) appendUnquoted(out, in []byte, i int, atEOF bool, row *csvRow) (_ []byte, next int, end bool) {
	class := &s.unquoted
	for run := i; ; {
		for i < len(in) && class[in[i]] == plain {
			i++
		}
		out = append(out, in[run:i]...)
		if i == len(in) {
			row.short = !atEOF
			return out, i, true
		}
		switch class[in[i]] {
		case delim:
			return out, i + 1, false
		case lf:
			return out, i + 1, true
		case cr:
			if i+1 == len(in) && !atEOF {
				row.short = true
				return out, i, true
			}
			if i+1 < len(in) && in[i+1] == '\n' {
				return out, i + 2, true
			}
			out = appendEscape(out, '\r')
		case nul:
			row.fail(i, errNUL)
		case quote:
			s.oddField(row, i, errStrayQuote)
			out = s.appendText(out, in[i])
		default:
			out = s.appendText(out, in[i])
		}
		i++
		run = i
	}
}

// appendQuoted appends the field whose quote stands at i and moves behind its
// closing quote.
func (s *csvShape) appendQuoted(out, in []byte, i int, atEOF bool, row *csvRow) (_ []byte, next int) {
	class := &s.quoted
	open := i
	i++
	for run := i; ; {
		for i < len(in) && class[in[i]] == plain {
			i++
		}
		out = append(out, in[run:i]...)
		if i == len(in) {
			row.opened = open
			if atEOF {
				row.fail(open, errOpenQuote)
			}
			return out, i
		}
		switch class[in[i]] {
		case quote:
			if i+1 == len(in) || in[i+1] != s.quote {
				s.checkClosed(in, i+1, atEOF, row)
				return out, i + 1
			}
			out = s.appendText(out, s.quote)
			i++
		case nul:
			row.fail(i, errNUL)
		default:
			out = appendEscape(out, in[i])
		}
		i++
		run = i
	}
}

// checkClosed notes when a closed field goes on at i.
func (s *csvShape) checkClosed(in []byte, i int, atEOF bool, row *csvRow) {
	if i == len(in) {
		return // the end, or more bytes will tell
	}
	switch s.unquoted[in[i]] {
	case delim, lf:
		return
	case cr:
		if i+1 < len(in) && in[i+1] == '\n' || i+1 == len(in) && !atEOF {
			return
		}
	}
	s.oddField(row, i, errAfterQuote)
}

// appendText appends one byte of text that is not plain: a quote is special to
// CSV even when it is not to JSON.
func (s *csvShape) appendText(out []byte, c byte) []byte {
	if c == s.quote && c != '"' && c != '\\' && c >= 0x20 {
		return append(out, c)
	}
	return appendEscape(out, c)
}

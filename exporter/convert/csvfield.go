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
		what, size := class[in[i]], 1
		if what == lead {
			what, size = s.mark(in[i:], atEOF)
		}
		switch what {
		case delim:
			return out, i + size, false
		case plain:
			out = append(out, in[i])
		case cutOff:
			row.short = true
			return out, i, true
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
			out = s.appendQuote(out)
		default:
			out = appendEscape(out, in[i])
		}
		i += size
		run = i
	}
}

// appendQuoted appends the field whose quote stands at i and moves behind its
// closing quote.
func (s *csvShape) appendQuoted(out, in []byte, i int, atEOF bool, row *csvRow) (_ []byte, next int) {
	class := &s.quoted
	open := i
	i += len(s.quote)
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
		what, size := class[in[i]], 1
		if what == lead {
			what, size = s.mark(in[i:], atEOF)
		}
		switch what {
		case quote:
			i += size
			if !s.quoteAt(in, i) {
				s.checkClosed(in, i, atEOF, row)
				return out, i
			}
			out = s.appendQuote(out)
		case delim, plain:
			out = append(out, in[i:i+size]...)
		case cutOff:
			row.opened = open
			return out, len(in)
		case nul:
			row.fail(i, errNUL)
		default:
			out = appendEscape(out, in[i])
		}
		i += size
		run = i
	}
}

// checkClosed notes when a closed field goes on at i.
func (s *csvShape) checkClosed(in []byte, i int, atEOF bool, row *csvRow) {
	if i == len(in) {
		return // the end, or more bytes will tell
	}
	what := s.unquoted[in[i]]
	if what == lead {
		what, _ = s.mark(in[i:], atEOF)
	}
	switch what {
	case delim, lf, cutOff:
		return
	case cr:
		if i+1 < len(in) && in[i+1] == '\n' || i+1 == len(in) && !atEOF {
			return
		}
	}
	s.oddField(row, i, errAfterQuote)
}

// appendQuote appends a quote that is text: it is special to CSV even when it is
// not to JSON.
func (s *csvShape) appendQuote(out []byte) []byte {
	if c := s.quote[0]; c < 0x20 || c == '"' || c == '\\' {
		return appendEscape(out, c)
	}
	return append(out, s.quote...)
}

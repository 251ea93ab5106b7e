package convert

import "bytes"

// long reports a record longer than MaxRecord as no row and moves over it,
// holding no more than that. A field in quotes has to close within as much:
// beyond it, where the record ends is anybody's guess, and that ends the
// conversion.
func (c *csvReader) long() error {
	if err := c.longRecord(); err != nil {
		return err
	}
	for {
		if ended, err := c.passQuoted(); err != nil || ended {
			return err
		}
		if ended, err := c.passUnquoted(); err != nil || ended {
			return err
		}
	}
}

// passQuoted moves behind the closing quote, if a field in quotes is next. ended
// says that the file ends before one.
func (c *csvReader) passQuoted() (ended bool, err error) {
	w, s := c.window, c.shape
	for s.quoting {
		in := w.bytes()
		if s.quoteAt(in, 0) {
			n, closed := s.quotedLen(in, w.eof)
			switch {
			case n > w.max, n == 0 && len(in) > w.max:
				return false, w.reject(faultf(0, "record longer than %d bytes, and this quote is not closed within as many", w.max))
			case closed:
				w.advance(n)
				return false, nil
			case w.eof:
				w.advance(len(in))
				return true, nil
			}
		} else if w.eof || !endsWithin(in, s.quote) {
			return false, nil
		}
		if err := w.grow(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// quotedLen is the length of the field in quotes that in begins with, up to
// behind its closing quote, 0 without one. closed says that no more bytes can
// turn that into a doubled one.
func (s *csvShape) quotedLen(in []byte, atEOF bool) (n int, closed bool) {
	n = len(s.quote)
	for {
		i := bytes.Index(in[n:], []byte(s.quote))
		if i < 0 {
			return 0, false
		}
		n += i + len(s.quote)
		rest := in[n:]
		if !hasPrefix(rest, s.quote) {
			return n, atEOF || !endsWithin(rest, s.quote)
		}
		n += len(s.quote)
	}
}

// passUnquoted moves behind the delimiter or the line end that ends a field.
// ended says that the record ends there.
func (c *csvReader) passUnquoted() (ended bool, err error) {
	w, s := c.window, c.shape
	for {
		in := w.bytes()
		for i := 0; i < len(in); i++ {
			what, size := s.unquoted[in[i]], 1
			if what == lead {
				what, size = s.mark(in[i:], w.eof)
			}
			switch what {
			case lf:
				w.advance(i + 1)
				return true, nil
			case delim:
				w.advance(i + size)
				return false, nil
			case cutOff:
				in = in[:i] // to be looked at with what follows
			}
		}
		if w.eof {
			w.advance(len(in))
			return true, nil
		}
		w.advance(wholeCharacters(in))
		if err := w.grow(); err != nil {
			return false, err
		}
	}
}

package convert

import "bytes"

// isLines says whether the values that come one after the other are JSON Lines,
// so that what is wrong with a line costs that row and no other. They are when
// the first line is an object and nothing else; or when something is wrong with
// it that no further line can mend, and the next one is an object and nothing
// else. Of an object that is spread over lines the first has no end, and of an
// array that lost its bracket lines begin or end with a comma: there a fault
// refuses the file.
func (j *jsonReader) isLines() (bool, error) {
	end, alone, err := j.firstOf(0)
	if err != nil {
		return false, err
	}
	if alone && j.window.bytes()[0] == '{' {
		next, found, err := j.nonBlank(end)
		return err == nil && !(found && bytes.IndexByte([]byte(",:]}"), j.window.bytes()[next]) >= 0), err
	}
	if end > 0 && !alone {
		// Values one after the other may be without a line end for ever.
		if _, ok, err := j.try(end, false); err != nil || ok {
			return false, err
		}
	}
	n, err := j.lineLen()
	if err != nil || n == 0 || judgeLine(trimLine(j.window.bytes()[:n])).err == errLineShort {
		return false, err
	}
	next, found, err := j.nonBlank(n)
	if err != nil || !found {
		return false, err
	}
	_, alone, err = j.firstOf(next)
	return alone && j.window.bytes()[next] == '{', err
}

// firstOf gives the end of the value at an offset of the window, 0 without one,
// and whether it begins and ends on one line that has nothing behind it.
func (j *jsonReader) firstOf(at int) (end int, alone bool, err error) {
	end, ok, err := j.try(at, false)
	if err != nil || !ok || bytes.IndexByte(j.window.bytes()[at:end], '\n') >= 0 {
		return end, false, err
	}
	alone, err = j.lineEnds(end)
	return end, alone, err
}

// nonBlank gives the offset of the first byte from at on that is not white
// space, as far as a record may reach.
func (j *jsonReader) nonBlank(at int) (next int, found bool, err error) {
	w := j.window
	for {
		in := w.bytes()
		for ; at < len(in) && at <= w.max; at++ {
			if !xmlSpace(in[at]) { // the same four in both languages
				return at, true, nil
			}
		}
		if w.eof || at > w.max {
			return 0, false, nil
		}
		if err := w.more(); err != nil {
			return 0, false, err
		}
	}
}

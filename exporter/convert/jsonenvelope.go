package convert

import "errors"

// isEnvelope says whether the object that is next is no row itself but holds
// the rows: {"value":[{...},{...}]}. It is not when another value follows
// (JSON Lines), and not when its arrays hold anything but objects. An object
// longer than the sample is judged by the members that begin within it.
func (j *jsonReader) isEnvelope() (bool, error) {
	w := j.window
	if err := w.ensure(sampleSize); err != nil {
		return false, err
	}
	in := w.bytes()
	if len(in) > sampleSize {
		in = in[:sampleSize] // the judgement must not depend on block sizes
	}
	arrays, ofObjects, size, err := surveyArrays(in)
	if errors.Is(err, errShort) {
		return arrays > 0 && ofObjects == arrays, nil
	}
	if err != nil {
		return false, nil // reading the rows tells what and where
	}
	follows, err := j.follows(size)
	return !follows && arrays == 1 && ofObjects == 1, err
}

// follows says whether anything but white space stands behind the next n bytes.
func (j *jsonReader) follows(n int) (bool, error) {
	w := j.window
	for {
		if len(skipSpace(w.bytes()[n:])) > 0 {
			return true, nil
		}
		if w.eof {
			return false, nil
		}
		if err := w.more(); err != nil {
			return false, err
		}
	}
}

// surveyArrays counts the members of the object at the start of in that are
// arrays, and those of them that hold objects or nothing.
func surveyArrays(in []byte) (arrays, ofObjects, size int, err error) {
	s := jsonScan{in: in, pos: 1}
	if c, err := s.next(); err != nil || c == '}' {
		return 0, 0, s.pos + 1, err
	}
	for {
		if err := s.key(); err != nil {
			return arrays, ofObjects, 0, err
		}
		if _, err := s.punctuation(':', ':'); err != nil {
			return arrays, ofObjects, 0, err
		}
		c, err := s.next()
		if err != nil {
			return arrays, ofObjects, 0, err
		}
		if c == '[' {
			arrays++
			inner := jsonScan{in: in, pos: s.pos + 1}
			if c, err := inner.next(); err != nil || c == '{' || c == ']' {
				ofObjects++ // or cut off right behind the bracket
			}
		}
		if err := s.value(); err != nil {
			return arrays, ofObjects, 0, err
		}
		if c, err := s.punctuation(',', '}'); err != nil || c == '}' {
			return arrays, ofObjects, s.pos, err
		}
	}
}

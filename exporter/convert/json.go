package convert

import "errors"

var (
	errNoValue   = errors.New("no JSON value")
	errNoObject  = errors.New("not an object")
	errTwoArrays = errors.New("object holds more than one array: which one holds the rows is unknown")
	errBesides   = errors.New("member beside the rows that belongs to none of them and would be lost: send the array alone, or the member in each row")
	errAfterDoc  = errors.New("content after the end of the document")
)

type jsonReader struct {
	*emitter
	columns columnSet
	decoded map[string]bool // columns.names as text, since a key has several spellings
	names   []string
	s       jsonScan
}

func readJSON(w *window, out *emitter) error {
	out.res.Format = FormatJSON
	j := &jsonReader{emitter: out, decoded: make(map[string]bool)}
	err := j.document()
	out.res.Columns = j.names
	return err
}

func (j *jsonReader) document() error {
	first, err := j.peek()
	if err != nil {
		return err
	}
	switch first {
	case 0:
		return j.window.reject(&fault{0, errNoValue})
	case '[':
		if err := j.array(); err != nil {
			return err
		}
		return j.end()
	case '{':
		envelope, err := j.isEnvelope()
		if err != nil {
			return err
		}
		if envelope {
			return j.envelope()
		}
	}
	return j.values()
}

// array reads the elements of the array whose bracket is next.
func (j *jsonReader) array() error {
	j.window.advance(1)
	if c, err := j.peek(); err != nil {
		return err
	} else if c == ']' {
		j.window.advance(1)
		return nil
	}
	for {
		if err := j.element(); err != nil {
			return err
		}
		c, err := j.punctuation(",]")
		if err != nil || c == ']' {
			return err
		}
		if _, err := j.peek(); err != nil {
			return err
		}
	}
}

// envelope reads an object around the array of rows. A member that isEnvelope
// could not see, as it lies behind the sample, ends it: the rows before it went
// out without it, and it must not vanish.
func (j *jsonReader) envelope() error {
	j.window.advance(1)
	found := false
	for {
		about, err := j.memberKey()
		if err != nil {
			return err
		}
		c, err := j.peek()
		switch {
		case err != nil:
			return err
		case about:
			err = j.skip((*jsonScan).value)
		case c == '[' && found:
			return j.window.reject(&fault{0, errTwoArrays})
		case c == '[':
			found = true
			err = j.array()
		case c == 0:
			_, err = j.scan((*jsonScan).value) // says that the document is cut off
		default:
			return j.window.reject(&fault{0, errBesides})
		}
		if err != nil {
			return err
		}
		if c, err = j.punctuation(",}"); err != nil {
			return err
		}
		if c == '}' {
			return j.end()
		}
	}
}

// memberKey moves over a key and its colon and says whether it is metadata.
func (j *jsonReader) memberKey() (about bool, err error) {
	if _, err := j.peek(); err != nil {
		return false, err
	}
	err = j.skip(func(s *jsonScan) error {
		err := s.key()
		about = err == nil && isMetadata(s.in[:s.pos])
		return err
	})
	if err != nil {
		return false, err
	}
	_, err = j.punctuation(":")
	return about, err
}

// end makes sure that nothing follows.
func (j *jsonReader) end() error {
	c, err := j.peek()
	if err == nil && c != 0 {
		return j.window.reject(&fault{0, errAfterDoc})
	}
	return err
}

package convert

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// xmlScan reads pieces of markup from the bytes at hand. A piece that does not
// end there gives errShort, and the caller tries again with more.
type xmlScan struct {
	in    []byte
	pos   int
	atEOF bool

	children *xmlChildren   // known of the row; nil: nothing
	full     bool           // no more of them are learned
	attrs    int            // attributes of the last row
	usual    bool           // the last row's keys are known and in order
	null     bool           // the last start tag says that its element has no value
	fresh    bool           // the last row holds a record that was not met before
	strings  []*xmlChildren // arrays of strings in the last row, though declared
	fields   []xmlField     // of all elements that are open, innermost last
	vals     []byte         // their values as JSON
	text     []byte         // character data of the elements that are open
	slots    []int32        // see linkMany
}

// xmlField is one key of an element and where its value stands in vals.
type xmlField struct {
	name     []byte
	attr     bool // of a nested element: the key gets an @
	next     int  // index of the next field of the same name; 0: none
	repeat   bool // an earlier field of that name writes it
	list     bool // stands in an array, also alone; an empty value then means an empty array
	from, to int
}

var (
	errTag       = errors.New("malformed tag")
	errAttr      = errors.New("malformed attribute")
	errSameAttr  = errors.New("attribute appears twice")
	errComment   = errors.New("comment holds --")
	errPI        = errors.New("malformed processing instruction")
	errCDATA     = errors.New("]]> in text")
	errReference = errors.New("malformed character or entity reference")
	errTooDeep   = errors.New("elements nested too deep")
)

// maxDepth bounds nesting. Composite entities nest a handful of levels.
const maxDepth = 100

func (s *xmlScan) reset(in []byte, atEOF bool) {
	s.in, s.pos, s.atEOF = in, 0, atEOF
}

// has says whether literal is next, without moving.
func (s *xmlScan) has(literal string) (bool, error) {
	rest := s.in[s.pos:]
	if len(rest) >= len(literal) {
		return string(rest[:len(literal)]) == literal, nil
	}
	if string(rest) == literal[:len(rest)] && !s.atEOF {
		return false, errShort
	}
	return false, nil
}

// find gives the offset of literal at or after pos.
func (s *xmlScan) find(literal string) (int, error) {
	i := bytes.Index(s.in[s.pos:], []byte(literal))
	if i < 0 {
		return 0, errShort
	}
	return s.pos + i, nil
}

func (s *xmlScan) space() {
	for s.pos < len(s.in) && xmlSpace(s.in[s.pos]) {
		s.pos++
	}
}

// name reads a name as written, prefix and all.
func (s *xmlScan) name() ([]byte, error) {
	from := s.pos
	for s.pos < len(s.in) {
		if c := s.in[s.pos]; c < utf8.RuneSelf {
			if !asciiName[c] {
				break
			}
			s.pos++
			continue
		}
		if !utf8.FullRune(s.in[s.pos:]) && !s.atEOF {
			return nil, errShort
		}
		r, size := utf8.DecodeRune(s.in[s.pos:])
		if !nameRune(r) || r == utf8.RuneError && size == 1 {
			break
		}
		s.pos += size
	}
	if s.pos == len(s.in) {
		return nil, errShort
	}
	name := s.in[from:s.pos]
	first, _ := utf8.DecodeRune(name)
	if len(name) == 0 || !nameStart(first) {
		return nil, &fault{from, errTag}
	}
	return name, nil
}

// commentOrPI passes over one of them, if it is next.
func (s *xmlScan) commentOrPI() (bool, error) {
	if ok, err := s.has("<!--"); err != nil || ok {
		if err != nil {
			return false, err
		}
		from := s.pos
		s.pos += 4
		end, err := s.find("--")
		if err != nil {
			return false, err
		}
		if end+2 == len(s.in) {
			return false, errShort
		}
		if s.in[end+2] != '>' {
			return false, &fault{end, errComment}
		}
		s.pos = end + 3
		return true, controls(s.in[from:s.pos], from)
	}
	if ok, err := s.has("<?"); err != nil || !ok {
		return false, err
	}
	from := s.pos
	s.pos += 2
	target, err := s.name()
	if err != nil {
		return false, err
	}
	if bytes.EqualFold(target, []byte("xml")) {
		return false, &fault{from, errXMLDecl}
	}
	begin := s.pos
	end, err := s.find("?>")
	if err != nil {
		return false, err
	}
	if end > begin && !xmlSpace(s.in[begin]) {
		return false, &fault{begin, errPI}
	}
	s.pos = end + 2
	return true, controls(s.in[from:s.pos], from)
}

// controls refuses control characters in what no text scan sees.
func controls(b []byte, at int) error {
	for i, c := range b {
		if c < 0x20 && !xmlSpace(c) {
			return &fault{at + i, errXMLChar}
		}
	}
	return nil
}

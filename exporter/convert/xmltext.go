package convert

import (
	"bytes"
	"unicode/utf8"
)

// xmlSpecial marks the bytes that text cannot just take over.
var xmlSpecial = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = c != '\t' && c != '\n'
	}
	for _, c := range []byte(`<&]`) {
		t[c] = true
	}
	return t
}()

// chars appends character data to s.text, references resolved, up to the byte
// end: '<' for the text of an element, the quote for an attribute's value. It
// stops at end.
func (s *xmlScan) chars(end byte) error {
	inAttr := end != '<'
	for run := s.pos; ; {
		for s.pos < len(s.in) {
			c := s.in[s.pos]
			if xmlSpecial[c] || inAttr && (c == end || c <= ' ') {
				break
			}
			s.pos++
		}
		s.text = append(s.text, s.in[run:s.pos]...)
		if s.pos == len(s.in) {
			return errShort
		}
		c := s.in[s.pos]
		if c == end {
			return nil
		}
		if err := s.special(c, inAttr); err != nil {
			return err
		}
		run = s.pos
	}
}

// special appends what stands for the byte c, which text cannot take over.
func (s *xmlScan) special(c byte, inAttr bool) error {
	switch c {
	case '&':
		return s.reference()
	case '<':
		return &fault{s.pos, errAttr}
	case ']':
		if ok, err := s.has("]]>"); err != nil {
			return err
		} else if ok && !inAttr {
			return &fault{s.pos, errCDATA}
		}
	case '\r':
		// XML 1.0, 2.11: CR LF and a lone CR both mean LF.
		if s.pos+1 == len(s.in) {
			return errShort
		}
		if c = '\n'; s.in[s.pos+1] == '\n' {
			s.pos++
		}
	case '\t', '\n', ' ':
	default:
		return &fault{s.pos, errXMLChar}
	}
	if inAttr && c != ']' {
		c = ' ' // XML 1.0, 3.3.3: white space in attribute values
	}
	s.text = append(s.text, c)
	s.pos++
	return nil
}

var xmlEntities = map[string]byte{"lt": '<', "gt": '>', "amp": '&', "quot": '"', "apos": '\''}

// maxReference is longer than any reference with a sane number of zeros.
const maxReference = 64

// reference appends the character that &...; at pos stands for.
func (s *xmlScan) reference() error {
	rest := s.in[s.pos+1:]
	n := bytes.IndexByte(rest[:min(len(rest), maxReference)], ';')
	if n < 0 {
		if len(rest) < maxReference && !s.atEOF {
			return errShort
		}
		return &fault{s.pos, errReference}
	}
	body := rest[:n]
	if len(body) > 0 && body[0] == '#' {
		r, ok := charReference(body[1:])
		if !ok {
			return &fault{s.pos, errReference}
		}
		s.text = utf8.AppendRune(s.text, r)
	} else if c, ok := xmlEntities[string(body)]; ok {
		s.text = append(s.text, c)
	} else {
		return faultf(s.pos, "%w: &%s;", errReference, body)
	}
	s.pos += n + 2
	return nil
}

func charReference(digits []byte) (rune, bool) {
	base := rune(10)
	if len(digits) > 0 && digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	var r rune
	for _, c := range digits {
		d := rune(bytes.IndexByte([]byte(hexDigits), c|0x20))
		if c >= '0' && c <= '9' {
			d = rune(c - '0')
		}
		if d < 0 || d >= base || c < '0' {
			return 0, false
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, len(digits) > 0 && xmlRune(r)
}

// cdata appends the content of the section at pos, if one is there.
func (s *xmlScan) cdata() (bool, error) {
	if ok, err := s.has("<![CDATA["); err != nil || !ok {
		return false, err
	}
	s.pos += len("<![CDATA[")
	end, err := s.find("]]>")
	if err != nil {
		return false, err
	}
	section := s.in[s.pos:end]
	if err := controls(section, s.pos); err != nil {
		return false, err
	}
	for {
		line, rest, cut := bytes.Cut(section, []byte{'\r'})
		s.text = append(s.text, line...)
		if !cut {
			break
		}
		s.text = append(s.text, '\n')
		section = bytes.TrimPrefix(rest, newline)
	}
	s.pos = end + 3
	return true, nil
}

func xmlSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// xmlRune is XML 1.0's Char.
func xmlRune(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// nameStart is XML 1.0's NameStartChar.
func nameStart(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ':' || r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	}
	return r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7 || r >= 0x370 && r <= 0x1FFF && r != 0x37E ||
		r == 0x200C || r == 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF ||
		r >= 0x3001 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD ||
		r >= 0x10000 && r <= 0xEFFFF
}

// nameRune is XML 1.0's NameChar.
func nameRune(r rune) bool {
	return nameStart(r) || r == '-' || r == '.' || r >= '0' && r <= '9' || r == 0xB7 ||
		r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

var asciiName = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = nameRune(rune(c))
	}
	return t
}()

package convert

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

var xmlDecl = regexp.MustCompile(`^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*("1\.[0-9]+"|'1\.[0-9]+')` +
	`([ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*("[A-Za-z][A-Za-z0-9._-]*"|'[A-Za-z][A-Za-z0-9._-]*'))?` +
	`([ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*("(yes|no)"|'(yes|no)'))?[ \t\r\n]*\?>`)

func (x *xmlReader) declaration() error {
	s := &x.scan
	if ok, err := s.has("<?xml"); !ok || err != nil {
		return err
	}
	if len(s.in) == 5 {
		return errShort
	}
	if !xmlSpace(s.in[5]) {
		return nil // <?xml-stylesheet ...?>
	}
	end, err := s.find("?>")
	if err != nil {
		return err
	}
	parts := xmlDecl.FindSubmatchIndex(s.in[:end+2])
	if parts == nil {
		return &fault{0, errXMLDecl}
	}
	s.pos = end + 2
	if from, to := parts[6]+1, parts[7]-1; from > 0 && !x.encodingSaid {
		return x.checkDeclared(from, string(s.in[from:to]))
	}
	return nil
}

// checkDeclared refuses a declaration, whose encoding stands at at, that
// contradicts a byte order mark or the bytes themselves. One of the two is
// wrong, and to guess which would change values. XML 1.0, 4.3.3: what is said
// from outside, in Options.Encoding, is stronger than the declaration.
func (x *xmlReader) checkDeclared(at int, name string) error {
	declared, _, err := lookupEncoding(name)
	if err != nil {
		return &fault{at, err}
	}
	actual := x.window.in.decoding().name
	// UTF-16 alone leaves the order of bytes to the mark.
	if actual == nameUTF16BE && declared == nameUTF16LE && !strings.EqualFold(name, nameUTF16LE) {
		declared = nameUTF16BE
	}
	if declared != actual {
		return faultf(at, "declaration says %s, but the document is %s; if the declaration is wrong, say the encoding in the configuration", name, actual)
	}
	return nil
}

// misc passes over white space, comments and processing instructions; text
// there is the fault given. Each step is one piece, so that no amount of them
// has to be held at once.
func (x *xmlReader) misc(text error) error {
	for more := true; more; {
		err := x.step(func(x *xmlReader) error {
			s := &x.scan
			more = false
			for s.pos < min(len(s.in), x.window.max) && xmlSpace(s.in[s.pos]) {
				s.pos++
			}
			if s.pos > 0 {
				more = true
				return nil
			}
			if s.pos == len(s.in) {
				if s.atEOF {
					return nil
				}
				return errShort
			}
			if s.in[s.pos] != '<' {
				return &fault{s.pos, text}
			}
			var err error
			more, err = s.commentOrPI()
			if err == nil && !more && bytes.HasPrefix(s.in[s.pos:], []byte("<![CDATA[")) {
				return &fault{s.pos, text}
			}
			return err
		})
		if err != nil {
			return err
		}
		if x.lookedFar() {
			more = true // what comes next is what stands before the first row
		}
	}
	return nil
}

// checkChars refuses what is not UTF-8 and the two characters that UTF-8 knows
// and XML does not. Control characters are found where text is read.
func checkChars(b []byte) error {
	if !utf8.Valid(b) {
		return &fault{invalidUTF8(b), errUndecodable}
	}
	for _, no := range []string{"\uFFFE", "\uFFFF"} {
		if i := bytes.Index(b, []byte(no)); i >= 0 {
			return &fault{i, errXMLChar}
		}
	}
	return nil
}

package convert

import "bytes"

// startTag reads <name attributes> or <name attributes/>. depth 0 is the root,
// whose attributes are checked and dropped; 1 is a row.
func (s *xmlScan) startTag(depth int) (name []byte, empty bool, err error) {
	if ok, err := s.has("<!DOCTYPE"); err != nil {
		return nil, false, err
	} else if ok {
		return nil, false, &fault{s.pos, errDoctype}
	}
	s.pos++ // the <, seen by the caller
	if name, err = s.name(); err != nil {
		return nil, false, err
	}
	base := len(s.fields)
	for {
		from := s.pos
		s.space()
		if s.pos == len(s.in) {
			return nil, false, errShort
		}
		switch s.in[s.pos] {
		case '>':
			s.pos++
			return name, false, s.finishAttrs(base, depth)
		case '/':
			if s.pos+1 == len(s.in) {
				return nil, false, errShort
			}
			if s.in[s.pos+1] != '>' {
				return nil, false, &fault{s.pos, errTag}
			}
			s.pos += 2
			return name, true, s.finishAttrs(base, depth)
		}
		if s.pos == from {
			return nil, false, &fault{s.pos, errTag}
		}
		if err := s.attribute(depth); err != nil {
			return nil, false, err
		}
	}
}

// attribute reads name="value" and keeps it as a field.
func (s *xmlScan) attribute(depth int) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	s.space()
	if s.pos == len(s.in) {
		return errShort
	}
	if s.in[s.pos] != '=' {
		return &fault{s.pos, errAttr}
	}
	s.pos++
	s.space()
	if s.pos == len(s.in) {
		return errShort
	}
	end := s.in[s.pos]
	if end != '"' && end != '\'' {
		return &fault{s.pos, errAttr}
	}
	s.pos++
	base := len(s.text)
	if err := s.chars(end); err != nil {
		return err
	}
	s.pos++
	s.keep(xmlField{name: name, attr: depth > 1}, s.text[base:])
	s.text = s.text[:base]
	return nil
}

// keep adds a field with a value of text.
func (s *xmlScan) keep(f xmlField, value []byte) {
	f.from = len(s.vals)
	s.vals = appendString(s.vals, value)
	f.to = len(s.vals)
	s.fields = append(s.fields, f)
}

// finishAttrs refuses a name that stands twice and drops namespace
// declarations, which are no data, and what says that there is no value.
func (s *xmlScan) finishAttrs(base, depth int) error {
	s.null = false
	if s.link(base) {
		return &fault{s.pos - 1, errSameAttr}
	}
	kept := s.fields[:base]
	for _, f := range s.fields[base:] {
		if depth == 0 || string(f.name) == "xmlns" || bytes.HasPrefix(f.name, []byte("xmlns:")) {
			continue
		}
		if depth > 1 && saysNull(f.name) {
			value := string(s.vals[f.from:f.to])
			s.null = value == `"true"` || value == `"1"`
			continue
		}
		kept = append(kept, f)
	}
	s.fields = kept
	return nil
}

// saysNull knows the attribute by which an element says that it has no value,
// under the prefixes that everybody uses: what prefixes are bound to is not
// looked at.
//
// Source: XML Schema part 1, 2.6.2 xsi:nil. i: is the prefix of .NET's
// DataContractSerializer.
func saysNull(name []byte) bool { return string(name) == "xsi:nil" || string(name) == "i:nil" }

func (s *xmlScan) endTag(want []byte) error {
	from := s.pos
	s.pos += 2
	name, err := s.name()
	if err != nil {
		return err
	}
	s.space()
	if s.pos == len(s.in) {
		return errShort
	}
	if s.in[s.pos] != '>' {
		return &fault{s.pos, errTag}
	}
	if !bytes.Equal(name, want) {
		return faultf(from, "end tag </%s> where </%s> must stand", name, want)
	}
	s.pos++
	return nil
}

package convert

import "bytes"

// row reads one row element into fields and gives its name. columns are those
// of the rows before it.
func (s *xmlScan) row(columns *columnSet) ([]byte, error) {
	s.fields, s.vals, s.text = s.fields[:0], s.vals[:0], s.text[:0]
	s.fresh, s.strings = false, s.strings[:0]
	name, empty, err := s.startTag(1)
	if err != nil {
		return nil, err
	}
	s.attrs = len(s.fields)
	if !empty {
		if err := s.content(name, 1, s.children); err != nil {
			return nil, err
		}
		s.keepText(0)
	}
	s.complete(0, s.children)
	if s.usual = s.inOrderOf(columns.names); !s.usual {
		s.link(0)
	}
	return name, nil
}

// inOrderOf says whether the row's keys are some of names and in their order,
// as in nearly every row. Such keys are known and cannot repeat.
func (s *xmlScan) inOrderOf(names []string) bool {
	at := 0
	for i := range s.fields {
		for at < len(names) && names[at] != string(s.fields[i].name) {
			at++
		}
		if at == len(names) {
			return false
		}
		at++
	}
	return true
}

// addColumns tells columns the keys of the row.
func (s *xmlScan) addColumns(columns *columnSet) error {
	if s.usual {
		return nil
	}
	columns.startRow()
	for i := range s.fields {
		if err := columns.add(s.fields[i].name); err != nil {
			return &fault{0, err}
		}
	}
	return nil
}

// content reads up to and over the end tag of the element name; of says what is
// known of it.
func (s *xmlScan) content(name []byte, depth int, of *xmlChildren) error {
	for {
		if err := s.chars('<'); err != nil {
			return err
		}
		if s.pos+1 < len(s.in) {
			if c := s.in[s.pos+1]; c == '/' {
				return s.endTag(name)
			} else if c != '!' && c != '?' {
				if err := s.child(depth+1, of); err != nil {
					return err
				}
				continue
			}
		} else {
			return errShort
		}
		if ok, err := s.cdata(); err != nil {
			return err
		} else if ok {
			continue
		}
		if ok, err := s.commentOrPI(); err != nil {
			return err
		} else if !ok {
			return &fault{s.pos, errTag}
		}
	}
}

// child reads one element into a field of the element around it. What its own
// fields took in the three stacks is given back when it ends. With fields of its
// own it is a record, and records always stand in an array: whether there will be
// a second one is not known when the first goes out.
func (s *xmlScan) child(depth int, parent *xmlChildren) error {
	if depth > maxDepth {
		return &fault{s.pos, errTooDeep}
	}
	fields, vals, text := len(s.fields), len(s.vals), len(s.text)
	name, empty, err := s.startTag(depth)
	if err != nil {
		return err
	}
	null := s.null
	c := parent.child(name)
	if !empty {
		if err := s.content(name, depth, c); err != nil {
			return err
		}
	}
	null = null && len(s.text) == text
	record := len(s.fields) > fields || c.always()
	if record && null && len(s.fields) == fields {
		return nil // no record: an array of records needs no null
	}
	s.fresh = s.fresh || record && s.unknown(c)
	f := xmlField{name: name, from: vals, list: record || c != nil}
	if !record {
		// What stands there are namespace declarations, which are no data.
		s.vals = s.vals[:vals]
		if null {
			s.vals = append(s.vals, "null"...)
		} else {
			s.vals = appendString(s.vals, s.text[text:])
		}
	} else {
		s.keepText(text)
		s.complete(fields, c)
		s.link(fields)
		object := len(s.vals)
		s.vals = s.appendObject(s.vals, fields)
		s.vals = s.vals[:vals+copy(s.vals[vals:], s.vals[object:])]
	}
	f.to = len(s.vals)
	s.fields = append(s.fields[:fields], f)
	s.text = s.text[:text]
	return nil
}

// keepText adds the text from base on as a field, unless it is only the white
// space that lays the children out.
func (s *xmlScan) keepText(base int) {
	value := s.text[base:]
	if len(bytes.Trim(value, " \t\r\n")) == 0 {
		return
	}
	s.keep(xmlField{name: textKey}, value)
}

// textKey is no XML name, so nothing else has this key.
var textKey = []byte("#text")

// appendObject appends the fields from base on; lists and names that repeat as
// arrays.
func (s *xmlScan) appendObject(out []byte, base int) []byte {
	out = append(out, '{')
	first := true
	for _, f := range s.fields[base:] {
		if f.repeat {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(out, '"')
		if f.attr {
			out = append(out, '@')
		}
		out = append(out, f.name...)
		out = append(out, '"', ':')
		if f.next == 0 && !f.list {
			out = append(out, s.vals[f.from:f.to]...)
			continue
		}
		out = append(out, '[')
		out = append(out, s.vals[f.from:f.to]...)
		for i := f.next; i != 0; i = s.fields[i].next {
			out = append(out, ',')
			out = append(out, s.vals[s.fields[i].from:s.fields[i].to]...)
		}
		out = append(out, ']')
	}
	return append(out, '}')
}

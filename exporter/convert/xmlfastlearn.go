package convert

import "slices"

// learn remembers the row that s just read, beside those before it: fields may
// be absent, so a row that has others adds them where they stand. A row in
// another order begins anew.
func (f *xmlFast) learn(row []byte, s *xmlScan) {
	if !f.tried {
		return
	}
	if f.open == "" {
		f.open = "<" + string(row)
		f.close = "</" + string(row) + ">"
		if s.children != nil {
			for _, c := range s.children.below {
				f.tail += `,"` + string(c.name) + `":[]`
			}
		}
	}
	if !f.merge(s) {
		f.keys = f.keys[:0]
		f.off = !f.merge(s)
	}
	f.longest = len(f.close)
	for i := range f.keys {
		k := &f.keys[i]
		f.longest = max(f.longest, len(k.open))
		switch k.then = ""; {
		case i+1 == len(f.keys) || f.keys[i+1].attr != k.attr:
		case k.attr:
			k.then = `" ` + f.keys[i+1].open
		default:
			k.then = k.close + f.keys[i+1].open
		}
	}
}

// merge adds the fields of text that s read to the keys, and says whether their
// order agrees.
func (f *xmlFast) merge(s *xmlScan) bool {
	next := 0
	for i := range s.fields {
		field := &s.fields[i]
		if field.list || field.repeat || field.next != 0 || field.name[0] == '#' {
			continue
		}
		attr := i < s.attrs
		at := next
		if at == len(f.keys) || f.keys[at].name != string(field.name) {
			at = slices.IndexFunc(f.keys, func(k xmlKey) bool { return k.name == string(field.name) })
		}
		switch {
		case at >= next && f.keys[at].attr == attr:
			next = at + 1
		case at >= 0 || len(f.keys) == fastKeys:
			return false
		default:
			f.keys = slices.Insert(f.keys, next, newXMLKey(string(field.name), attr))
			next++
		}
	}
	return true
}

func newXMLKey(name string, attr bool) xmlKey {
	k := xmlKey{name: name, attr: attr, open: "<" + name, close: "</" + name + ">", json: `,"` + name + `":"`}
	if attr {
		k.open = name + `="`
	}
	copy(k.start[:], k.json)
	return k
}

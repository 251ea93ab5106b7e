package convert

import (
	"bytes"
	"slices"
)

// learn remembers what the row looks like, beside those before it, if it was
// tried in vain. xmlScan has read it, so it is well-formed.
func (f *xmlFast) learn(row []byte, children *xmlChildren) {
	if !f.tried || f.off {
		return
	}
	s := &f.scan
	s.reset(row, true)
	f.shape = f.learnElement(f.shape, nil, children, 1)
	if f.off = f.total > fastKeys; f.off {
		f.shape = nil
	}
}

// learnElement reads the element at f.scan.pos and gives its shape, sh if that
// is known. An element of text has none.
func (f *xmlFast) learnElement(sh, parent *xmlShape, of *xmlChildren, depth int) *xmlShape {
	s := &f.scan
	s.fields, s.vals, s.text = s.fields[:0], s.vals[:0], s.text[:0]
	name, empty, err := s.startTag(depth)
	if err != nil {
		return sh
	}
	if sh == nil && (depth == 1 || len(s.fields) > 0) {
		sh = f.newShape(string(name), parent, of)
	}
	next := 0
	for i := range s.fields {
		// A declared one of a row is an array of strings, as an element would be.
		if depth > 1 || of.child(s.fields[i].name) == nil {
			f.learnKey(sh, &next, s.fields[i].name, true, depth)
		}
	}
	for !empty {
		child, more := f.nextChild()
		if !more {
			break
		}
		if sh == nil {
			sh = f.newShape(string(name), parent, of)
		}
		f.learnChild(sh, &next, child, of, depth)
	}
	if sh != nil && sh.changed {
		sh.connect()
	}
	return sh
}

// nextChild moves to the next child element and gives its name, or over the
// end tag.
func (f *xmlFast) nextChild() ([]byte, bool) {
	s := &f.scan
	for {
		s.text = s.text[:0]
		if s.chars('<') != nil {
			return nil, false
		}
		switch s.in[s.pos+1] {
		case '/':
			s.pos += bytes.IndexByte(s.in[s.pos:], '>') + 1
			return nil, false
		case '!', '?':
			ok, err := s.cdata()
			if err == nil && !ok {
				_, err = s.commentOrPI()
			}
			if err != nil {
				return nil, false
			}
			continue
		}
		from := s.pos
		s.pos++
		name, err := s.name()
		s.pos = from
		return name, err == nil
	}
}

// learnChild reads a child of an element of shape sh. A child of text that is
// declared is an array of strings: not for here, as a key would say otherwise.
func (f *xmlFast) learnChild(sh *xmlShape, next *int, name []byte, of *xmlChildren, depth int) {
	declared := of.child(name)
	i := slices.IndexFunc(sh.keys, func(k xmlKey) bool { return k.name == string(name) && !k.attr })
	var record *xmlShape
	if i >= 0 {
		record = sh.keys[i].record
	} else if declared.always() {
		record = f.newShape(string(name), sh, declared)
	}
	record = f.learnElement(record, sh, declared, depth+1)
	if declared != nil && record == nil {
		return
	}
	i = f.learnKey(sh, next, name, false, depth)
	if key := &sh.keys[i]; key.record != record {
		key.record = record
		key.spell(depth)
		sh.changed = true
	}
	if declared != nil {
		sh.keys[i].declared = 1 << slices.Index(of.below, declared)
	}
}

// learnKey puts a key where it stands in this element: what was learned before
// moves when it is in another order. It gives the key's index.
func (f *xmlFast) learnKey(sh *xmlShape, next *int, name []byte, attr bool, depth int) int {
	is := func(k xmlKey) bool { return k.name == string(name) && (k.attr == attr || depth == 1) }
	if i := *next; i > 0 && !attr && is(sh.keys[i-1]) && !sh.keys[i-1].attr {
		return i - 1 // again
	}
	i := slices.IndexFunc(sh.keys, is)
	if i >= *next && sh.keys[i].attr == attr {
		*next = i + 1
		return i
	}
	key := xmlKey{name: string(name), attr: attr}
	if i >= 0 {
		if sh.keys[i].attr == attr {
			key = sh.keys[i]
		}
		sh.keys = slices.Delete(sh.keys, i, i+1)
		if i < *next {
			*next--
		}
	}
	key.spell(depth)
	sh.keys = slices.Insert(sh.keys, *next, key)
	sh.changed = true
	f.total++ // what moves counts again: such a file is none for here
	*next++
	return *next - 1
}

func (f *xmlFast) newShape(name string, parent *xmlShape, of *xmlChildren) *xmlShape {
	sh := &xmlShape{open: "<" + name, close: "</" + name + ">", changed: true, always: of.always()}
	if parent != nil {
		sh.tail = parent.tail
	}
	if of != nil {
		if len(of.below) > 64 {
			f.total += fastKeys // more than a key's bits
		}
		for _, c := range of.below {
			sh.absent = append(sh.absent, `,"`+string(c.name)+`":[]`)
			sh.tail += len(c.name) + len(`,"":[]`)
		}
	}
	return sh
}

// spell makes the texts of a key of an element at that depth.
func (k *xmlKey) spell(depth int) {
	k.open, k.close, k.json = "<"+k.name, "</"+k.name+">", `,"`+k.name+`":"`
	switch {
	case k.record != nil:
		k.json = `,"` + k.name + `":[`
	case k.attr:
		k.open = k.name + `="`
		if depth > 1 {
			k.json = `,"@` + k.name + `":"`
		}
	}
	copy(k.start[:], k.json)
}

// connect makes what depends on the neighbours of keys.
func (sh *xmlShape) connect() {
	sh.changed = false
	sh.longest = len(sh.close)
	for i := range sh.keys {
		k := &sh.keys[i]
		sh.longest = max(sh.longest, len(k.open))
		k.then = ""
		if i+1 == len(sh.keys) || k.record != nil {
			continue
		}
		switch next := &sh.keys[i+1]; {
		case next.attr != k.attr || next.record != nil:
		case k.attr:
			k.then = `" ` + next.open
		default:
			k.then = k.close + next.open
		}
	}
}

package convert

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// xmlChildren is what is known of an element, declared or learned: the names
// below it that are arrays in each row, whatever the row holds. nil is an element
// of which nothing is known.
type xmlChildren struct {
	name  []byte
	path  string
	below []*xmlChildren

	record  bool  // an object wherever it stands, also when it is empty
	met     int64 // the first row with such an object, from 1; 0: none so far
	given   bool  // by Options.Records
	strings bool  // rows have it as an array of strings
}

// knownChildren makes the tree of Options.Children and Options.Records; its root
// is the row. A path declares each element on its way.
func knownChildren(children, records []string) *xmlChildren {
	row := &xmlChildren{record: true, met: 1}
	for _, path := range children {
		row.declare(path)
	}
	for _, path := range records {
		c := row.declare(path)
		c.record, c.given = true, true
	}
	return row
}

func (c *xmlChildren) declare(path string) *xmlChildren {
	for name := range strings.SplitSeq(path, "/") {
		c.record = true
		next := c.child([]byte(name))
		if next == nil {
			next = c.add([]byte(name))
		}
		c = next
	}
	return c
}

func (c *xmlChildren) add(name []byte) *xmlChildren {
	below := &xmlChildren{name: bytes.Clone(name), path: c.pathOf(name)}
	c.below = append(c.below, below)
	return below
}

func (c *xmlChildren) pathOf(name []byte) string {
	if c.path == "" {
		return string(name)
	}
	return c.path + "/" + string(name)
}

func (c *xmlChildren) child(name []byte) *xmlChildren {
	if c == nil {
		return nil
	}
	for _, below := range c.below {
		if bytes.Equal(below.name, name) {
			return below
		}
	}
	return nil
}

// always says whether the element is a record even when it is empty.
func (c *xmlChildren) always() bool { return c != nil && c.record }

// complete makes arrays of the fields from base on that are known to be some, and
// adds an empty one for each that is not there.
func (s *xmlScan) complete(base int, c *xmlChildren) {
	if c == nil {
		return
	}
	for _, below := range c.below {
		is := func(f xmlField) bool { return !f.attr && bytes.Equal(f.name, below.name) }
		if i := slices.IndexFunc(s.fields[base:], is); i >= 0 {
			s.makeList(base+i, below)
			continue
		}
		s.fields = append(s.fields, xmlField{name: below.name, list: true, from: len(s.vals), to: len(s.vals)})
	}
}

// makeList makes an array of the ith field, the first of its name.
func (s *xmlScan) makeList(i int, c *xmlChildren) {
	f := s.fields[i]
	switch {
	case !c.record:
		s.strings = append(s.strings, c)
	case !f.list: // a row's attribute has the name of a record
		s.fresh = s.fresh || s.unknown(c)
		base := len(s.fields)
		s.fields = append(s.fields, xmlField{name: textKey, from: f.from, to: f.to})
		s.complete(base, c)
		from := len(s.vals)
		s.vals = s.appendObject(s.vals, base)
		s.fields = s.fields[:base]
		s.fields[i].from, s.fields[i].to = from, len(s.vals)
	}
	s.fields[i].list = true
}

// validateChild checks one path of Options.Children.
func validateChild(path string) error {
	for name := range strings.SplitSeq(path, "/") {
		first, _ := utf8.DecodeRuneInString(name)
		if name == "" || !utf8.ValidString(name) || !nameStart(first) || strings.ContainsFunc(name, func(r rune) bool { return !nameRune(r) }) {
			return fmt.Errorf("child %q: want the name of an XML element, or a path of names as in LINE/CHARGE", path)
		}
	}
	return nil
}

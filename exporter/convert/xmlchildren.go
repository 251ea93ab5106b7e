package convert

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// xmlChildren is what was declared of an element: the names below it that are
// arrays in each row, whatever the row holds. nil is an element of which
// nothing was declared.
type xmlChildren struct {
	name  []byte
	below []*xmlChildren
}

// declareChildren makes the tree of Options.Children; its root is the row. A
// path declares each element on its way.
func declareChildren(paths []string) *xmlChildren {
	if len(paths) == 0 {
		return nil
	}
	row := &xmlChildren{}
	for _, path := range paths {
		at := row
		for name := range strings.SplitSeq(path, "/") {
			next := at.child([]byte(name))
			if next == nil {
				next = &xmlChildren{name: []byte(name)}
				at.below = append(at.below, next)
			}
			at = next
		}
	}
	return row
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

// parent says whether the element is a record even when it is empty.
func (c *xmlChildren) parent() bool { return c != nil && len(c.below) > 0 }

// declared makes arrays of the fields from base on that are declared, and adds
// an empty one for each that is not there.
func (s *xmlScan) declared(base int, c *xmlChildren) {
	if c == nil {
		return
	}
	for _, below := range c.below {
		is := func(f xmlField) bool { return !f.attr && bytes.Equal(f.name, below.name) }
		if i := slices.IndexFunc(s.fields[base:], is); i >= 0 {
			s.fields[base+i].list = true
			continue
		}
		s.fields = append(s.fields, xmlField{name: below.name, list: true, from: len(s.vals), to: len(s.vals)})
	}
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

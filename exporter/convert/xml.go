package convert

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Why a document is refused. Each stands at the place of the fault.
var (
	errDoctype     = errors.New("document type declarations are refused")
	errNoRoot      = errors.New("no root element")
	errAfterRoot   = errors.New("content after the root element")
	errBetweenRows = errors.New("text between rows")
	errXMLDecl     = errors.New("XML declaration is malformed or not at the very start")
	errXMLChar     = errors.New("character that XML does not allow")
)

// xmlReader walks through the document level; xmlScan reads what is inside,
// and xmlFast most rows before it.
type xmlReader struct {
	*emitter
	scan    xmlScan
	fast    xmlFast
	columns columnSet
	rowName []byte
	// encodingSaid: the encoding was given, so the declaration is not asked.
	encodingSaid bool
	root         []byte
	first        place // of the rows
}

func readXML(w *window, out *emitter, format Format, opt Options) error {
	x := &xmlReader{emitter: out, encodingSaid: opt.Encoding != ""}
	x.scan.children = knownChildren(opt.Children, opt.Records)
	out.res.Records = slices.Clone(opt.Records)
	x.fast.off = !readFast
	out.res.Format = format
	err := x.document()
	out.res.Columns = x.columns.names
	return err
}

func (x *xmlReader) document() error {
	if err := x.step((*xmlReader).declaration); err != nil {
		return err
	}
	if err := x.misc(errNoRoot); err != nil {
		return err
	}
	var empty bool
	err := x.step(func(x *xmlReader) (err error) {
		s := &x.scan
		s.fields = s.fields[:0]
		if len(s.in) == 0 && s.atEOF {
			return &fault{s.pos, errNoRoot}
		}
		var name []byte
		name, empty, err = s.startTag(0)
		x.root = bytes.Clone(name)
		return err
	})
	if err != nil {
		return err
	}
	x.keepRows()
	for done := empty; !done; {
		if err := x.fastRows(); err != nil {
			return err
		}
		if err := x.misc(errBetweenRows); err != nil {
			return err
		}
		if err := x.rowOrEnd(&done); err != nil {
			return err
		}
	}
	if err := x.misc(errAfterRoot); err != nil {
		return err
	}
	if len(x.window.bytes()) > 0 {
		return x.window.reject(&fault{0, errAfterRoot})
	}
	return nil
}

// step runs one piece of reading over the window, again with more bytes when
// they do not suffice, and moves over what it read.
func (x *xmlReader) step(read func(*xmlReader) error) error {
	w := x.window
	for {
		x.scan.reset(w.bytes(), w.eof)
		err := read(x)
		switch {
		case err == nil && x.scan.pos > w.max:
			return w.tooLong(0)
		case err == nil:
			if err := checkChars(x.scan.in[:x.scan.pos]); err != nil {
				return w.reject(err)
			}
			w.advance(x.scan.pos)
			return nil
		case !errors.Is(err, errShort):
			return w.reject(err)
		case w.eof:
			return w.reject(faultf(len(w.bytes()), "document %w", errShort))
		}
		if err := w.more(); err != nil {
			return err
		}
	}
}

// rowOrEnd reads one row element, or the end tag of the root.
func (x *xmlReader) rowOrEnd(done *bool) error {
	if x.lookedFar() {
		return nil
	}
	var bad, late bool
	err := x.step(func(x *xmlReader) error {
		s := &x.scan
		if len(s.in) == 0 {
			return errShort
		}
		if ok, err := s.has("</"); err != nil {
			return err
		} else if ok {
			late = x.late()
			*done = !late
			return s.endTag(x.root)
		}
		name, err := s.row(&x.columns)
		if err != nil {
			return err
		}
		if s.pos > x.window.max {
			return nil // step refuses it
		}
		if x.rowName == nil {
			x.rowName = bytes.Clone(name)
			x.sawFormat()
		}
		if bad = !bytes.Equal(name, x.rowName); bad {
			if late = x.late(); late {
				return nil
			}
			return x.otherName(name)
		}
		if s.fresh && x.learnRecords(s.in[:s.pos]) {
			// Records before the first of a kind were read without it.
			s.pos = 0
			if _, err := s.row(&x.columns); err != nil {
				return err
			}
		}
		return s.addColumns(&x.columns)
	})
	if err == nil && late {
		x.readRowsAgain()
		return nil
	}
	if err != nil || *done || bad {
		return err
	}
	for _, c := range x.scan.strings {
		c.strings = true
	}
	// The names still point into the window: step moved on without moving bytes.
	x.out = append(x.scan.appendObject(x.out, 0), '\n')
	x.fast.learn(x.scan.in[:x.scan.pos], x.scan.children)
	return x.row()
}

// otherName reports the element that was just read as no row.
func (x *xmlReader) otherName(name []byte) error {
	n := x.scan.pos
	if err := checkChars(x.scan.in[:n]); err != nil {
		return err
	}
	return x.badRow(n, &fault{0, fmt.Errorf("element %s among rows named %s", name, x.rowName)})
}

// sawFormat settles the form by the first row. Records below it are elements
// in either form.
func (x *xmlReader) sawFormat() {
	x.res.Format = FormatXMLElement
	elements := x.scan.fields[x.scan.attrs:]
	if x.scan.attrs > 0 && !slices.ContainsFunc(elements, func(f xmlField) bool { return !f.list }) {
		x.res.Format = FormatXMLAttribute
	}
}

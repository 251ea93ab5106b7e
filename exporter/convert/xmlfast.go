package convert

import (
	"slices"
)

// Rows of one file look alike: the same elements or attributes in the same
// order, some left out. xmlFast remembers what they looked like and reads a row
// by comparing its markup with that, byte for byte. It knows only well-formed
// rows of text. Whatever else it meets, a fault included, it leaves the row to
// xmlScan, which reads it again from its beginning; so it decides nothing that
// xmlScan would decide otherwise.
type xmlFast struct {
	keys    []xmlKey
	open    string // "<ROW"
	close   string // "</ROW>"
	tail    string // declared children, absent: `,"LINE":[]`
	longest int    // of the keys' markup
	scan    xmlScan

	off   bool // too many fields
	tried bool // the row that xmlScan reads next was tried here
	wait  int  // rows to leave to xmlScan before the next try
	fails int  // the wait after the next try that fails
	rows  int  // read here; tests ask
}

// xmlKey is a field as it stands in XML and in JSON.
type xmlKey struct {
	name  string
	attr  bool
	open  string // `NAME="` or "<NAME"
	close string // "</NAME>"
	then  string // from the value's end into the next field: `" NEXT="` or "</NAME><NEXT"; may be empty
	json  string // `,"NAME":"`
	start [32]byte
}

// put writes the key at out[o:]. A copy of a fixed size is a few instructions
// where one of any size is a call.
func (k *xmlKey) put(out []byte, o int) int {
	*(*[len(k.start)]byte)(out[o:]) = k.start
	if len(k.json) > len(k.start) {
		copy(out[o+len(k.start):], k.json[len(k.start):])
	}
	return o + len(k.json)
}

// readFast is a variable so that tests can compare with xmlScan alone.
var readFast = true

type xmlFound uint8

const (
	otherRow xmlFound = iota // not a row as those before
	shortRow                 // the bytes end before the row
	likeRow
)

const (
	// fastRow is the longest row read here, in bytes; it bounds what is kept
	// free behind the output.
	fastRow = 32 << 10
	// fastKeys is how many fields a row may have.
	fastKeys = 1 << 10
	// fastWait is the longest wait, in rows, of a file whose rows are not alike.
	fastWait = 255
)

// fastRows reads the rows at the start of the window for as long as they look
// like those before.
func (x *xmlReader) fastRows() error {
	f := &x.fast
	f.tried = len(f.keys) == 0 && !f.off
	if f.wait > 0 || f.tried || f.off {
		f.wait = max(f.wait-1, 0)
		return nil
	}
	f.tried = true
	for w := x.window; ; {
		found, err := x.fastBlock()
		if err != nil {
			return err
		}
		if found == otherRow || w.eof {
			f.wait = f.fails
			f.fails = min(2*f.fails+1, fastWait)
			return nil
		}
		if err := w.more(); err != nil {
			return err
		}
	}
}

// fastBlock reads rows from the bytes at hand and says why it stopped.
func (x *xmlReader) fastBlock() (xmlFound, error) {
	w, f := x.window, &x.fast
	in := w.bytes()
	limit := min(fastRow, w.max)
	for pos := 0; ; {
		for pos < len(in) && xmlSpace(in[pos]) {
			pos++
		}
		ahead := in[pos:min(len(in), pos+limit)]
		// A byte of XML becomes at most two of JSON. Room for a whole block is
		// made at once: it then stays.
		room := 2*len(ahead) + len(f.tail) + 64
		x.out = slices.Grow(x.out, max(room, blockSize+room-len(x.out)))
		line, n, found := f.row(x.out[len(x.out):cap(x.out)], ahead)
		if found != likeRow {
			w.advance(pos)
			if len(ahead) == limit {
				found = otherRow
			}
			return found, nil
		}
		f.fails = 0
		f.rows++
		pos += n
		x.out = x.out[:len(x.out)+line]
		if err := x.row(); err != nil {
			return found, err
		}
	}
}

// row reads the row at the start of in. It fills out, which is large enough,
// with the row's line, and gives the lengths of both.
func (f *xmlFast) row(out, in []byte) (line, size int, found xmlFound) {
	if len(in) < len(f.open) {
		return 0, 0, shortRow
	}
	if string(in[:len(f.open)]) != f.open {
		return 0, 0, otherRow
	}
	p, o, next := len(f.open), 0, 0
	for p < len(in) && in[p] == ' ' {
		p++
		k := f.find(in[p:], next, true)
		if k < 0 {
			return 0, 0, f.lost(in[p:])
		}
		p += len(f.keys[k].open)
		for more := true; more; k++ {
			key := &f.keys[k]
			o = key.put(out, o)
			o, p, found = f.value(out, in, o, p, '"')
			if found != likeRow {
				return 0, 0, found
			}
			if more = hasPrefix(in[p:], key.then); more {
				p += len(key.then)
			}
		}
		next = k
		p++
	}
	if p+2 > len(in) {
		return 0, 0, shortRow
	}
	if in[p] == '/' && in[p+1] == '>' {
		return f.end(out, o), p + 2, likeRow
	}
	if in[p] != '>' {
		return 0, 0, otherRow
	}
	o, p, found = f.elements(out, in, o, p+1, next)
	if found != likeRow {
		return 0, 0, found
	}
	return f.end(out, o), p, likeRow
}

// elements reads the content of a row from in[p:], up to and over its end tag.
func (f *xmlFast) elements(out, in []byte, o, p, next int) (int, int, xmlFound) {
	for {
		for p < len(in) && xmlSpace(in[p]) {
			p++
		}
		k := f.find(in[p:], next, false)
		if k < 0 {
			if hasPrefix(in[p:], f.close) {
				return o, p + len(f.close), likeRow
			}
			return o, p, f.lost(in[p:])
		}
		p += len(f.keys[k].open)
		for more := true; more; k++ {
			key := &f.keys[k]
			o = key.put(out, o)
			if in[p] == '/' {
				out[o] = '"'
				o++
				if p += 2; p > len(in) {
					return o, p, shortRow
				}
				if in[p-1] != '>' {
					return o, p, otherRow
				}
				more = false
				continue
			}
			var found xmlFound
			o, p, found = f.value(out, in, o, p+1, '<')
			if found != likeRow {
				return o, p, found
			}
			if more = hasPrefix(in[p:], key.then) && tagEnds(in[p+len(key.then):]); more {
				p += len(key.then)
				continue
			}
			if len(in)-p < len(key.close) {
				return o, p, shortRow
			}
			if !hasPrefix(in[p:], key.close) {
				return o, p, otherRow
			}
			p += len(key.close)
		}
		next = k
	}
}

// hasPrefix is bytes.HasPrefix for a string, which is not empty.
func hasPrefix(in []byte, s string) bool {
	return len(in) >= len(s) && string(in[:len(s)]) == s && s != ""
}

// tagEnds says whether what was read before in is a whole tag, or name.
func tagEnds(in []byte) bool {
	return len(in) > 0 && (in[0] == '>' || in[0] == '/')
}

// find gives the index of the key whose markup is at the start of in, from
// next on, or -1.
func (f *xmlFast) find(in []byte, next int, attr bool) int {
	for i := next; i < len(f.keys); i++ {
		key := &f.keys[i]
		if hasPrefix(in, key.open) && key.attr == attr && (attr || tagEnds(in[len(key.open):])) {
			return i
		}
	}
	return -1
}

// lost says why no key is at the start of in.
func (f *xmlFast) lost(in []byte) xmlFound {
	if len(in) <= f.longest {
		return shortRow
	}
	return otherRow
}

// end finishes the line of which o bytes are there.
func (f *xmlFast) end(out []byte, o int) int {
	o += copy(out[o:], f.tail)
	out[0] = '{' // where a comma stands, if anything does
	o = max(o, 1)
	out[o], out[o+1] = '}', '\n'
	return o + 2
}

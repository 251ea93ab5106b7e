package convert

import "slices"

// Rows of one file look alike: the same elements or attributes in the same
// order, some left out. xmlFast remembers what they looked like and reads a row
// by comparing its markup with that, byte for byte. It knows only well-formed
// rows of text and of records of text. Whatever else it meets, a fault
// included, it leaves the row to xmlScan, which reads it again from its
// beginning; so it decides nothing that xmlScan would decide otherwise.
type xmlFast struct {
	shape *xmlShape // of a row; nil: none seen yet
	scan  xmlScan

	off   bool // too many fields
	tried bool // the row that xmlScan reads next was tried here
	wait  int  // rows to leave to xmlScan before the next try
	fails int  // the wait after the next try that fails
	total int  // keys of all shapes
	rows  int  // read here; tests ask
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
	// fastKeys is how many fields a row may have, those of its records counted.
	fastKeys = 1 << 10
	// fastWait is the longest wait, in rows, of a file whose rows are not alike.
	fastWait = 255
	// fastSlack is written beyond a field at most, and what ends a row.
	fastSlack = 64
)

// fastRows reads the rows at the start of the window for as long as they look
// like those before.
func (x *xmlReader) fastRows() error {
	f := &x.fast
	f.tried = f.shape == nil && !f.off
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
		if x.lookedFar() {
			return nil
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
		// Room for a whole block is made at once: it then stays.
		room := f.shape.room(len(ahead))
		x.out = slices.Grow(x.out, max(room, blockSize+room-len(x.out)))
		line, n, found := f.row(x.out[len(x.out):len(x.out)+room], ahead)
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
		if x.trail != nil { // it wants each row alone
			w.advance(pos - n)
			w.advance(n)
			in, pos = w.bytes(), 0
		}
		if err := x.row(); err != nil {
			return found, err
		}
	}
}

// row reads the row at the start of in. It fills out, which is large enough,
// with the row's line, and gives the lengths of both.
func (f *xmlFast) row(out, in []byte) (line, size int, found xmlFound) {
	open := f.shape.open
	if len(in) < len(open) {
		return 0, 0, shortRow
	}
	if !hasPrefix(in, open) {
		return 0, 0, otherRow
	}
	line, size, found = f.element(f.shape, out, in, 0, len(open))
	if found != likeRow {
		return 0, 0, found
	}
	out[line] = '\n'
	return line + 1, size, likeRow
}

// element reads an element of which in[:p] ends with the name. It writes the
// object from out[o] on. Where its first comma would be is the brace.
func (f *xmlFast) element(sh *xmlShape, out, in []byte, o, p int) (int, int, xmlFound) {
	begin, next := o, 0
	for p < len(in) && in[p] == ' ' {
		p++
		k := sh.find(in[p:], next, true)
		if k < 0 {
			return o, p, sh.lost(in[p:])
		}
		p += len(sh.keys[k].open)
		for more := true; more; k++ {
			key := &sh.keys[k]
			o = key.put(out, o)
			var found xmlFound
			o, p, found = f.value(out, in, o, p, '"')
			if found != likeRow {
				return o, p, found
			}
			if more = hasPrefix(in[p:], key.then); more {
				p += len(key.then)
			}
		}
		next = k
		p++
	}
	if p+2 > len(in) {
		return o, p, shortRow
	}
	if in[p] == '/' && in[p+1] == '>' {
		return sh.end(out, begin, o, 0), p + 2, likeRow
	}
	if in[p] != '>' {
		return o, p, otherRow
	}
	return f.content(sh, out, in, begin, o, p+1, next)
}

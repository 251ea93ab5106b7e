package convert

// xmlShape is what the elements of one name, rows or records in a row, looked
// like so far.
type xmlShape struct {
	open    string // "<ROW"
	close   string // "</ROW>"
	keys    []xmlKey
	absent  []string // for each declared child: `,"NAME":[]`
	longest int      // of the markup looked for
	changed bool     // since the keys were connected
	always  bool     // a record also when it is empty
	tail    int      // bytes of absent, together with those of the elements around
}

// xmlKey is a field as it stands in XML and in JSON.
type xmlKey struct {
	name     string
	attr     bool
	record   *xmlShape // nil for text
	declared uint64    // its bit among the declared children
	open     string    // `NAME="` or "<NAME"
	close    string    // "</NAME>"
	then     string    // from the end of a text into the next: `" NEXT="` or "</NAME><NEXT"; may be empty
	json     string    // `,"NAME":"`, or with a bracket
	start    [32]byte  // of json
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

// room is how many bytes n bytes of such elements may become: a byte of XML at
// most two of JSON, and what they end with that is not in the XML.
func (sh *xmlShape) room(n int) int { return 2*n + sh.tail + fastSlack }

// find gives the index of the key whose markup is at the start of in, from
// next on, or -1.
func (sh *xmlShape) find(in []byte, next int, attr bool) int {
	for i := next; i < len(sh.keys); i++ {
		key := &sh.keys[i]
		if hasPrefix(in, key.open) && key.attr == attr && (attr || tagEnds(in[len(key.open):], key.record != nil)) {
			return i
		}
	}
	return -1
}

// lost says why no key is at the start of in.
func (sh *xmlShape) lost(in []byte) xmlFound {
	if len(in) <= sh.longest {
		return shortRow
	}
	return otherRow
}

// end finishes the object in out[begin:o]; seen are the declared children in it.
func (sh *xmlShape) end(out []byte, begin, o int, seen uint64) int {
	for i, absent := range sh.absent {
		if seen&(1<<i) == 0 {
			o += copy(out[o:], absent)
		}
	}
	out[begin] = '{'
	o = max(o, begin+1)
	out[o] = '}'
	return o + 1
}

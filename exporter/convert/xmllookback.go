package convert

// lookBack is how much of the rows, in bytes, is looked through for records before
// the first row goes out. If some rows lack a record that comes later within it,
// they are read again, once; what is not even then is for the caller to repeat. It
// costs others nothing: a block of rows takes about as much. A variable for tests.
var lookBack = 64 << 10

// keepRows keeps the rows that come now, as bytes and as lines.
func (x *xmlReader) keepRows() {
	x.held = true
	x.window.mark, x.first = x.window.start, x.window.place
}

// late says whether the rows kept are to be read again.
func (x *xmlReader) late() bool { return x.held && x.res.Uneven }

// lookedFar ends the time in which rows are kept, if they are enough now, and
// says whether reading begins with the first again.
func (x *xmlReader) lookedFar() bool {
	if !x.held || x.window.start-x.window.mark <= lookBack {
		return false
	}
	if x.late() {
		x.readRowsAgain()
		return true
	}
	x.letGo()
	return false
}

// readRowsAgain goes back to the first row, with all records known that were
// learned since.
func (x *xmlReader) readRowsAgain() {
	w := x.window
	w.start = w.mark
	w.line, w.before = x.first.line, x.first.before
	x.letGo()
	x.out, x.rows, x.res.Uneven = x.out[:0], 0, false
	x.columns = columnSet{}
	x.fast = xmlFast{off: !readFast, scan: x.fast.scan}
	x.scan.children.forget()
	x.scan.children.met = 1
}

// forget makes what was learned something that was known from the beginning.
func (c *xmlChildren) forget() {
	c.given, c.met, c.strings = c.given || c.met > 0, 0, false
	for _, below := range c.below {
		below.forget()
	}
}

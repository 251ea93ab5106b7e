package convert

// What one document can make us remember of records; rows of all of them hold as
// many empty arrays, so little of it is a lot. Composite entities of FinOps have
// some dozen.
const (
	maxRecords    = 256
	maxRecordText = 32 << 10 // bytes of their paths
)

// unknown says whether a record, of which c is known, was not met before.
func (s *xmlScan) unknown(c *xmlChildren) bool {
	return c == nil && !s.full || c != nil && c.met == 0
}

// learnRecords learns the records of the row that xmlScan has just read, which
// is well-formed, and says whether it would be read otherwise now.
func (x *xmlReader) learnRecords(row []byte) bool {
	l := recordLearner{x: x, scan: xmlFast{scan: x.fast.scan}, row: x.res.Rows + int64(x.rows) + 1}
	l.scan.scan.reset(row, true)
	l.element(nil, 1)
	if l.changed {
		// Shapes know what their elements lack, so they are learned anew.
		x.fast = xmlFast{off: !readFast, tried: true, rows: x.fast.rows}
	}
	x.fast.scan = l.scan.scan // its memory
	return l.changed
}

type recordLearner struct {
	x       *xmlReader
	scan    xmlFast // to walk with
	row     int64   // its number
	changed bool
}

// element walks over an element that stands in parent, which is nil when that is
// the root, or beyond what is learned.
func (l *recordLearner) element(parent *xmlChildren, depth int) {
	s := &l.scan.scan
	s.fields, s.vals, s.text = s.fields[:0], s.vals[:0], s.text[:0]
	name, empty, err := s.startTag(depth)
	if err != nil {
		return
	}
	c := l.x.scan.children
	record := depth == 1 // which is met
	if record {
		l.attributes(c)
	} else {
		c = parent.child(name)
	}
	meet := func() {
		if !record {
			c, record = l.meet(parent, c, name), true
		}
	}
	if len(s.fields) > 0 || c.always() {
		meet()
	}
	for !empty {
		if _, more := l.scan.nextChild(); !more {
			return
		}
		meet()
		l.element(c, depth+1)
	}
}

// attributes notes those of the row that have the name of a record.
func (l *recordLearner) attributes(row *xmlChildren) {
	for _, f := range l.scan.scan.fields {
		if c := row.child(f.name); c.always() {
			l.meet(row, c, f.name)
		}
	}
}

// meet notes a record and gives what is known of it now: nil when it is one too
// many.
func (l *recordLearner) meet(parent, c *xmlChildren, name []byte) *xmlChildren {
	res := l.x.res
	if c == nil {
		if parent == nil || !l.room(parent.pathOf(name)) {
			res.MoreRecords = true
			return nil
		}
		c = parent.add(name)
		res.Uneven = res.Uneven || parent.met < l.row
	}
	if !c.record {
		c.record, l.changed = true, true
		res.Uneven = res.Uneven || c.strings
	}
	if c.met == 0 {
		c.met = l.row
		if !c.given {
			res.Records = append(res.Records, c.path)
		}
	}
	return c
}

// room says whether one more path can be learned.
func (l *recordLearner) room(path string) bool {
	s, known := &l.x.scan, l.x.res.Records
	size := len(path)
	for _, other := range known {
		size += len(other)
	}
	s.full = s.full || len(known) >= maxRecords || size > maxRecordText
	return !s.full
}

package convert

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// node is an element as encoding/xml reads it.
type node struct {
	name  string
	attrs [][2]string
	kids  []*node
	text  string
}

func (n *node) record() bool { return len(n.attrs)+len(n.kids) > 0 }

// readNodes gives the elements below the root.
func readNodes(doc []byte) ([]*node, error) {
	name := func(n xml.Name) string { return strings.TrimPrefix(n.Space+":"+n.Local, ":") }
	dec := xml.NewDecoder(bytes.NewReader(doc))
	open := []*node{{}}
	for {
		tok, err := dec.RawToken()
		if err == io.EOF && len(open[0].kids) > 0 {
			return open[0].kids[0].kids, nil
		} else if err != nil {
			return nil, err
		}
		at := open[len(open)-1]
		switch tok := tok.(type) {
		case xml.CharData:
			at.text += string(tok)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.StartElement:
			n := &node{name: name(tok.Name)}
			for _, a := range tok.Attr {
				if key := name(a.Name); key != "xmlns" && a.Name.Space != "xmlns" {
					// It leaves white space in attributes alone.
					n.attrs = append(n.attrs, [2]string{key, strings.NewReplacer("\n", " ", "\t", " ").Replace(a.Value)})
				}
			}
			at.kids, open = append(at.kids, n), append(open, n)
		}
	}
}

// slowXML makes rows of a document that it knows as a whole: all records first,
// then what becomes of each row.
type slowXML struct {
	records []string
	isList  map[string]bool
	isRec   map[string]bool
	order   map[string][]string // names of lists below a path
}

func newSlowXML(rows []*node, children []string) *slowXML {
	s := &slowXML{isList: map[string]bool{}, isRec: map[string]bool{}, order: map[string][]string{}}
	for _, path := range children {
		for i, c := range path + "/" {
			if c == '/' {
				s.list(path[:i])
				s.isRec[path[:i]] = s.isRec[path[:i]] || i < len(path)
			}
		}
	}
	for _, row := range rows {
		for _, a := range row.attrs {
			if s.isRec[a[0]] && !slices.Contains(s.records, a[0]) {
				s.records = append(s.records, a[0])
			}
		}
		s.find(row, "")
	}
	return s
}

func (s *slowXML) list(path string) {
	if !s.isList[path] {
		s.isList[path] = true
		i := strings.LastIndexByte(path, '/')
		s.order[path[:max(i, 0)]] = append(s.order[path[:max(i, 0)]], path[i+1:])
	}
}

func (s *slowXML) find(n *node, at string) {
	for _, kid := range n.kids {
		path := strings.TrimPrefix(at+"/"+kid.name, "/")
		if kid.record() || s.isRec[path] {
			s.list(path)
			s.isRec[path] = true
			if !slices.Contains(s.records, path) {
				s.records = append(s.records, path)
			}
		}
		s.find(kid, path)
	}
}

func (s *slowXML) lines(rows []*node) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(s.object(row, "", true) + "\n")
	}
	return b.String()
}

func (s *slowXML) object(n *node, at string, row bool) string {
	var keys []string
	values := map[string][]string{}
	add := func(key, value string) {
		if values[key] == nil {
			keys = append(keys, key)
		}
		values[key] = append(values[key], value)
	}
	isList := map[string]bool{}
	for _, a := range n.attrs {
		switch path := a[0]; {
		case !row:
			add("@"+a[0], quoted(a[1]))
		case s.isRec[path]:
			text := s.object(&node{}, path, false)[1:]
			add(a[0], strings.Replace(`{"#text":`+quoted(a[1])+","+text, ",}", "}", 1))
		default:
			add(a[0], quoted(a[1]))
		}
	}
	for _, kid := range n.kids {
		path := strings.TrimPrefix(at+"/"+kid.name, "/")
		if s.isRec[path] {
			add(kid.name, s.object(kid, path, false))
		} else {
			add(kid.name, quoted(kid.text))
		}
	}
	if strings.Trim(n.text, " \t\r\n") != "" {
		add("#text", quoted(n.text))
	}
	for _, name := range s.order[at] {
		isList[name] = true
		if values[name] == nil {
			keys = append(keys, name)
		}
	}
	var members []string
	for _, key := range keys {
		value := strings.Join(values[key], ",")
		if isList[key] || len(values[key]) > 1 {
			value = "[" + value + "]"
		}
		members = append(members, `"`+key+`":`+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)
	return strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029", "\n", "").Replace(b.String())
}

// unevenKeys names a key that holds records in one object and that another of
// the same place lacks, in rows of JSON.
func unevenKeys(t *rapid.T, lines string) string {
	lists, objects := map[string]bool{}, map[string][]map[string]any{}
	var walk func(object map[string]any, at string)
	walk = func(object map[string]any, at string) {
		objects[at] = append(objects[at], object)
		for key, value := range object {
			list, _ := value.([]any)
			for _, item := range list {
				if below, ok := item.(map[string]any); ok {
					lists[at+"/"+key] = true
					walk(below, at+"/"+key)
				}
			}
		}
	}
	for line := range strings.Lines(lines) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		walk(row, "")
	}
	for path := range lists {
		i := strings.LastIndexByte(path, '/')
		for _, object := range objects[path[:i]] {
			list, ok := object[path[i+1:]].([]any)
			if !ok || slices.ContainsFunc(list, func(item any) bool { _, is := item.(map[string]any); return !is }) {
				return path
			}
		}
	}
	return ""
}

// TestRecordsEqualReference: what two passes at most give is what a reader gives
// that knows the whole document, wherever blocks end; the first suffices unless
// it says otherwise, and a second never does.
func TestRecordsEqualReference(t *testing.T) {
	keepSizes(t)
	defer func(n int) { readFast, lookBack = true, n }(lookBack)
	var uneven, even int
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString("<D>")
		for range rapid.IntRange(1, 8).Draw(t, "rows") {
			gap := rapid.SampledFrom([]string{"", "", "\n ", "<!-- x -->", "<?p q?>"}).Draw(t, "gap")
			// The second is one that xmlFast leaves alone.
			plain := rapid.SampledFrom([]string{"<R><A>1</A></R>", "<R><A /></R>"}).Draw(t, "plain row")
			for n := rapid.SampledFrom([]int{1, 1, 1, 6}).Draw(t, "plain rows"); n > 1; n-- {
				b.WriteString(gap + plain)
			}
			b.WriteString(gap)
			drawElement(t, &b, "R", 3)
		}
		doc := b.String() + "</D>"
		opt := Options{Format: FormatXML}
		opt.Children = rapid.SampledFrom([][]string{nil, nil, {"L"}, {"L/C"}, {"L/C", "L/L", "C"}, {"B", "A"}, {"Z/Y", "L/C/B"}}).Draw(t, "children")
		rows, err := readNodes([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		slow := newSlowXML(rows, opt.Children)
		want := slow.lines(rows)
		if key := unevenKeys(t, want); key != "" {
			t.Fatalf("the reference has uneven rows, %s: %s", key, want)
		}
		readFast = rapid.Bool().Draw(t, "fast")
		lookBack = rapid.SampledFrom([]int{-1, 0, 50, 200, 1 << 16}).Draw(t, "look back")
		var first Result
		for i, size := range []int{1 << 12, 1, 2, 3, 5, 8, 13, 64, 200} {
			blockSize, sampleSize = size, size
			for repeat := range RepeatUnseen + 1 {
				opt.Repeat = repeat
				var out record
				res, err := Convert(t.Context(), strings.NewReader(doc), "f", opt, &out)
				if i == 0 && repeat == 0 {
					first = res
				}
				if err != nil || out.wrong != "" || res.Rows != int64(len(rows)) || res.Uneven != first.Uneven {
					t.Fatalf("%q: %v %s, %+v; in blocks of 4 KB %+v", doc, err, out.wrong, res, first)
				}
				if repeat == RepeatNever && res.Repeat || repeat == RepeatAfresh && res.Repeat != res.Uneven ||
					repeat == RepeatUnseen && res.Repeat && out.rows > 0 {
					t.Fatalf("%q: repeat %d: %+v, %d rows are out", doc, repeat, res, out.rows)
				}
				if !slices.Equal(res.Records, slow.records) {
					t.Fatalf("%q: records %q, want %q", doc, res.Records, slow.records)
				}
				if res.Repeat || res.Uneven {
					out = record{}
					second, err := Convert(t.Context(), strings.NewReader(doc), "f", opt.Again(res), &out)
					if err != nil || second.Uneven || second.Repeat || second.Rows != res.Rows || !slices.Equal(second.Records, slow.records) {
						t.Fatalf("%q: the second time %v, %+v", doc, err, second)
					}
				}
				if got := out.lines.String(); got != want {
					t.Fatalf("%q, in blocks of %d, children %v, uneven %v: got\n%s\nwant\n%s", doc, size, opt.Children, res.Uneven, got, want)
				}
			}
		}
		if first.Uneven {
			uneven++
		} else {
			even++
		}
	})
	if uneven < 10 || even < 10 {
		t.Errorf("%d documents were uneven, %d were not: want some of both", uneven, even)
	}
}

// TestRecordsAreBounded: beyond the bound records are what they were without any
// knowledge of them, in a second pass as in the first.
func TestRecordsAreBounded(t *testing.T) {
	defer func(n int) { lookBack = n }(lookBack)
	lookBack = -1
	for what, doc := range map[string]func(i int) string{
		"many":     func(i int) string { return fmt.Sprintf(`<R><A>1</A><L%d k="1"/></R>`, i) },
		"long":     func(i int) string { return fmt.Sprintf(`<R><A>1</A><L%s%d k="1"/></R>`, strings.Repeat("x", 1000), i) },
		"children": func(i int) string { return fmt.Sprintf(`<R><A>1</A><L><M%d/><N><O%d/></N></L></R>`, i, i) },
		"nested":   func(i int) string { return fmt.Sprintf(`<R><A>1</A><L%d><M/></L%d></R>`, i, i) },
	} {
		var b strings.Builder
		for i := range maxRecords + 50 {
			b.WriteString(doc(i))
		}
		in := "<D>" + b.String() + "</D>"
		var out record
		res, err := Convert(t.Context(), strings.NewReader(in), "f", Options{Repeat: RepeatAfresh}, &out)
		more := what != "children" // M and O are text
		if err != nil || res.Repeat != more || res.MoreRecords != more || len(res.Records) > maxRecords || len(strings.Join(res.Records, "")) > maxRecordText {
			t.Errorf("%s: %v, %d records, repeat %v, more %v", what, err, len(res.Records), res.Repeat, res.MoreRecords)
		}
		again, err := Convert(t.Context(), strings.NewReader(in), "f", Options{}.Again(res), &out)
		if err != nil || again.Uneven || again.MoreRecords != more || !slices.Equal(again.Records, res.Records) || again.Rows != maxRecords+50 {
			t.Errorf("%s: the second time %v, %+v", what, err, again)
		}
	}
}

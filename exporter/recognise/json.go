package recognise

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// json tells rows from error documents. All of the document is read, since only
// its end says that nothing of it is missing. It gives nothing for a text that
// is no JSON from its beginning.
func (t text) json(all io.Reader) Found {
	in := bufio.NewReader(all)
	skipStart(in)
	d := json.NewDecoder(in)
	d.UseNumber()
	var doc document
	for {
		err := doc.value(d)
		if errors.Is(err, io.EOF) && doc.values > 0 {
			return t.judge(doc)
		}
		if err != nil {
			return t.brokenOff(doc)
		}
	}
}

// document is what a JSON text holds, value by value: one, or one a line.
type document struct {
	values  int
	array   bool   // the one value is an array
	scalar  bool   // the last value is neither object nor array
	rows    rows   // of the array, or of the values
	members []rows // arrays with objects in them, of the one object
	keys    []string
	wrong   bool // a member says by its value that something is wrong
	empty   bool // a member is an array of nothing
}

// rows are objects side by side.
type rows struct {
	n       int      // elements, of any kind
	objects int      // those that are objects
	first   []string // keys of the first object, in lower case
	upper   bool     // as they stand, the first one's keys are in upper case
	trouble bool     // one of the first is that of an error
	unlike  bool     // two have less than half of their keys in common
}

// value reads the next one.
func (doc *document) value(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if err := doc.rest(token, d); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // only between two values does a document end
		}
		return err
	}
	doc.values++
	return nil
}

// rest reads a value whose first token was read.
func (doc *document) rest(token json.Token, d *json.Decoder) error {
	doc.array, doc.scalar = false, false
	switch token {
	case json.Delim('{'):
		keys, err := doc.object(d)
		doc.rows.add(keys)
		if err != nil {
			return err
		}
	case json.Delim('['):
		doc.array = true
		if err := doc.rows.read(d); err != nil {
			return err
		}
	default:
		doc.scalar = true
		doc.rows.n++
	}
	return nil
}

// object reads the members of an object whose brace was read.
func (doc *document) object(d *json.Decoder) (keys []string, err error) {
	doc.members, doc.wrong, doc.empty = nil, false, false
	for {
		token, err := d.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			doc.keys = keys
			return keys, err
		}
		keys = append(keys, key)
		name := strings.ToLower(key)
		value, err := d.Token()
		if err != nil {
			return keys, err
		}
		switch v := value.(type) {
		case json.Delim:
			var member rows
			if v == '[' {
				err = member.read(d)
			} else {
				err = closeAll(d, 1)
				member.n = 1
			}
			if v == '[' && member.objects > 0 {
				doc.members = append(doc.members, member)
			}
			doc.empty = doc.empty || member.n == 0
			doc.wrong = doc.wrong || troubles[name] && member.n > 0
			if err != nil {
				return keys, err
			}
		case bool:
			doc.wrong = doc.wrong || (name == "success" || name == "ok") && !v || troubles[name] && v
		case string:
			doc.wrong = doc.wrong || troubles[name] && v != "" || name == "status" && saysFailed(v)
		default:
			doc.wrong = doc.wrong || troubles[name] && v != nil
		}
	}
}

func saysFailed(status string) bool {
	status = strings.ToLower(status)
	return strings.Contains(status, "fail") || strings.Contains(status, "error") || strings.Contains(status, "unavailable")
}

// read reads the elements of an array whose bracket was read.
func (r *rows) read(d *json.Decoder) error {
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'):
			var inner document
			keys, err := inner.object(d)
			if err != nil {
				return err
			}
			r.add(keys)
		case json.Delim('['):
			r.n++
			if err := closeAll(d, 1); err != nil {
				return err
			}
		default:
			r.n++
		}
	}
	_, err := d.Token()
	return err
}

// add counts an object.
func (r *rows) add(keys []string) {
	r.n++
	r.objects++
	if r.objects > sampleRecords {
		return
	}
	names := lower(keys)
	r.trouble = r.trouble || speaksOfTrouble(names) || len(names) == 0
	if r.objects == 1 {
		r.first, r.upper = names, allUpper(keys)
		return
	}
	common := 0
	for _, n := range names {
		for _, f := range r.first {
			if n == f {
				common++
				break
			}
		}
	}
	r.unlike = r.unlike || common*2 < max(len(names), len(r.first))
}

// judge says what a document is that came to its end.
func (t text) judge(doc document) Found {
	head := snippet(t.head)
	unclear := Found{Is: Unclear, What: "JSON that may be an error document: " + head, Ends: true}
	switch {
	case doc.values > 1 && doc.rows.objects == doc.values && !doc.array:
		return graded(doc.rows, Found{What: "JSON Lines"}, unclear)
	case doc.values > 1:
		return Found{Is: Unclear, What: "several JSON values: " + head}
	case doc.scalar:
		return Found{Is: NoExport, What: "a JSON value: " + head}
	case doc.array && doc.rows.n == 0:
		return Found{Is: Unknown, What: "an empty JSON array", Ends: true}
	case doc.array && doc.rows.objects < doc.rows.n:
		return unclear
	case doc.array:
		return graded(doc.rows, Found{What: "an array of JSON rows", Ends: true}, unclear)
	}
	return t.judgeObject(doc, unclear)
}

func (t text) judgeObject(doc document, unclear Found) Found {
	names := lower(doc.keys)
	says := false // that it speaks to people
	for _, n := range names {
		says = says || n == "message" || n == "msg"
	}
	switch {
	case doc.wrong, len(doc.members) == 0 && (speaksOfTrouble(names) && !doc.empty || says):
		return Found{Is: NoExport, What: "an error document: " + snippet(t.head)}
	case len(doc.members) == 1 && !says:
		return graded(doc.members[0], Found{What: "JSON with rows", Ends: true}, unclear)
	case len(doc.members) > 0:
		return unclear
	case doc.empty && len(names) == 1 && doc.rows.upper:
		return Found{Is: Export, What: "JSON of no rows", Ends: true}
	case doc.empty && !says && len(names) <= 3:
		return Found{Is: Unknown, What: "JSON without rows: " + snippet(t.head), Ends: true}
	case doc.rows.upper && len(names) > 1 && !doc.rows.trouble:
		return Found{Is: Export, What: "a JSON row"} // JSON Lines of one row: cut after it, it looks the same
	}
	return unclear
}

// graded is found for rows that are alike and none of which is an error's.
func graded(r rows, found, unclear Found) Found {
	switch {
	case r.trouble || r.objects < r.n:
		return unclear
	case r.unlike:
		found.Is = Unknown
	default:
		found.Is = Export
	}
	return found
}

// brokenOff is a document that does not come to its end.
func (t text) brokenOff(doc document) Found {
	r := doc.rows
	for _, m := range doc.members {
		if r.objects == 0 {
			r = m
		}
	}
	switch {
	case t.head[0] == '"':
		return Found{} // a table may begin so
	case r.objects > 0 && !r.trouble && len(r.first) > 0:
		return Found{Is: Broken, What: "JSON that breaks off: " + snippet(t.head)}
	}
	return Found{Is: Unclear, What: "a text that begins like JSON: " + snippet(t.head)}
}

// closeAll reads on until so many brackets are closed.
func closeAll(d *json.Decoder, depth int) error {
	for depth > 0 {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

package recognise

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Keys of the error documents that are known. An object is one when it has no
// other keys and at least one that says that something is wrong.
//
// Source: OData's and ASP.NET's errors (protocol notes, 3.6), RFC 6749 (error,
// error_description), RFC 9457 (title, detail). Observed: gateways' and
// proxies' own, of which "status" or "code" beside a "message" are typical.
var (
	errorKeys = words(`error errors message exceptionmessage errormessage errorcode fault title detail details error_description
		odata.error exception reason`)
	besideErrors = words(`exceptiontype stacktrace messagedetail code status statuscode type traceid instance error_codes error_uri timestamp
		trace_id correlation_id correlationid innererror innerexception requestid request_id activityid target path success result time source version host`)
)

// json tells rows from error documents. It reads the head a token at a time,
// since one row may be longer than the head.
func (t text) json(start []byte) Found {
	if start[0] == '{' && isLines(start) {
		return t.jsonLines()
	}
	d := json.NewDecoder(bytes.NewReader(start))
	open, _ := d.Token()
	if open == json.Delim('[') {
		return t.jsonArray(d, start)
	}
	keys, array := topKeys(d)
	switch {
	case array:
		return t.ended(Found{Is: Export, What: "JSON with rows", Ends: true}, '}')
	case isError(keys):
		return Found{Is: NoExport, What: "an error document: " + snippet(start)}
	}
	return Found{Is: Unknown, What: "a JSON object: " + snippet(start)}
}

func (t text) jsonArray(d *json.Decoder, start []byte) Found {
	rows := Found{Is: Export, What: "an array of JSON rows", Ends: true}
	token, err := d.Token()
	switch {
	case token == json.Delim(']'):
		return rows
	case err != nil || token != json.Delim('{'):
		return Found{Is: Unknown, What: "a JSON array without rows: " + snippet(start)}
	}
	keys, _ := topKeys(d)
	if next, err := d.Token(); isError(keys) && err == nil && next == json.Delim(']') {
		return Found{Is: NoExport, What: "an error document: " + snippet(start)}
	}
	return t.ended(rows, ']')
}

// ended is the file if it ends as it must, else one that breaks off.
func (t text) ended(f Found, last byte) Found {
	if end := bytes.TrimRight(t.tail, " \t\r\n\x00"); len(end) > 0 && end[len(end)-1] == last {
		return f
	}
	return Found{Is: Broken, What: f.What + ", and break off: no " + string(last) + " at the end"}
}

// jsonLines is one object a line. Cut between two lines it looks whole.
func (t text) jsonLines() Found { return t.ended(Found{Is: Export, What: "JSON Lines"}, '}') }

// isLines says whether the first line is an object and the second begins one.
func isLines(start []byte) bool {
	first, rest, found := bytes.Cut(start, []byte("\n"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return found && len(rest) > 0 && rest[0] == '{' && json.Valid(bytes.TrimSpace(first))
}

// topKeys gives the keys of an object whose brace was read, in lower case, and
// whether one of them holds rows, at which it stops.
func topKeys(d *json.Decoder) (keys []string, rows bool) {
	for {
		token, err := d.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return keys, false
		}
		key = strings.ToLower(key)
		keys = append(keys, key)
		first, depth, err := firstWithin(d)
		if err != nil {
			return keys, false
		}
		if (first == json.Delim('{') || first == json.Delim(']')) && !errorKeys[key] {
			return keys, true
		}
		if closeAll(d, depth) != nil {
			return keys, false
		}
	}
}

// firstWithin reads a value, of an array its first element's beginning too; nil
// if it is no array. depth is how much of it is still open.
func firstWithin(d *json.Decoder) (first json.Token, depth int, err error) {
	value, err := d.Token()
	switch {
	case err != nil:
		return nil, 0, err
	case value == json.Delim('{'):
		return nil, 1, nil
	case value != json.Delim('['):
		return nil, 0, nil
	}
	first, err = d.Token()
	switch first {
	case json.Delim(']'):
		return first, 0, err
	case json.Delim('{'), json.Delim('['):
		return first, 2, err
	}
	return first, 1, err
}

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

func isError(keys []string) bool {
	wrong := false
	for _, k := range keys {
		if !errorKeys[k] && !besideErrors[k] {
			return false
		}
		wrong = wrong || errorKeys[k]
	}
	return wrong
}

package convert

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// isEnvelope says whether the object that is next is no row itself but holds
// the rows: {"value":[{...},{...}]}. It is only when it has one array of
// objects and nothing beside it but metadata: any other member would be lost,
// since it belongs to no row. It is not when another value follows (JSON
// Lines). An object longer than the sample is judged by the members that begin
// within it; envelope refuses one that shows its data later.
func (j *jsonReader) isEnvelope() (bool, error) {
	w := j.window
	if err := w.ensure(sampleSize); err != nil {
		return false, err
	}
	in := w.bytes()
	if len(in) > sampleSize {
		in = in[:sampleSize] // the judgement must not depend on block sizes
	}
	lists, others, size, err := surveyMembers(in)
	envelope := lists == 1 && others == 0
	if errors.Is(err, errShort) {
		return envelope, nil
	}
	if err != nil || !envelope {
		return false, nil // reading the rows tells what is wrong, and where
	}
	follows, err := j.follows(size)
	return !follows, err
}

// follows says whether anything but white space stands behind the next n bytes.
func (j *jsonReader) follows(n int) (bool, error) {
	w := j.window
	for {
		if len(skipSpace(w.bytes()[n:])) > 0 {
			return true, nil
		}
		if w.eof {
			return false, nil
		}
		if err := w.more(); err != nil {
			return false, err
		}
	}
}

// surveyMembers counts the members of the object at the start of in that may be
// the rows, and those that are neither that nor metadata.
func surveyMembers(in []byte) (lists, others, size int, err error) {
	s := jsonScan{in: in, pos: 1}
	if c, err := s.next(); err != nil || c == '}' {
		return 0, 0, s.pos + 1, err
	}
	for {
		if _, err := s.next(); err != nil {
			return lists, others, 0, err
		}
		from := s.pos
		if err := s.key(); err != nil {
			return lists, others, 0, err
		}
		key := in[from:s.pos]
		if _, err := s.punctuation(':', ':'); err != nil {
			return lists, others, 0, err
		}
		if _, err := s.next(); err != nil {
			return lists, others, 0, err
		}
		switch {
		case isMetadata(key):
		case mayHoldRows(in[s.pos:]):
			lists++
		default:
			others++
		}
		if err := s.value(); err != nil {
			return lists, others, 0, err
		}
		if c, err := s.punctuation(',', '}'); err != nil || c == '}' {
			return lists, others, s.pos, err
		}
	}
}

// mayHoldRows says whether the value at the start of in is an array of objects,
// by its first element, or an empty one.
func mayHoldRows(in []byte) bool {
	if in[0] != '[' {
		return false
	}
	inner := jsonScan{in: in, pos: 1}
	c, err := inner.next()
	return err != nil || c == '{' || c == ']' // an error: cut off right behind the bracket
}

// metadata names, in lower case, what an envelope tells about its rows as a
// whole. Short on purpose: a name that is taken for metadata wrongly loses a
// value, one that is missing makes a row with an array in it, and loses nothing.
var metadata = []string{"count", "next", "nextlink", "skip", "top", "total"}

// isMetadata says whether a member with this key, quotes and escapes as they
// came, is about the rows: @odata.context and the like of OData 4, odata.count
// of OData 3, $schema, and the names in metadata, in any case.
func isMetadata(key []byte) bool {
	var name string
	if err := json.Unmarshal(key, &name); err != nil {
		return false
	}
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "@") || strings.HasPrefix(name, "$") ||
		strings.HasPrefix(name, "odata.") || slices.Contains(metadata, name)
}

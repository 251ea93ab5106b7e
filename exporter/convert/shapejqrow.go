package convert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// input makes a row's line, without its line end, what a program takes. Most
// values are texts and numbers, which need no decoder.
func (t *jqProgram) input(line []byte) (map[string]any, error) {
	object := make(map[string]any, t.width)
	text := string(line) // the texts are parts of it
	for i := 1; line[i] == '"'; {
		end := stringEnd(line, i)
		key, known := t.keys[string(line[i:end])]
		if !known {
			if err := json.Unmarshal(line[i:end], &key); err != nil {
				return nil, err
			}
			if len(t.keys) < maxColumns {
				t.keys[string(line[i:end])] = key
			}
		}
		begin := end + 1 // behind the colon
		i = valueEnd(line, begin)
		var err error
		if object[key], err = jqValue(text[begin:i]); err != nil {
			return nil, err
		}
		if line[i] == ',' {
			i++
		}
	}
	t.width = len(object)
	return object, nil
}

func jqValue(raw string) (v any, err error) {
	switch raw[0] {
	case '"':
		if strings.IndexByte(raw, '\\') < 0 {
			return raw[1 : len(raw)-1], nil
		}
	case 'n':
		return nil, nil
	case 't', 'f':
		return raw[0] == 't', nil
	case '{', '[':
	default:
		return json.Number(raw), nil // a decimal does not survive a float64
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// appendObject appends a row. other says that its keys are not those of the
// object before it.
func (t *jqProgram) appendObject(out []byte, object map[string]any) (_ []byte, other bool, err error) {
	missing := func(key string) bool { _, there := object[key]; return !there }
	if other = t.last == nil || len(t.last) != len(object) || slices.ContainsFunc(t.last, missing); other {
		t.last = make([]string, 0, len(object))
		for key := range object {
			t.last = append(t.last, key)
		}
		slices.SortFunc(t.last, t.compare)
	}
	out = append(out, '{')
	for i, key := range t.last {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, key), ':')
		if out, err = appendJQ(out, object[key]); err != nil {
			return out, other, fmt.Errorf("transform: %w", err)
		}
	}
	return append(out, '}', '\n'), other, nil
}

// appendJQ appends a value as gojq spells it.
func appendJQ(out []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(out, "null"...), nil
	case json.Number:
		return append(out, v...), nil
	case string:
		if asItIs(v) {
			return append(append(append(out, '"'), v...), '"'), nil
		}
	}
	value, err := gojq.Marshal(v)
	return append(out, value...), err
}

// asItIs says that gojq escapes nothing in a text. It escapes DEL, for one.
func asItIs(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

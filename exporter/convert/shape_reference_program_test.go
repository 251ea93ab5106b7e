package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/itchyny/gojq"
)

// transformedSlowly gives what a program makes of rows, with what is wrong with
// those that it refuses: decoder, interpreter and encoder, one after the other.
func transformedSlowly(t testing.TB, program string, lines []byte) string {
	t.Helper()
	q, err := gojq.Parse(program)
	if err != nil {
		t.Fatal(err)
	}
	order := &jqProgram{order: map[string]int{}}
	var all []byte
	for line := range bytes.Lines(lines) {
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var input map[string]any
		if err := d.Decode(&input); err != nil {
			t.Fatal(err)
		}
		for _, key := range keysAsWritten(t, line) {
			if _, met := order.order[key]; !met {
				order.order[key] = len(order.order)
			}
		}
		begin := len(all)
		for results := q.Run(input); ; {
			v, more := results.Next()
			if !more {
				break
			}
			if err, failed := v.(error); failed {
				all = fmt.Appendf(all[:begin], "transform: %v in %q\n", err, line)
				break
			}
			object, ok := v.(map[string]any)
			if !ok {
				all = fmt.Appendf(all[:begin], "transform: gives %s where a row must be an object in %q\n", gojq.TypeOf(v), line)
				break
			}
			for i, key := range slices.SortedFunc(maps.Keys(object), order.compare) {
				value, err := gojq.Marshal(object[key])
				if err != nil {
					t.Fatal(err)
				}
				all = append(append(appendString(append(all, "{,"[min(i, 1)]), key), ':'), value...)
			}
			if len(object) == 0 {
				all = append(all, '{')
			}
			all = append(all, "}\n"...)
		}
	}
	return string(all)
}

func keysAsWritten(t testing.TB, line []byte) (keys []string) {
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

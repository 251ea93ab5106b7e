package config

import (
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"finrelay/dmf"
)

// Ways is a list of ways that an export can come. One may stand alone, without
// brackets: source: queue.
type Ways []string

// ways are all there are.
var ways = []string{"event", "queue", "package"}

// allows reports whether the list, which may be empty for all, holds a way.
func (w Ways) allows(way string) bool { return len(w) == 0 || slices.Contains(w, way) }

// JSONSchema describes the two ways to write it.
func (Ways) JSONSchema() *jsonschema.Schema {
	one := &jsonschema.Schema{Type: "string"}
	for _, w := range ways {
		one.Enum = append(one.Enum, w)
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{one, {Type: "string", Pattern: `\$\{`}, {Type: "array", Items: one}}}
}

func (v *validator) ways(field string, list Ways) {
	for i, way := range list {
		if !slices.Contains(ways, way) {
			v.fail(field+"["+itoa(i)+"]", way, suggestValue(way, ways), "not a value of this setting")
		}
	}
}

// bare is an activity id in its one form; what is none stays as it is.
func bare(activity string) string {
	if id, err := dmf.ParseActivityID(activity); err == nil {
		return string(id)
	}
	return activity
}

// queues checks what a flow takes by the queue it came from.
func (v *validator) queues(field string, queues []string) {
	var polling []string
	for _, f := range v.c.Flows {
		if f.Queue.Activity != "" {
			polling = append(polling, f.Name)
		}
	}
	for i, q := range queues {
		if _, err := dmf.ParseActivityID(q); err != nil && !slices.Contains(polling, q) {
			hint := strings.TrimSuffix("an activity ID, or a flow that polls: "+suggest(q, polling), ": ")
			v.fail(field+"["+itoa(i)+"]", q, hint, "not an activity id, and no flow of this name has a queue")
		}
	}
}

// QueueIDs gives the criterion queues with activity ids in their one form; the
// names of flows stay. The slice is the caller's.
func (f *Flow) QueueIDs() []string {
	ids := make([]string, len(f.Queues))
	for i, q := range f.Queues {
		ids[i] = bare(q)
	}
	return ids
}

package convert

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// Bounds of a jq program: an endless one must not hold an export.
const (
	// TransformTime is how long it may take over one row.
	TransformTime = 2 * time.Second
	// MostSlowRows is how many rows may take longer before the conversion ends.
	MostSlowRows = 5
)

// transformTime is a variable for tests, which need not wait.
var transformTime = TransformTime

var errSlow = fmt.Errorf("transform: did not end within %s", TransformTime)

// MostRowsOfOne is how many rows the jq program may make of one.
const MostRowsOfOne = 10_000

// jqProgram runs a jq program.
type jqProgram struct {
	code  *gojq.Code
	limit rowLimit
	keys  map[string]string // of the rows given, by their spelling
	order map[string]int    // place of a key among those of the rows given
	last  []string          // keys of the last object, in order
	width int               // members of the last row given
}

// newTransform gives nil for no program. Modules, variables, the environment
// and further inputs are not to be had.
func newTransform(program string) (*jqProgram, error) {
	if strings.TrimSpace(program) == "" {
		if program != "" {
			return nil, shapeErrorf("transform", "", "no jq program")
		}
		return nil, nil
	}
	q, err := gojq.Parse(program)
	if err != nil {
		return nil, &ShapeError{"transform", program, err}
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, &ShapeError{"transform", program, err}
	}
	return &jqProgram{code: code, keys: make(map[string]string), order: make(map[string]int)}, nil
}

// run calls row with each object that the program makes of a line.
func (t *jqProgram) run(ctx context.Context, line []byte, row func(map[string]any) error) error {
	input, err := t.input(line)
	if err != nil {
		return err
	}
	results := t.code.RunWithContext(t.limit.begin(ctx), input)
	defer t.limit.end()
	for n := 0; ; n++ {
		v, more := results.Next()
		if !more {
			return nil
		}
		if err, failed := v.(error); failed {
			return t.failure(ctx, err)
		}
		object, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("transform: gives %s where a row must be an object", gojq.TypeOf(v))
		}
		if n == MostRowsOfOne {
			return fmt.Errorf("transform: more than %d rows of one", MostRowsOfOne)
		}
		if err := row(object); err != nil {
			return err
		}
	}
}

func (t *jqProgram) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, context.Canceled) && t.limit.passed() {
		return errSlow
	}
	return fmt.Errorf("transform: %w", err)
}

// meet gives a key of the rows that the program is given its place.
func (t *jqProgram) meet(key string) {
	t.order[key] = len(t.order)
	t.last = nil // a key may move
}

// compare orders keys: those of the rows given first, as they stood there, then
// new ones by name. jq's objects have no order of their own.
func (t *jqProgram) compare(a, b string) int {
	i, known := t.order[a]
	j, alsoKnown := t.order[b]
	switch {
	case known && alsoKnown:
		return i - j
	case known:
		return -1
	case alsoKnown:
		return 1
	}
	return strings.Compare(a, b)
}

package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one fault of the configuration. Load, Parse and Validate return one
// *Error, or several joined in the order of their lines; errors.As finds the
// first.
type Error struct {
	File    string // as given to Load or Parse; "" when there was no file
	Line    int    // from 1; 0 when unknown
	Column  int    // in characters, from 1; 0 when unknown
	Field   string // path of the setting, for example flows[0].entities[1]
	Value   string // what was found, as it may be shown: never a secret or the content of a variable
	Hint    string // what to do
	Excerpt string // the line in the file, secrets masked, and a mark below the place
	Err     error  // what is wrong; never nil
}

// Error gives "FILE:LINE:COLUMN: FIELD: what is wrong: VALUE" and, on lines of
// their own, the excerpt with a mark below it and the hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
		}
		b.WriteString(": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Err.Error())
	if e.Value != "" && !strings.Contains(e.Value, "\n") { // of several lines, the excerpt has the one
		fmt.Fprintf(&b, ": %q", e.Value)
	}
	if e.Excerpt != "" {
		for line := range strings.Lines(e.Excerpt) {
			b.WriteString("\n    " + strings.TrimSuffix(line, "\n"))
		}
	}
	if e.Hint != "" {
		b.WriteString("\n  " + e.Hint)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// joinProblems gives nil, the one problem, or all of them by line.
func joinProblems(problems []*Error) error {
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return problems[0]
	}
	slices.SortStableFunc(problems, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

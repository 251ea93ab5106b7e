package config

import (
	"regexp"
	"strings"
)

// source remembers where in the file each setting stands, for the messages of
// Validate and Lint, which run on the finished Config.
type source struct {
	file   string
	lines  func() []string  // a function: of a slice fmt would print the text, keys included
	places map[string]place // by field path
	spans  map[int][]span   // what may be shown, by line

	secretFiles []secretFile

	look   bool // nothing is served by it: see LoadToLook
	absent []absence
}

// place is where a setting's value stands; for a section, its key.
type place struct {
	line, column int
	shown        string // source text of the value, one line; "" when it must not be shown
	judged       bool   // shown is the value's text, which was found harmless
	hidden       bool   // the value must not be shown, wherever it is written
	expanded     bool   // the value came out of a variable: show only the source text
	verbatim     bool   // source text and value are equal, character for character
	indent       int    // of a block scalar's lines; 0 for others
}

// secretFile is a file that a secret was read from.
type secretFile struct{ field, path string }

// at gives the place of field or of the nearest section around it: a setting
// that is missing is reported where it is missed.
func (s *source) at(field string) (place, bool) {
	if s == nil {
		return place{}, false
	}
	for exact := true; ; exact = false {
		if p, ok := s.places[field]; ok || field == "" {
			return p, exact
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
}

// locate fills the place of a problem that has a field.
func (s *source) locate(e *Error, value string) *Error {
	e.Value = value
	if inDoubt(e.Field, value) {
		e.Value = redacted
	}
	if s == nil {
		return e
	}
	e.File = s.file
	p, exact := s.at(e.Field)
	if p.line == 0 {
		return e
	}
	e.Line, e.Column = p.line, p.column
	e.Excerpt = s.excerpt(p.line, p.column, p.shown)
	if !exact {
		return e
	}
	switch {
	case value == "":
	case p.hidden || p.shown == "":
		e.Value = redacted
	case p.expanded && p.judged:
		e.Value = strings.Trim(p.shown, `"'`)
	case p.expanded:
		e.Value = redacted
	}
	return e
}

// harmless is the part of a line that may be repeated in front of the token at
// fault: indentation, list marks and plain keys, never values.
var harmless = regexp.MustCompile(`^\s*(-\s*)*([A-Za-z0-9_-]+:)?\s*$`)

// maxExcerpt bounds the characters of an excerpt's line.
const maxExcerpt = 100

// excerpt shows the one token at fault with a mark below it. The rest of the
// line is left out: a key may stand on it.
func (s *source) excerpt(line, column int, token string) string {
	lines := s.lines()
	if line < 1 || line > len(lines) {
		return ""
	}
	runes := []rune(lines[line-1])
	before := string(runes[:max(0, min(column-1, len(runes)))])
	if !harmless.MatchString(before) || len(before) > maxExcerpt {
		before = "… "
	}
	if strings.HasSuffix(before, "-") {
		before += " "
	}
	if token == "" {
		before, token = strings.TrimPrefix(before, "… "), "…"
	}
	if short := []rune(token); len(short) > maxExcerpt {
		token = string(short[:maxExcerpt]) + "…"
	}
	mark := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return before + token + "\n" + mark + "^"
}

// inside gives the line and column of byte n of the value at p, as exactly as
// the way it is written allows.
func (p place) inside(value string, n int) (line, column int) {
	if !p.verbatim || n < 0 || n > len(value) {
		return p.line, p.column
	}
	head := value[:n]
	column = len([]rune(head[strings.LastIndexByte(head, '\n')+1:]))
	if p.indent > 0 { // a block scalar starts on the line below its mark
		return p.line + 1 + strings.Count(head, "\n"), p.indent + column + 1
	}
	if strings.HasPrefix(p.shown, `"`) || strings.HasPrefix(p.shown, "'") {
		column++
	}
	return p.line, p.column + column
}

// markInside is excerpt for a place within the value at p: the value's line,
// marked at the column given.
func (s *source) markInside(p place, line, column int) string {
	if line == p.line {
		out := s.excerpt(p.line, p.column, p.shown)
		if first, mark, ok := strings.Cut(out, "\n"); ok && column > p.column {
			return first + "\n" + strings.TrimSuffix(mark, "^") + strings.Repeat(" ", column-p.column) + "^"
		}
		return out
	}
	lines := s.lines()
	if line < 1 || line > len(lines) {
		return ""
	}
	text := []rune(lines[line-1])
	return string(text[:min(len(text), maxExcerpt)]) + "\n" + strings.Repeat(" ", max(0, column-1)) + "^"
}

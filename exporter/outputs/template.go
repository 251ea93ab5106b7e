package outputs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DefaultTemplate is the path of a data file below the output's folder. With
// the format "json" its extension is ".json".
const DefaultTemplate = "{environment}/{entity}/{legal_entity}/{yyyy}/{mm}/{dd}/{export_id}.jsonl"

// Template makes the path of a data file from an Export: elements separated by
// "/", in which {placeholders} stand for values.
//
//	{environment} {flow} {entity} {target_entity} {legal_entity} {project}
//	{export_id} {shipment_id} {execution_id}
//	{yyyy} {mm} {dd} {hh}   the event time, in UTC
//
// An unknown value is "_". Each value becomes one safe element: at most 120
// bytes; no separators, control characters, <>:"|?*~, leading or trailing
// blanks and dots, nor names of Windows devices; UTF-8 in NFC. A value that
// had to change gets "~" and a short hash of the original
// ("Country_regions~c38918d1"), so that two labels never share a path because
// they look alike afterwards. Plain labels such as "Customer groups" stay.
//
// The legal entity is folded to lower case first: FinOps sends USMF and usmf
// for the same company, depending on the sender. The manifest keeps it as sent.
//
// The zero Template is not usable; ParseTemplate makes one. It is immutable
// and safe for concurrent use.
type Template struct {
	elements [][]part
}

// part is literal text, or the value of a field when value is set.
type part struct {
	text  string // literal text, or the field's name
	value func(Export) string
}

// field is one placeholder.
type field struct {
	name  string
	value func(Export) string
}

var fields = []field{
	{"environment", func(e Export) string { return e.Environment }},
	{"flow", func(e Export) string { return e.Flow }},
	{"entity", func(e Export) string { return e.Entity }},
	{"target_entity", func(e Export) string { return e.TargetEntity }},
	{"legal_entity", func(e Export) string { return strings.ToLower(e.LegalEntity) }},
	{"project", func(e Export) string { return e.Project }},
	{"export_id", func(e Export) string { return e.ID }},
	{"shipment_id", func(e Export) string { return e.ShipmentID }},
	{"execution_id", func(e Export) string { return e.ExecutionID }},
	{"yyyy", eventTime("2006")},
	{"mm", eventTime("01")},
	{"dd", eventTime("02")},
	{"hh", eventTime("15")},
}

func eventTime(layout string) func(Export) string {
	return func(e Export) string {
		t, ok := e.eventTime()
		if !ok {
			return ""
		}
		return t.Format(layout)
	}
}

// ParseTemplate reads a template. It refuses unknown placeholders and text
// that is not safe as part of a name on Linux and Windows.
func ParseTemplate(s string) (Template, error) {
	var t Template
	for element := range strings.SplitSeq(s, "/") {
		parts, err := parseElement(element)
		if err != nil {
			return Template{}, fmt.Errorf("read template %q: %w", s, err)
		}
		t.elements = append(t.elements, parts)
	}
	return t, nil
}

func parseElement(s string) ([]part, error) {
	switch {
	case s == "":
		return nil, errors.New("an element is empty: write a relative path without // and without / at its ends")
	case strings.HasPrefix(s, "."), strings.HasPrefix(s, " "):
		return nil, fmt.Errorf("element %q starts with a dot or a blank", s)
	case strings.HasSuffix(s, "."), strings.HasSuffix(s, " "):
		return nil, fmt.Errorf("element %q ends with a dot or a blank, which Windows drops", s)
	}
	var parts []part
	for rest := s; rest != ""; {
		text, after, isField := strings.Cut(rest, "{")
		if err := checkText(text); err != nil {
			return nil, err
		}
		if text != "" {
			parts = append(parts, part{text: text})
		}
		if !isField {
			break
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("{%s has no closing brace", after)
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown placeholder {%s}; known are %s", name, fieldNames())
		}
		parts = append(parts, part{text: name, value: fields[i].value})
		rest = next
	}
	return parts, nil
}

// checkText refuses what safeValue would replace: the template's author can
// choose another letter, so a silent change would only surprise.
func checkText(text string) error {
	for _, r := range text {
		if r == '}' {
			return fmt.Errorf("%q has a closing brace without an opening one", text)
		}
		if r == '\uFFFD' || replaceUnsafe(r) != r {
			return fmt.Errorf("%q holds %q, which is not safe in a file name", text, r)
		}
	}
	return nil
}

func fieldNames() string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = "{" + f.name + "}"
	}
	return strings.Join(names, " ")
}

// Path gives the data file's path for e: relative, elements separated by "/",
// local in the sense of [path/filepath.IsLocal] on every system. The same
// Export always gives the same path.
func (t Template) Path(e Export) string {
	elements := make([]string, len(t.elements))
	for i, parts := range t.elements {
		var b strings.Builder
		for _, p := range parts {
			if p.value == nil {
				b.WriteString(p.text)
				continue
			}
			b.WriteString(safeValue(p.value(e)))
		}
		elements[i] = fitElement(b.String(), i == len(t.elements)-1)
	}
	return strings.Join(elements, "/")
}

// Distinct tells whether two exports always have two paths, which takes
// {export_id}. Without it an export can be refused with ErrPathTaken.
func (t Template) Distinct() bool {
	for _, parts := range t.elements {
		for _, p := range parts {
			if p.value != nil && p.text == "export_id" {
				return true
			}
		}
	}
	return false
}

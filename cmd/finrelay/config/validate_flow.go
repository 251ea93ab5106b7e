package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
	"golang.org/x/text/encoding/htmlindex"
)

func (v *validator) flows() {
	c := v.c
	outputs, environments := sortedKeys(c.Outputs), sortedKeys(c.Environments)
	seen := map[string]int{}
	for i := range c.Flows {
		flow, field := &c.Flows[i], "flows["+itoa(i)+"]"
		switch first, twice := seen[strings.ToLower(flow.Name)]; {
		case flow.Name == "":
			v.fail(field+".name", "", "give the flow a name", "no name")
		case !validName(flow.Name):
			v.fail(field+".name", flow.Name, nameHint, "not a name")
		case twice:
			v.fail(field+".name", flow.Name, "rename one of them", "the name of flows["+itoa(first)+"] already")
		}
		seen[strings.ToLower(flow.Name)] = i
		v.filled(field+".entities", flow.Entities)
		v.filled(field+".target_entities", flow.TargetEntities)
		v.filled(field+".legal_entities", flow.LegalEntities)
		v.refs(field+".outputs", "output", flow.Outputs, outputs)
		if len(flow.Outputs) == 0 {
			v.fail(field+".outputs", "", "name an output, or leave the line out for all of them", "rows of this flow would land nowhere")
		}
		if len(environments) > 0 {
			v.refs(field+".environments", "environment", flow.Environments, environments)
		} else {
			v.plain(field+".environments", flow.Environments)
		}
		v.ways(field+".source", flow.Source)
		v.queues(field+".queues", flow.Queues)
		v.filled(field+".projects", flow.Projects)
		v.program(field+".when", flow.When, "the condition is jq on the event's JSON, for example .NoOfRecords > 0")
		v.queue(field+".queue", &flow.Queue)
		v.project(field+".project", flow)
		v.cadence(field+".cadence", &flow.Cadence)
		v.read(field+".read", &flow.Read)
		v.columns(field, flow)
	}
}

func (v *validator) refs(field, kind string, names, known []string) {
	for i, name := range names {
		at := field + "[" + itoa(i) + "]"
		if !slices.Contains(known, name) {
			v.fail(at, name, suggest(name, known), "no "+kind+" of this name")
		} else if slices.Contains(names[:i], name) {
			v.fail(at, name, "remove one", "named twice")
		}
	}
}

// plain checks environment names where none is configured and any is accepted.
func (v *validator) plain(field string, names []string) {
	for i, name := range names {
		if !validName(name) {
			v.fail(field+"["+itoa(i)+"]", name, nameHint, "not a name")
		}
	}
}

func (v *validator) filled(field string, values []string) {
	for i, value := range values {
		if strings.TrimSpace(value) == "" {
			v.fail(field+"["+itoa(i)+"]", "", "remove it, or name something", "empty: it would match nothing")
		}
	}
}

// program compiles a jq program as flows will, without modules, variables or
// the environment of the process.
func (v *validator) program(field, program, hint string) {
	if program == "" {
		return
	}
	query, err := gojq.Parse(program)
	if err == nil {
		_, err = gojq.Compile(query)
	}
	if err == nil {
		return
	}
	pe, ok := errors.AsType[*gojq.ParseError](err)
	if !ok {
		v.failCause(field, program, hint, fmt.Errorf("not a jq program: %w", err))
		return
	}
	e := v.failCause(field, program, hint, fmt.Errorf("not a jq program: %w", err))
	if e.Value != program { // the parser's message quotes what is hidden
		e.Err = errors.New("not a jq program")
		return
	}
	if p, exact := v.c.source.at(field); exact {
		e.Line, e.Column = p.inside(program, pe.Offset-len(pe.Token))
		e.Excerpt = v.c.source.markInside(p, e.Line, e.Column)
	}
}

func (v *validator) read(field string, r *Read) {
	delimiter, ok := r.DelimiterChar()
	if !ok {
		v.fail(field+".delimiter", r.Delimiter, wantDelimiter, "not a delimiter")
	}
	quote, ok := r.QuoteChar()
	if !ok {
		v.fail(field+".quote", r.Quote, wantQuote, "not a quote")
	}
	if delimiter != 0 && delimiter == quote {
		v.fail(field+".quote", r.Quote, "choose two different characters", "the delimiter too")
	}
	v.encoding(field+".encoding", r.Encoding, true)
	v.encoding(field+".fallback_encoding", r.FallbackEncoding, false)
	v.children(field+".children", r)
	v.filled(field+".columns", r.Columns)
	if r.Header && len(r.Columns) > 0 {
		v.fail(field+".columns", "", "set header: false, or take the names from the files' headers and leave columns out", "names columns of files that have a header")
	}
	for i, name := range r.Columns {
		if slices.Contains(r.Columns[:i], name) {
			v.fail(field+".columns["+itoa(i)+"]", name, "rename one: a row has each key once", "named twice")
		}
	}
}

// elementPath is a path of XML names (XML 1.0, fifth edition, 2.3).
var elementPath = func() *regexp.Regexp {
	const start = `:A-Z_a-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}\x{200D}\x{2070}-\x{218F}` +
		`\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}`
	const name = `[` + start + `][` + start + `\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}\x{2040}]*`
	return regexp.MustCompile(`^` + name + `(/` + name + `)*$`)
}()

// children checks the names as the reader will.
func (v *validator) children(field string, r *Read) {
	if len(r.Children) > 0 && (r.Format == "csv" || r.Format == "json") {
		v.fail(field, "", "remove it, or set format to xml", "names elements of XML, but the format is "+r.Format)
	}
	v.filled(field, r.Children)
	for i, path := range r.Children {
		at := field + "[" + itoa(i) + "]"
		if slices.Contains(r.Children[:i], path) {
			v.fail(at, path, "remove one", "named twice")
		} else if strings.TrimSpace(path) != "" && (!utf8.ValidString(path) || !elementPath.MatchString(path)) {
			v.fail(at, path, "the element's name, or a path of names from the row down, for example LINE/CHARGE", "not a name of XML elements")
		}
	}
}

// encoding checks a name. Of the encodings that the web knows, three cannot be
// read: what a byte means in ISO-2022-JP depends on all before it, and the
// other two are not encodings of text.
func (v *validator) encoding(field, name string, detect bool) {
	if detect && name == "auto" {
		return
	}
	known := "for example utf-8, utf-16le, windows-1252, iso-8859-15, shift_jis"
	enc, err := htmlindex.Get(name)
	if err != nil {
		v.fail(field, name, known, "not a known encoding")
		return
	}
	switch canonical, err := htmlindex.Name(enc); {
	case err != nil, slices.Contains([]string{"iso-2022-jp", "replacement", "x-user-defined"}, canonical):
		v.fail(field, name, known, "not an encoding that is read here")
	case !detect && strings.HasPrefix(canonical, "utf-16"):
		v.fail(field, name, "UTF-16 is found without help; name the code page of files that are not Unicode", "cannot be a fallback")
	}
}

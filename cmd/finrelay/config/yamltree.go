package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits on the shape of the text. The parser recurses into brackets and its
// time grows with the square of their depth; a configuration has five levels.
const (
	maxBrackets  = 50   // open at the same time
	maxLineBytes = 8192 // "- - - -" opens a level every two bytes
	maxAliases   = 50   // anchors that refer to anchors
)

func newDecoder(name string, data []byte, env func(string) (string, bool)) *decoder {
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	return &decoder{
		env:     env,
		dir:     filepath.Dir(name),
		anchors: map[string]ast.Node{},
		source: &source{
			file:   name,
			lines:  func() []string { return lines },
			places: map[string]place{},
		},
	}
}

// parse gives the root mapping, or nil for an empty or an unreadable file; the
// latter leaves a problem.
func (d *decoder) parse(data []byte) (root ast.Node) {
	defer func() {
		if r := recover(); r != nil { // the parser's fault, but the operator needs a message
			root = nil
			d.problems = append(d.problems, &Error{File: d.source.file, Err: errors.New("not YAML that can be read"), Hint: "take the file apart to find the section that is at fault"})
		}
	}()
	if err := d.checkShape(data); err != nil {
		d.problems = append(d.problems, err)
		return nil
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		d.problems = append(d.problems, d.syntaxError(err))
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			t := doc.Body.GetToken().Position
			d.problems = append(d.problems, &Error{File: d.source.file, Line: t.Line, Column: t.Column,
				Err: errors.New("a second YAML document"), Hint: "one file holds one configuration: remove the --- line"})
			return nil
		}
		root = doc.Body
	}
	if root != nil {
		ast.Walk(anchorCollector(d.anchors), root)
		if root = d.resolve(root); root != nil && root.Type() == ast.NullType {
			return nil
		}
		d.mark("", pair{node: root}, reflect.TypeFor[Config]())
	}
	return root
}

func (d *decoder) checkShape(data []byte) *Error {
	for i, line := range d.source.lines() {
		if len(line) > maxLineBytes {
			return &Error{File: d.source.file, Line: i + 1, Column: 1, Err: fmt.Errorf("line longer than %d bytes", maxLineBytes)}
		}
	}
	depth := 0
	for _, t := range lexer.Tokenize(string(data)) {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		}
		if depth > maxBrackets {
			return &Error{File: d.source.file, Line: t.Position.Line, Column: t.Position.Column, Err: fmt.Errorf("more than %d brackets inside each other", maxBrackets)}
		}
	}
	return nil
}

// syntaxError takes message and place from the parser's error. The text of the
// token stays out, which for an unclosed quote may be a secret.
func (d *decoder) syntaxError(err error) *Error {
	e := &Error{File: d.source.file, Err: errors.New("not YAML")}
	if strings.Contains(err.Error(), "'\t'") || strings.Contains(err.Error(), "tab character") {
		e.Hint = "indent with spaces"
	}
	if ye, ok := errors.AsType[yaml.Error](err); ok {
		e.Err = fmt.Errorf("not YAML: %s", parserMessage(ye.GetMessage()))
		if t := ye.GetToken(); t != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
			e.Excerpt = d.source.excerpt(e.Line, e.Column, "")
			if strings.HasPrefix(strings.TrimSpace(t.Origin), "{") && t.Prev != nil && strings.HasSuffix(t.Prev.Origin, "$") {
				e.Hint = `inside [ ] and { } write a variable in quotes: "${NAME}"`
			}
		}
	}
	return e
}

package config

import (
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// mark remembers the place of a value: of a scalar where it stands, of a
// section or list where its key stands.
func (d *decoder) mark(field string, p pair, t reflect.Type) {
	node := p.node
	at := place{line: p.line, column: p.column, shown: p.name + ": …", hidden: isAddress(t)}
	if p.name == "" || isScalar(node) {
		tk := startToken(node)
		if tk == nil {
			return
		}
		at = place{line: tk.Position.Line, column: tk.Position.Column, hidden: isAddress(t)}
		if text, ok := scalarText(node); ok && mayShow(t) && !inDoubt(field, text) && !inDoubt(field, strings.Trim(tk.Origin, " \t\r\n\"'")) {
			at.judged = true
			at.shown, _, _ = strings.Cut(strings.TrimSpace(tk.Origin), "\n")
			at.verbatim = strings.Contains(tk.Origin, tk.Value)
			if lit, ok := node.(*ast.LiteralNode); ok {
				body := lit.Value.GetToken()
				at.indent = len(body.Origin) - len(strings.TrimLeft(body.Origin, " "))
				at.verbatim = at.indent > 0 && tk.Value == "|"
			}
		}
	}
	d.source.places[field] = at
	if isScalar(node) {
		d.source.show(at.line, at.column, at.shown)
	}
}

// mayShow reports whether the text of a setting of type t can be repeated. Text
// where a section or list is wanted cannot: the list may be one of keys.
func mayShow(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice:
		return false // Secret is a struct
	}
	return !isAddress(t)
}

// isAddress reports whether a setting of type t holds an address, whose text
// is never repeated.
func isAddress(t reflect.Type) bool {
	return t == reflect.TypeFor[ProxyURL]() || t == reflect.TypeFor[Address]()
}

func isScalar(node ast.Node) bool {
	_, ok := scalarText(node)
	return ok
}

// scalarText gives a scalar as it is written: 007 stays 007.
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// startToken is where a node begins for a reader, which for a block mapping is
// its first key, not the colon after it.
func startToken(node ast.Node) *token.Token {
	for range maxAliases {
		switch n := node.(type) {
		case nil:
			return nil
		case *ast.MappingNode:
			if n.IsFlowStyle || len(n.Values) == 0 {
				return n.GetToken()
			}
			node = n.Values[0].Key
		case *ast.MappingValueNode:
			node = n.Key
		default:
			return n.GetToken()
		}
	}
	return nil
}

func kindOf(node ast.Node) string {
	switch node.(type) {
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a section"
	case *ast.TagNode:
		return "a value with a !tag, which is not read here"
	}
	return "a single value"
}

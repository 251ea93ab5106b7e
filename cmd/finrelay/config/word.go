package config

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/invopop/jsonschema"
)

// Word is one of a few words of which null is one. YAML takes that word for no
// value at all, and a setting without a value keeps its default: without a type
// of its own "on_type_error: null" would silently mean the default.
type Word string

// word gives the text of a null that is written as the word.
func word(node ast.Node) (string, bool) {
	// A value left out is a null too, of another type of token.
	if t := node.GetToken(); t != nil && t.Type == token.NullType && t.Value == "null" {
		return t.Value, true
	}
	return "", false
}

// allowNull lets the word stand without quotes.
func allowNull(s *jsonschema.Schema) []*jsonschema.Schema {
	for _, v := range s.Enum {
		if v == "null" {
			return []*jsonschema.Schema{{Type: "null"}}
		}
	}
	return nil
}

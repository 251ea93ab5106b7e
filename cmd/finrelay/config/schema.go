package config

import (
	_ "embed" // the comments of settings.go
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

//go:embed settings.go
var settingsSource string

// Schema gives the JSON Schema (draft 2020-12) of the file, for editors. Its
// descriptions are the comments of the types.
func Schema() ([]byte, error) {
	comments, err := fieldComments(settingsSource)
	if err != nil {
		return nil, fmt.Errorf("read the settings' comments: %w", err)
	}
	r := &jsonschema.Reflector{
		Anonymous:                  true,
		ExpandedStruct:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		LookupComment: func(t reflect.Type, field string) string {
			return comments[t.Name()+"."+field]
		},
	}
	s := r.Reflect(&Config{})
	s.Title = "finrelay configuration"
	allowVariables(s)
	for _, def := range s.Definitions {
		allowVariables(def)
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return append(text, '\n'), nil
}

// allowVariables lets "${NAME}" stand where a number, a switch or one of a
// few words is wanted, as the decoder does.
func allowVariables(s *jsonschema.Schema) {
	if s.Properties == nil {
		return
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		was := p.Value
		if was.Items != nil && len(was.Items.Enum) > 0 {
			was.Items = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
				{Type: was.Items.Type, Enum: was.Items.Enum},
				{Type: "string", Pattern: `\$\{`},
			}}
		}
		if was.Type != "boolean" && was.Type != "integer" && len(was.Enum) == 0 {
			continue
		}
		p.Value = &jsonschema.Schema{
			Description: was.Description,
			AnyOf: append([]*jsonschema.Schema{
				{Type: was.Type, Enum: was.Enum},
				{Type: "string", Pattern: `\$\{`},
			}, allowNull(was)...),
		}
	}
}

// JSONSchema describes the two ways to write a secret.
func (Secret) JSONSchema() *jsonschema.Schema {
	file := jsonschema.NewProperties()
	file.Set("file", &jsonschema.Schema{Type: "string", Description: "File that holds the secret."})
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "string", MinLength: ptr(uint64(1))},
		{Type: "object", Properties: file, Required: []string{"file"}, AdditionalProperties: jsonschema.FalseSchema},
	}}
}

func ptr[T any](v T) *T { return &v }

// fieldComments gives the comment of each field in a Go file as one line, by
// "Type.Field".
func fieldComments(source string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "settings.go", source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	comments := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if body, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range body.Fields.List {
				for _, name := range f.Names {
					comments[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
				}
			}
		}
		return false
	})
	return comments, nil
}

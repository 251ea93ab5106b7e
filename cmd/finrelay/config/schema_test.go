package config

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// node is the little of JSON Schema that Schema uses.
type node struct {
	Schema      string           `json:"$schema"`
	Ref         string           `json:"$ref"`
	Defs        map[string]*node `json:"$defs"`
	Type        string           `json:"type"`
	Description string           `json:"description"`
	Properties  map[string]*node `json:"properties"`
	Items       *node            `json:"items"`
	AnyOf       []*node          `json:"anyOf"`
	Enum        []any            `json:"enum"`
	Extra       json.RawMessage  `json:"additionalProperties"`
}

func readSchema(t *testing.T) *node {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	root := new(node)
	if err := json.Unmarshal(text, root); err != nil {
		t.Fatal(err)
	}
	return root
}

// accepts checks value against the schema n, reporting every place that the
// schema does not allow.
func accepts(t *testing.T, root, n *node, path string, value any) {
	t.Helper()
	for n.Ref != "" {
		n = root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		if n == nil {
			t.Fatalf("%s: a $ref to nothing", path)
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for _, o := range n.AnyOf {
			if o.Type == "object" {
				n = o
			}
		}
		for key, item := range v {
			at := path + "." + key
			if p, ok := n.Properties[key]; ok {
				accepts(t, root, p, at, item)
				continue
			}
			var extra node
			if len(n.Extra) == 0 || json.Unmarshal(n.Extra, &extra) != nil {
				t.Errorf("%s: the schema has no such key", at)
				continue
			}
			accepts(t, root, &extra, at, item)
		}
	case []any:
		n = asList(n)
		if n.Items == nil {
			t.Errorf("%s: a list, which the schema does not allow", path)
			return
		}
		for _, item := range v {
			accepts(t, root, n.Items, path+"[]", item)
		}
	default:
		kind := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Uint64: "integer"}[reflect.ValueOf(value).Kind()]
		options := append([]*node{n}, n.AnyOf...)
		for _, o := range options {
			if o.Type == kind && (len(o.Enum) == 0 || contains(o.Enum, value)) {
				return
			}
		}
		t.Errorf("%s: %v (%s) is not what the schema allows", path, value, kind)
	}
}

// asList is the alternative of n that is a list, if it has one.
func asList(n *node) *node {
	for _, o := range n.AnyOf {
		if o.Type == "array" {
			return o
		}
	}
	return n
}

func contains(list []any, value any) bool {
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}

func TestSchemaAcceptsWhatTheDecoderAccepts(t *testing.T) {
	root := readSchema(t)
	if root.Schema != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("$schema is %q", root.Schema)
	}
	for name, text := range map[string]string{
		"sample":     Sample(),
		"everything": everything,
		"variables":  "insecure: ${A}\nmatch: ${B}\nworkers: {fetch: '${C}'}\ndoors: {finops: {max_body: 1024, keys: [{file: x}, y]}}\nalert_on: ['${D}', stray_quotes]\n",
	} {
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { accepts(t, root, root, "", doc) })
	}
}

// TestSchemaDescribesEverySetting: each setting is in the schema with its
// comment, and nothing else is.
func TestSchemaDescribesEverySetting(t *testing.T) {
	root := readSchema(t)
	var look func(typ reflect.Type, n *node, path string)
	look = func(typ reflect.Type, n *node, path string) {
		for n.Ref != "" {
			n = root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		}
		switch typ.Kind() {
		case reflect.Slice:
			look(typ.Elem(), asList(n).Items, path+"[]")
		case reflect.Map:
			extra := new(node)
			if err := json.Unmarshal(n.Extra, extra); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			look(typ.Elem(), extra, path+".NAME")
		case reflect.Struct:
			if typ == secretType {
				return
			}
			fields := fieldsOf(typ)
			if len(fields) != len(n.Properties) || string(n.Extra) != "false" {
				t.Errorf("%s: %d settings, %d in the schema, other keys: %s", path, len(fields), len(n.Properties), n.Extra)
			}
			for _, f := range fields {
				p, ok := n.Properties[f.name]
				if !ok || p.Description == "" {
					t.Errorf("%s.%s: in the schema: %t, or without description", path, f.name, ok)
					continue
				}
				look(f.typ, p, path+"."+f.name)
			}
		}
	}
	look(reflect.TypeFor[Config](), root, "")
}

func TestSchemaRefusesUnknownWords(t *testing.T) {
	root := readSchema(t)
	n := root.Properties["match"]
	if len(n.AnyOf) == 0 || !contains(n.AnyOf[0].Enum, "first") || contains(n.AnyOf[0].Enum, "some") {
		t.Errorf("match: %+v", n)
	}
}

func TestSampleLoadsAndLintsClean(t *testing.T) {
	c := mustParse(t, Sample(), map[string]string{"FINRELAY_KEY": "0123456789abcdef0123456789abcdef"})
	if findings := Lint(c, Facts{}); len(findings) > 0 {
		t.Errorf("findings:\n%s", printFindings(findings))
	}
	if len(c.Flows) != 3 || c.Environments["prod"].Fetchers != 4 {
		t.Errorf("the sample is not what was read: %+v", c)
	}
}

package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder puts the nodes of a YAML file into a Config. It collects problems
// instead of stopping at the first.
type decoder struct {
	env      func(string) (string, bool)
	source   *source
	dir      string
	anchors  map[string]ast.Node
	problems []*Error
}

var secretType = reflect.TypeFor[Secret]()

// problem records a fault in the value of field, which must have its place.
func (d *decoder) problem(field, value, hint string, err error) {
	d.problems = append(d.problems, d.source.locate(&Error{Field: field, Hint: hint, Err: err}, value))
}

// keyProblem records a fault in a key. What stands right of it is not shown:
// under a misspelt name it may be a secret.
func (d *decoder) keyProblem(key pair, field, value, hint string, err error) {
	e := &Error{File: d.source.file, Field: field, Value: value, Hint: hint, Err: err}
	e.Line, e.Column = key.line, key.column
	token := ""
	if value == key.name {
		token = key.name + ": …"
		d.source.show(key.line, key.column, key.name)
	}
	e.Excerpt = d.source.excerpt(e.Line, e.Column, token)
	d.problems = append(d.problems, e)
}

// value decodes node into v, the setting called field.
func (d *decoder) value(node ast.Node, field string, v reflect.Value) {
	node = d.resolve(node)
	if node == nil {
		return
	}
	if text, ok := word(node); ok && v.Type() == reflect.TypeFor[Word]() {
		v.SetString(text)
		return
	}
	if node.Type() == ast.NullType {
		return // a key without a value keeps its default
	}
	switch {
	case v.Type() == secretType:
		d.secret(node, field, v)
	case v.CanAddr() && v.Addr().Type().Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		d.scalar(node, field, v)
	case v.Kind() == reflect.Struct:
		d.section(node, field, v)
	case v.Kind() == reflect.Map:
		d.entries(node, field, v)
	case v.Kind() == reflect.Slice:
		d.list(node, field, v)
	default:
		d.scalar(node, field, v)
	}
}

// section decodes a mapping with known keys.
func (d *decoder) section(node ast.Node, field string, v reflect.Value) {
	pairs, ok := d.mapping(node, field, "a section with keys")
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
next:
	for _, p := range pairs {
		at := strings.TrimPrefix(field+"."+p.name, ".")
		for _, f := range fields {
			if f.name == p.name {
				d.source.show(p.line, p.column, p.name)
				d.mark(at, p, f.typ)
				d.value(p.node, at, v.Field(f.index))
				continue next
			}
		}
		name := shownKey(p.name)
		if v.Type().Name() == "" {
			name = redacted // {file: path} of a secret: the secret itself, in braces
		}
		hint := suggest(p.name, names)
		if elsewhere := homes(p.name); v.Type().Name() != "" && len(elsewhere) > 0 && nearest(p.name, names) == "" {
			hint = "it belongs under " + strings.Join(elsewhere, " or ")
		}
		d.keyProblem(p, strings.TrimSuffix(field, "."), name, hint, errors.New("unknown key"))
	}
}

// entries decodes a mapping whose keys are names the writer chose.
func (d *decoder) entries(node ast.Node, field string, v reflect.Value) {
	pairs, ok := d.mapping(node, field, "a section with one name for each entry")
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, p := range pairs {
		at := field + "." + p.name
		if !validName(p.name) {
			d.keyProblem(p, field, shownKey(p.name), nameHint, errors.New("not a name"))
			continue
		}
		d.source.show(p.line, p.column, p.name)
		d.mark(at, p, v.Type().Elem())
		entry := newEntry(v.Type().Elem())
		d.value(p.node, at, entry)
		v.SetMapIndex(reflect.ValueOf(p.name), entry)
	}
}

func (d *decoder) list(node ast.Node, field string, v reflect.Value) {
	seq, ok := node.(*ast.SequenceNode)
	switch {
	case ok:
	case v.Type() == reflect.TypeFor[Ways]() && isScalar(node):
		seq = &ast.SequenceNode{Values: []ast.Node{node}} // one, without brackets
	default:
		d.problem(field, "", "write [one, two], or each on a line of its own after \"- \"", fmt.Errorf("a list is wanted, this is %s", kindOf(node)))
		return
	}
	items := reflect.MakeSlice(v.Type(), 0, len(seq.Values))
	for i, n := range seq.Values {
		at := fmt.Sprintf("%s[%d]", field, i)
		d.mark(at, pair{node: n}, v.Type().Elem())
		if n = d.resolve(n); n == nil {
			continue // an alias without its anchor, which was reported
		}
		if n.Type() == ast.NullType {
			d.problem(at, "", "remove the item or give it a value", errors.New("empty list item"))
			continue
		}
		item := newEntry(v.Type().Elem())
		d.value(n, at, item)
		items = reflect.Append(items, item)
	}
	v.Set(items)
}

// newEntry makes an element of a list or map, with its type's defaults.
func newEntry(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if def, ok := v.Interface().(defaulter); ok {
		def.setDefaults()
	}
	return v.Elem()
}

// scalar decodes text, a number or a switch, after expanding its variables:
// what a variable held is never looked at as YAML.
func (d *decoder) scalar(node ast.Node, field string, v reflect.Value) {
	text, ok := d.text(node, field, func(name string) (string, bool, error) {
		value, ok := d.env(name)
		return value, ok, nil
	})
	if !ok {
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			d.problem(field, text, "", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			d.problem(field, text, "", errors.New("not a whole number"))
			return
		}
		v.SetInt(n)
	case reflect.Bool:
		if text != "true" && text != "false" {
			d.problem(field, text, "write true or false", errors.New("neither true nor false"))
			return
		}
		v.SetBool(text == "true")
	}
}

// secret decodes text, or {file: path}.
func (d *decoder) secret(node ast.Node, field string, v reflect.Value) {
	if _, ok := node.(ast.MapNode); ok {
		var from struct {
			File string `yaml:"file" path:"local"`
		}
		d.section(node, field, reflect.ValueOf(&from).Elem())
		if from.File == "" {
			d.problem(field, "", "write the secret as text or as {file: path}", errors.New("no file named"))
			return
		}
		path := within(d.dir, from.File)
		text, err := readSecret(path)
		if err != nil {
			d.problem(field+".file", "", "", d.source.hush(field+".file", err))
			return
		}
		d.source.secretFiles = append(d.source.secretFiles, secretFile{field, path})
		v.Set(reflect.ValueOf(NewSecret(text)))
		return
	}
	if text, ok := d.text(node, field, d.secretLookup(field)); ok {
		v.Set(reflect.ValueOf(NewSecret(text)))
	}
}

// text gives the expanded text of a scalar.
func (d *decoder) text(node ast.Node, field string, find lookup) (string, bool) {
	written, ok := scalarText(node)
	if !ok {
		d.problem(field, "", "", fmt.Errorf("a single value is wanted, this is %s", kindOf(node)))
		return "", false
	}
	text, used, failed := expand(written, find)
	p := d.source.places[field]
	if failed != nil {
		e := &Error{File: d.source.file, Field: field, Hint: failed.hint, Err: failed.err}
		e.Line, e.Column = p.inside(written, failed.offset)
		e.Excerpt = d.source.markInside(p, e.Line, e.Column)
		d.problems = append(d.problems, e)
		return "", false
	}
	p.expanded = used
	p.verbatim = p.verbatim && text == written
	d.source.places[field] = p
	return text, true
}

package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// structField is one setting of a section, as the file names it.
type structField struct {
	name  string
	index int
	typ   reflect.Type
	tag   reflect.StructTag
}

// fieldsOf lists the settings of a section type in the order of its comments.
func fieldsOf(t reflect.Type) []structField {
	var fields []structField
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("yaml"); name != "" {
			fields = append(fields, structField{name, i, f.Type, f.Tag})
		}
	}
	return fields
}

// enum gives the values that a setting's tag allows, none for any.
func (f structField) enum() []string {
	var values []string
	for part := range strings.SplitSeq(f.tag.Get("jsonschema"), ",") {
		if v, ok := strings.CutPrefix(part, "enum="); ok {
			values = append(values, v)
		}
	}
	return values
}

// visitor is called with each setting, its path and its place in the types.
type visitor func(path string, v reflect.Value, f structField)

// walk calls visit for every setting below v, sections included, parents
// first, maps by sorted key. It writes nothing, so readers may share v.
func walk(v reflect.Value, path string, visit visitor) { tour(v, path, false, visit) }

// change is walk for visitors that set the values.
func change(v reflect.Value, path string, visit visitor) { tour(v, path, true, visit) }

func tour(v reflect.Value, path string, keep bool, visit visitor) {
	switch v.Kind() {
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			at := strings.TrimPrefix(path+"."+f.name, ".")
			visit(at, v.Field(f.index), f)
			tour(v.Field(f.index), at, keep, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			tour(v.Index(i), fmt.Sprintf("%s[%d]", path, i), keep, visit)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			entry := reflect.New(v.Type().Elem()).Elem()
			entry.Set(v.MapIndex(key))
			tour(entry, path+"."+key.String(), keep, visit)
			if keep {
				v.SetMapIndex(key, entry)
			}
		}
	}
}

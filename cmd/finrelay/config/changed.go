package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// KeepFixed gives c the values of before for the settings that hold from a
// server's start to its end, and names those that differed.
func (c *Config) KeepFixed(before *Config) (differed []string) {
	fixed := []struct {
		field string
		is    bool
	}{
		{"state", c.State != before.State},
		{"listen", c.Listen != before.Listen},
		{"insecure", c.Insecure != before.Insecure},
		{"log.format", c.Log.Format != before.Log.Format},
		{"tls", (c.TLS.Certificate == "") != (before.TLS.Certificate == "")}, // a certificate may have another file
	}
	for _, f := range fixed {
		if f.is {
			differed = append(differed, f.field)
		}
	}
	c.State, c.Listen, c.Insecure, c.Log.Format = before.State, before.Listen, before.Insecure, before.Log.Format
	if slices.Contains(differed, "tls") {
		c.TLS = before.TLS
	}
	return differed
}

// Lost names the parts that before's file had and c's has not: an editor that was
// cut off, or a file that is not there, leaves what holds without a file, which
// is another configuration and nobody's wish. A part that is there and empty was
// meant.
func (c *Config) Lost(before *Config) (parts []string) {
	for _, part := range []string{"environments", "flows", "outputs", "doors"} {
		if before.has(part) && !c.has(part) {
			parts = append(parts, part)
		}
	}
	return parts
}

func (c *Config) has(field string) bool {
	if c.source == nil {
		return false
	}
	_, ok := c.source.places[field]
	return ok
}

// Changed names the settings that differ, by their place in the file and without
// their values. A list that became longer or shorter is one setting.
func Changed(before, after *Config) []string {
	var found []string
	differ("", reflect.ValueOf(*before), reflect.ValueOf(*after), &found)
	return found
}

func differ(field string, a, b reflect.Value, found *[]string) {
	switch {
	case isSection(a.Type()):
		for i := range a.NumField() {
			if name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ","); name != "" {
				differ(join(field, name), a.Field(i), b.Field(i), found)
			}
		}
	case a.Kind() == reflect.Map && isSection(a.Type().Elem()):
		names := map[string]bool{}
		for _, m := range []reflect.Value{a, b} {
			for _, k := range m.MapKeys() {
				names[k.String()] = true
			}
		}
		for _, name := range sortedKeys(names) {
			was, is := a.MapIndex(reflect.ValueOf(name)), b.MapIndex(reflect.ValueOf(name))
			if was.IsValid() && is.IsValid() {
				differ(join(field, name), was, is, found)
			} else {
				*found = append(*found, join(field, name))
			}
		}
	case a.Kind() == reflect.Slice && isSection(a.Type().Elem()) && a.Len() == b.Len():
		for i := range a.Len() {
			differ(fmt.Sprintf("%s[%d]", field, i), a.Index(i), b.Index(i), found)
		}
	case !reflect.DeepEqual(a.Interface(), b.Interface()):
		*found = append(*found, field)
	}
}

// isSection says whether a type holds settings, and is none itself.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != secretType && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

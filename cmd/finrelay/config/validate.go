package config

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// validator collects what is wrong with a Config.
type validator struct {
	c        *Config
	problems []*Error
}

// Validate checks everything that can be checked without running: names and
// what refers to them, templates, conditions, addresses, sizes, and that
// certificate files can be loaded. It gives nil, one *Error or several joined.
// Load and Parse call it; a Config made by hand calls it after filling in.
func (c *Config) Validate() error {
	v := &validator{c: c}
	v.enums()
	v.listener()
	v.numbers()
	v.door()
	v.environments()
	v.outputs()
	v.folders()
	v.flows()
	if c.source != nil {
		c.source.reshow(v.problems)
	}
	return joinProblems(v.problems)
}

// fail records a problem with the value of field. The text must not repeat the
// value: it may have come out of a variable.
func (v *validator) fail(field, value, hint, text string) *Error {
	e := v.c.source.locate(&Error{Field: field, Hint: hint, Err: errors.New(text)}, value)
	v.problems = append(v.problems, e)
	return e
}

// failCause is fail with the cause kept for errors.Is and errors.As. Where the
// value is hidden so is the text of the cause, which may repeat it.
func (v *validator) failCause(field, value, hint string, err error) *Error {
	e := v.c.source.locate(&Error{Field: field, Hint: hint, Err: err}, value)
	if e.Value != value {
		e.Err = unsaid{err}
	}
	v.problems = append(v.problems, e)
	return e
}

// enums checks every setting whose values the type's tags list.
func (v *validator) enums() {
	walk(reflect.ValueOf(v.c).Elem(), "", func(field string, value reflect.Value, f structField) {
		allowed := f.enum()
		if len(allowed) == 0 {
			return
		}
		if value.Kind() != reflect.Slice {
			v.oneOf(field, value.String(), allowed)
			return
		}
		for i := range value.Len() {
			v.oneOf(field+"["+itoa(i)+"]", value.Index(i).String(), allowed)
		}
	})
}

func (v *validator) oneOf(field, value string, allowed []string) {
	if !slices.Contains(allowed, value) {
		v.fail(field, value, suggestValue(value, allowed), "not a value of this setting")
	}
}

func suggestValue(word string, allowed []string) string {
	hint := "one of " + strings.Join(allowed, ", ")
	if near := nearest(word, allowed); near != "" {
		hint += "; did you mean " + near + "?"
	}
	return hint
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

const nameHint = "names have letters, digits, _ and -, start with a letter or digit, and are at most 64 long: they stand in addresses and in folder names"

func validName(s string) bool { return namePattern.MatchString(s) }

// names checks the keys of a section. Two that differ in letter case only would
// be one folder on a system that folds case.
func (v *validator) names(section string, names []string) {
	seen := map[string]string{}
	for _, name := range names {
		if !validName(name) {
			v.fail(section+"."+name, name, nameHint, "not a name")
		}
		if other, ok := seen[strings.ToLower(name)]; ok {
			v.fail(section+"."+name, name, "rename "+name+" or "+other, "differs from another name in letter case only")
		}
		seen[strings.ToLower(name)] = name
	}
}

const (
	minBody    = 1 << 10
	maxBody    = 64 << 20 // bodies are kept in the ledger
	maxWorkers = 1024
)

func (v *validator) numbers() {
	c := v.c
	count := func(field string, n, least int) {
		if n < least || n > maxWorkers {
			v.fail(field, itoa(n), "a number from "+itoa(least)+" to "+itoa(maxWorkers), "out of range")
		}
	}
	count("workers.fetch", c.Workers.Fetch, 1)
	count("workers.deliver", c.Workers.Deliver, 0)
	for _, name := range sortedKeys(c.Environments) {
		count("environments."+name+".fetchers", c.Environments[name].Fetchers, 0)
	}
	if c.Retention.Identities < day {
		v.fail("retention.identities", c.Retention.Identities.String(), "at least 1d; FinOps can resend an event for months", "too short")
	}
	if c.State == "" {
		v.fail("state", "", "name a folder on a local disk", "empty")
	}
}

func (v *validator) door() {
	door := &v.c.Doors.FinOps
	if door.MaxBody < minBody || door.MaxBody > maxBody {
		v.fail("doors.finops.max_body", door.MaxBody.String(), "from 1KiB to 64MiB", "out of range")
	}
	v.keys("doors.finops.keys", door.Keys)
	walk(reflect.ValueOf(&door.Fields).Elem(), "doors.finops.fields", func(field string, value reflect.Value, _ structField) {
		names, ok := value.Interface().([]string)
		if ok && (len(names) == 0 || slices.Contains(names, "")) {
			v.fail(field, "", "name at least one key of the event, or leave the line out for the default", "no key to read")
		}
	})
}

func (v *validator) keys(field string, keys []Secret) {
	for i, key := range keys {
		at := field + "[" + itoa(i) + "]"
		switch {
		case key.IsZero():
			v.fail(at, "", "an empty key would let everybody in: set the variable, or remove the item", "empty key")
		case key.Reveal() == redacted:
			v.fail(at, "", "this is what config show prints in place of a key: write ${NAME} or {file: path}", "not a key")
		case strings.ContainsFunc(key.Reveal(), func(r rune) bool { return r <= ' ' || r == 0x7f }):
			v.fail(at, "", "look for a line break or space at the end of the value", "the key holds a space or control character")
		}
	}
}

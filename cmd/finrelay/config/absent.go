package config

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
)

// absence is something that the file names and this process does not have. The
// one that serves may: secrets are in its environment, and files in its hands.
type absence struct {
	*Error
	level  string // of Lint's finding
	secret bool   // or a file; else a variable of a plain setting
}

var absentSecret = Secret{absent: true}

// LoadToLook is Load for what only looks, and so needs no secret. A secret that
// cannot be had is a Secret that IsAbsent; files of certificates are not opened.
// A plain setting whose variable is not set keeps its default and nothing of
// the file is validated, as what is missing may be what would make it valid:
// see Unset. Everything else is as strict as Load.
func LoadToLook(path string, env func(string) (string, bool)) (*Config, error) {
	return load(path, env, true)
}

// Unset gives what is wrong with plain settings whose variables are not set:
// those named, with what is below them, or all. It is nil after Load, and its
// errors are those of Load.
func (c *Config) Unset(fields ...string) error {
	var problems []*Error
	for _, a := range c.absences() {
		named := slices.ContainsFunc(fields, func(f string) bool { return belongs(a.Field, f) })
		if !a.secret && (named || len(fields) == 0) {
			problems = append(problems, a.Error)
		}
	}
	if c.source != nil {
		c.source.reshow(problems)
	}
	return joinProblems(problems)
}

// belongs reports whether a field is one named, or below it.
func belongs(field, to string) bool {
	rest, ok := strings.CutPrefix(field, to)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Absent lists the secrets and certificates that LoadToLook did without, and
// what a person should know of each. An error is what keeps any process on this
// machine from serving.
func (c *Config) Absent() []Finding {
	var list []Finding
	for _, a := range c.absences() {
		if a.secret {
			list = append(list, Finding{a.level, a.Field, a.Line, a.Err.Error(), a.Hint})
		}
	}
	return list
}

func (c *Config) absences() []absence {
	if c.source == nil {
		return nil
	}
	return c.source.absent
}

// Looking reports whether c comes from LoadToLook: nothing is to be served, and
// nobody asked, by it.
func (c *Config) Looking() bool { return c.source != nil && c.source.look }

// forgo notes that a secret was to be read and could not be, when the file is
// only looked at.
func (d *decoder) forgo(e *Error, unset bool) bool {
	if !d.source.look {
		return false
	}
	a := absence{Error: e, level: LevelError, secret: true}
	if unset || errors.Is(e.Err, fs.ErrPermission) {
		a.level = LevelWarn
		e.Hint = "finrelay serve needs it; it was not looked at here"
	}
	d.source.absent = append(d.source.absent, a)
	return true
}

// leave notes that a setting's variable is not set, when the file is only
// looked at. A proxy's address holds a password as a rule: it is a secret.
func (d *decoder) leave(e *Error, t reflect.Type) bool {
	if t == reflect.TypeFor[ProxyURL]() {
		return d.forgo(e, true)
	}
	if d.source.look {
		d.source.absent = append(d.source.absent, absence{Error: e})
	}
	return d.source.look
}

// unjudged reports whether a setting may be wrong for want of a variable only.
func (c *Config) unjudged() bool {
	for _, a := range c.absences() {
		if !a.secret {
			return true
		}
	}
	return false
}

// file records that a file of certificates is not as it should be. Who only
// looks goes on without: it may be for another user's eyes.
func (v *validator) file(field, hint string, err error) {
	if !v.c.Looking() {
		v.failCause(field, "", hint, err)
		return
	}
	e := v.c.source.locate(&Error{Field: field, Hint: hint, Err: err}, "")
	a := absence{Error: e, level: LevelError, secret: true}
	if errors.Is(err, fs.ErrPermission) {
		a.level, e.Hint = LevelWarn, "finrelay serve must be able to read it"
	}
	v.c.source.absent = append(v.c.source.absent, a)
}

// IsAbsent reports whether the value of field was not to be had, or a part of it.
func (c *Config) IsAbsent(field string) bool {
	for _, a := range c.absences() {
		if belongs(a.Field, field) {
			return true
		}
	}
	return false
}

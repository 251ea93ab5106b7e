package config

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

// numberFormats are the ways to write numbers that the converter knows; a test
// compares the two.
var numberFormats = []string{"1234.56", "1,234.56", "1234,56", "1.234,56", "1 234,56"}

// columns checks what a flow makes of its rows.
func (v *validator) columns(field string, f *Flow) {
	read := map[string]bool{}
	given := map[string]string{} // by name in the rows: which setting gives it
	for i := range f.Columns {
		c, at := &f.Columns[i], field+".columns["+itoa(i)+"]"
		switch {
		case c.Name == "":
			v.fail(at+".name", "", "name the column as the file's header has it", "no column named")
		case read[c.Name]:
			v.fail(at+".name", c.Name, "put all about a column into one item", "named twice")
		}
		read[c.Name] = true
		v.column(at, c)
		if c.Drop || c.Name == "" {
			continue
		}
		name, where := c.Name, at+".name"
		if c.Rename != "" {
			name, where = c.Rename, at+".rename"
		}
		v.give(given, where, name)
	}
	for i, k := range f.Constants {
		at := field + ".constants[" + itoa(i) + "]"
		if k.Name == "" {
			v.fail(at+".name", "", "name the member that rows get", "no name")
			continue
		}
		v.give(given, at+".name", k.Name)
		v.constant(at+".value", k)
	}
	if f.Transform != "" && strings.TrimSpace(f.Transform) == "" {
		v.fail(field+".transform", "", "leave the line out to keep rows as they are", "no jq program")
		return
	}
	v.program(field+".transform", f.Transform, "the transform is jq on each row's object, for example del(.DATAAREAID)")
}

// give notes that rows have a member of the name.
func (v *validator) give(given map[string]string, where, name string) {
	if first := given[name]; first != "" {
		v.fail(where, name, "rename one: a row has each key once", "the name that "+first+" gives already")
		return
	}
	given[name] = where
}

func (v *validator) column(at string, c *Column) {
	if c.Drop && (c.Rename != "" || c.OmitEmpty || c.Type != "string") {
		v.fail(at+".drop", "", "leave drop out, or the other settings", "left out, and given a type or a name")
	}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
		v.fail(at+".zone", c.Zone, "a name such as Europe/Berlin or UTC", "not a time zone")
	} else if c.Zone != "UTC" && c.Type != "time" {
		v.fail(at+".zone", c.Zone, "set type: time", "only times have a zone")
	}
	if c.Format == "" {
		return
	}
	switch c.Type {
	case "integer", "decimal":
		if !slices.Contains(numberFormats, c.Format) {
			v.fail(at+".format", c.Format, "how the file writes this number: "+strings.Join(numberFormats, "; "), "not a format of numbers")
		}
	case "date", "time":
		if err := checkDateFormat(c.Format, c.Type); err != nil {
			v.failCause(at+".format", c.Format, "for example M/d/yyyy hh:mm:ss tt, or dd.MM.yyyy HH:mm", err)
		}
	case "string", "boolean":
		v.fail(at+".format", c.Format, "leave it out, or set the type", "only numbers, dates and times have a format")
	}
}

var (
	dateToken  = regexp.MustCompile(`^(yyyy|zzz|MM|dd|HH|hh|mm|ss|tt|[MdHhms])`)
	wholeValue = map[string]*regexp.Regexp{
		"integer": regexp.MustCompile(`^[+-]?[0-9]+$`),
		"decimal": regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`),
		"boolean": regexp.MustCompile(`^(?i:yes|no|true|false|1|0)$`),
	}
)

// checkDateFormat says what is wrong with a format as the converter would; a
// test compares the two.
func checkDateFormat(format, kind string) error {
	years, hours, small := false, false, false
	for rest := format; rest != ""; {
		if token := dateToken.FindString(rest); token != "" {
			years = years || token == "yyyy"
			hours = hours || strings.ContainsAny(token, "Hh")
			small = small || strings.ContainsAny(token, "ms")
			rest = rest[len(token):]
			continue
		}
		c := rest[0]
		if c == '\'' {
			text, after, closed := strings.Cut(rest[1:], "'")
			if !closed {
				return errors.New("a quote that is not closed")
			}
			if strings.ContainsAny(text, "0123456789_") || time.Unix(0, 0).Format(text) != text {
				return errors.New("quoted text that cannot be told from a date")
			}
			rest = after
			continue
		}
		if c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' && c != 'T' {
			return errors.New("letters that are no part of a date: quote them")
		}
		rest = rest[1:]
	}
	if !years || kind == "time" && small && !hours {
		return errors.New("a format without a year, or with minutes and no hour")
	}
	return nil
}

func (v *validator) constant(at string, k Constant) {
	pattern := wholeValue[k.Type]
	if pattern == nil || pattern.MatchString(strings.TrimSpace(k.Value)) {
		return
	}
	v.fail(at, k.Value, "write a value of the type, or leave the type out", "not of type "+k.Type)
}

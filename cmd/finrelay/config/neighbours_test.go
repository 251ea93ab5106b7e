package config

import (
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"finrelay/dmf"
	"finrelay/exporter/convert"
	"finrelay/exporter/fetch"
	"finrelay/exporter/outputs"
	"finrelay/state"
)

// The package imports few of its neighbours, and yet repeats some of what they
// say. These tests keep the two the same.

func TestFieldsAreTheEventReaders(t *testing.T) {
	ours, theirs := reflect.ValueOf(defaultFields()), reflect.ValueOf(dmf.DefaultFieldNames())
	if ours.NumField() != theirs.NumField() {
		t.Errorf("%d fields here, %d there", ours.NumField(), theirs.NumField())
	}
	for i := range ours.NumField() {
		name := ours.Type().Field(i).Name
		there := theirs.FieldByName(name)
		if !there.IsValid() || !reflect.DeepEqual(ours.Field(i).Interface(), there.Interface()) {
			t.Errorf("%s: %v here, %v there", name, ours.Field(i), there)
		}
	}
}

func TestHostsAreTheDownloaders(t *testing.T) {
	if !slices.Equal(DefaultLinkHosts(), fetch.DefaultHosts) {
		t.Errorf("%v here, %v there", DefaultLinkHosts(), fetch.DefaultHosts)
	}
}

func TestTemplatesAreTheOutputs(t *testing.T) {
	if got := Default().Outputs["out"].Path; got != outputs.DefaultTemplate {
		t.Errorf("default %q here, %q there", got, outputs.DefaultTemplate)
	}
	for _, template := range []string{
		"{export_id}", "a/{export_id}.jsonl", "{nope}/x", "../x", "/x", "x/", "a//b", "", "{a", "a}", "a:b", "a\\b", "./x",
		"a./b", "a /b", ".a", " a", "a.b/c", "{entity}.", "{entity}.x", "x\x01y", "~x", "a~b", "COM1/x",
	} {
		_, ours := checkTemplate(template)
		_, theirs := outputs.ParseTemplate(template)
		if ours == nil && theirs != nil {
			t.Errorf("template %q is accepted here and refused there: %v", template, theirs)
		}
	}
	for _, name := range Placeholders() {
		if _, err := outputs.ParseTemplate("{" + name + "}"); err != nil {
			t.Errorf("{%s}: %v", name, err)
		}
	}
}

func TestReadingIsTheConverters(t *testing.T) {
	for _, f := range fieldsOf(reflect.TypeFor[Read]()) {
		if f.name != "format" {
			continue
		}
		for _, format := range f.enum() {
			if format == "auto" {
				format = ""
			}
			if err := (convert.Options{Format: convert.Format(format)}).Validate(); err != nil {
				t.Errorf("format %q: %v", format, err)
			}
		}
	}
	for _, name := range []string{"utf-8", "utf-16le", "windows-1252", "latin1", "iso-2022-jp", "x-user-defined", "klingon", "shift_jis", "gb18030", "big5"} {
		v := validator{c: &Config{}}
		v.encoding("x", name, true)
		v.encoding("x", name, false)
		theirs := convert.Options{Encoding: name, Fallback: name}.Validate()
		if (len(v.problems) == 0) != (theirs == nil) {
			t.Errorf("encoding %s: %d problems here, there: %v", name, len(v.problems), theirs)
		}
	}
	for _, path := range []string{
		"LINE", "LINE/CHARGE", "a:b", "_", "-a", "9", "a9.-", "", "/", "a/", "/a", "a//b", "a b", "a\n", "@a", "#text", "Größe/Ü", "\u037e", "\u0370", "\ufffd", "\u2070/\u00b7", "a\u00b7", "\xff", "a\xff", "×", "a÷", "\u200b", "\U000EFFFF", "\U000F0000",
	} {
		v := validator{c: &Config{}}
		v.children("x", &Read{Children: []string{path}})
		theirs := convert.Options{Children: []string{path}}.Validate()
		if (len(v.problems) == 0) != (theirs == nil) {
			t.Errorf("child %q: %d problems here, there: %v", path, len(v.problems), theirs)
		}
	}
}

// TestCharactersAreTheConverters: so that no file that lint finds good is
// refused when it is read.
func TestCharactersAreTheConverters(t *testing.T) {
	for c := rune(-1); c <= utf8.MaxRune+1; c++ {
		theirs := convert.Options{Delimiter: c, NoQuote: true}.Validate() == nil && c != 0 // 0 detects it
		if separates(c) != theirs {
			t.Errorf("%U: %v here, %v there", c, separates(c), theirs)
		}
	}
}

func TestIDsAreTheLedgers(t *testing.T) {
	if idLength != state.IDLength {
		t.Errorf("ids have %d characters here, %d there", idLength, state.IDLength)
	}
}

// TestColumnsAreTheConverters: what is refused here is what is refused there.
func TestColumnsAreTheConverters(t *testing.T) {
	if !slices.Equal(numberFormats, convert.NumberFormats) {
		t.Errorf("formats of numbers %q here, %q there", numberFormats, convert.NumberFormats)
	}
	kinds := []string{"string", "integer", "decimal", "boolean", "date", "time"}
	for _, f := range fieldsOf(reflect.TypeFor[Column]()) {
		if f.name == "type" && !slices.Equal(f.enum(), kinds) {
			t.Errorf("types %q", f.enum())
		}
	}
	formats := append([]string{"", "#,##0", "yyyy", "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyyMMddTHHmmss", "MM/dd", "yyyy mm",
		"yyyy'", "yyyy'2'", "yyyy'Jan'", "yyyy'x'", "yyyy q", "yyyy_", "yyyy5", "zzz", "yyyy ff", "dd.MM.yy", "é yyyy"}, numberFormats...)
	for _, kind := range kinds {
		for _, format := range formats {
			v := validator{c: &Config{}}
			v.column("x", &Column{Name: "A", Type: kind, Format: format, Zone: "UTC"})
			theirs := convert.Shape{Columns: []convert.Column{{Name: "A", Type: convert.ColumnType(kind), Format: format}}}.Validate()
			if (len(v.problems) == 0) != (theirs == nil) {
				t.Errorf("%s with format %q: here %v, there: %v", kind, format, v.problems, theirs)
			}
		}
		for _, value := range []string{"", "x", "1", "-7", "+1.5", ".5", "5.", ".", "1e5", "1e", "Yes", "nO", "2", "007", " 3 "} {
			v := validator{c: &Config{}}
			v.constant("x", Constant{Name: "A", Value: value, Type: kind})
			theirs := convert.Shape{Constants: []convert.Constant{{Name: "A", Value: value, Type: convert.ColumnType(kind)}}}.Validate()
			if kind != "date" && kind != "time" && (len(v.problems) == 0) != (theirs == nil) {
				t.Errorf("%s constant %q: here %v, there: %v", kind, value, v.problems, theirs)
			}
		}
	}
}

package config

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wholeSample is the sample with every setting in force.
func wholeSample() string {
	return regexp.MustCompile(`(?m)^( *)# ([a-z_]+:.*|  +[a-z_]+:.*| *- .*)$`).ReplaceAllString(Sample(), "$1$2")
}

// schemaSettings are the paths of a schema's properties, with [] for the entries
// of lists and sections.
func schemaSettings(t *testing.T) []string {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Ref                  string          `json:"$ref"`
		Properties           map[string]node `json:"properties"`
		Items                *node           `json:"items"`
		AdditionalProperties json.RawMessage `json:"additionalProperties"`
		Defs                 map[string]node `json:"$defs"`
	}
	var root node
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var all []string
	var walk func(n node, path string)
	walk = func(n node, path string) {
		if n.Ref != "" {
			n = root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		}
		for name, p := range n.Properties {
			at := strings.TrimPrefix(path+"."+name, ".")
			all = append(all, at)
			walk(p, at)
		}
		if n.Items != nil {
			walk(*n.Items, path+"[]")
		}
		var entry node
		if json.Unmarshal(n.AdditionalProperties, &entry) == nil {
			walk(entry, path+"[]")
		}
	}
	walk(root, "")
	slices.Sort(all)
	return all
}

// decodeWhole reads the sample with every setting in force. The file that it
// names for a second key is the only thing that may be missing.
func decodeWhole(t *testing.T) *Config {
	t.Helper()
	text := []byte(wholeSample())
	d := newDecoder("sample.yaml", text, func(name string) (string, bool) {
		return "correct-horse-battery-staple", !strings.HasSuffix(name, "_FILE")
	})
	c := base()
	c.source = d.source
	d.section(d.parse(text), "", reflect.ValueOf(c).Elem())
	for _, p := range d.problems {
		if !errors.Is(p, fs.ErrNotExist) {
			t.Errorf("with every setting in force: %v", p)
		}
	}
	c.fill()
	return c
}

// The sample shows every setting there is: one that is not in it is a setting
// that nobody finds.
func TestSampleShowsEverySetting(t *testing.T) {
	shown := map[string]bool{}
	entry := regexp.MustCompile(`\[\d+\]|^(environments|outputs)\.[a-z]+`)
	for field := range decodeWhole(t).source.places {
		shown[entry.ReplaceAllStringFunc(field, func(s string) string {
			section, _, named := strings.Cut(s, ".")
			if !named {
				section = ""
			}
			return section + "[]"
		})] = true
	}
	settings := schemaSettings(t)
	for _, s := range settings {
		if !shown[s] {
			t.Errorf("%s is not in the sample", s)
		}
	}
	if len(settings) < 100 {
		t.Errorf("the schema has %d settings; the walk is broken", len(settings))
	}
}

// What the sample shows as the default is the default.
func TestSampleShowsDefaults(t *testing.T) {
	c, def := decodeWhole(t), Default()
	prod, flow, read := c.Environments["prod"], c.Flows[0], c.Flows[1].Read
	defFlow := def.Flows[0]
	for name, pair := range map[string][2]any{
		"listen": {c.Listen, def.Listen}, "insecure": {c.Insecure, def.Insecure}, "log": {c.Log, def.Log}, "match": {c.Match, def.Match},
		"max_body": {c.Doors.FinOps.MaxBody, def.Doors.FinOps.MaxBody}, "fields": {c.Doors.FinOps.Fields, def.Doors.FinOps.Fields},
		"workers": {c.Workers, def.Workers}, "retention": {c.Retention, def.Retention}, "shutdown": {c.Shutdown, def.Shutdown},
		"path": {c.Outputs["files"].Path, def.Outputs["out"].Path}, "envelope": {c.Outputs["files"].Envelope, false},
		"loopback_links": {prod.LoopbackLinks, false}, "on_premises": {prod.OnPremises, false}, "method": {prod.SignIn.Method, "secret"},
		"refresh": {flow.Refresh, defFlow.Refresh}, "on_bad_rows": {flow.OnBadRows, defFlow.OnBadRows},
		"on_row_mismatch": {flow.OnRowMismatch, defFlow.OnRowMismatch}, "on_possible_duplicate": {flow.OnPossibleDuplicate, defFlow.OnPossibleDuplicate},
		"on_zero_rows": {flow.OnZeroRows, defFlow.OnZeroRows}, "on_type_error": {flow.OnTypeError, defFlow.OnTypeError},
		"grace": {flow.Cadence.Grace, defFlow.Cadence.Grace}, "max_age": {flow.Project.MaxAge, defFlow.Project.MaxAge},
		"on_partial": {flow.Project.OnPartial, defFlow.Project.OnPartial}, "run_when_lost": {flow.Project.RunWhenLost, false},
		"fallback_encoding": {read.FallbackEncoding, defFlow.Read.FallbackEncoding}, "undecodable": {read.Undecodable, defFlow.Read.Undecodable},
		"strict": {read.Strict, defFlow.Read.Strict},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s is %+v in the sample, the default is %+v", name, pair[0], pair[1])
		}
	}
}

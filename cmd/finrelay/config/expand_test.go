package config

import (
	"os"
	"path/filepath"
	"testing"
)

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExpand(t *testing.T) {
	env := map[string]string{"A": "1", "EMPTY": "", "_x9": "u", "REF": "${A}", "BRACE": "}{"}
	find := func(name string) (string, bool, error) {
		value, ok := env[name]
		return value, ok, nil
	}
	tests := []struct {
		text, want string
		used       bool
		failAt     int // byte of the fault, -1 for none
	}{
		{"", "", false, -1},
		{"plain $5 and $A", "plain $5 and $A", false, -1},
		{"${A}", "1", true, -1},
		{"a${A}b${_x9}c", "a1buc", true, -1},
		{"${EMPTY}", "", true, -1},
		{"${EMPTY:-d}", "d", true, -1},
		{"${NONE:-}", "", true, -1},
		{"${NONE:-http://x:1/?a=b}", "http://x:1/?a=b", true, -1},
		{"${NONE:-$A}", "$A", true, -1},
		{"${REF}", "${A}", true, -1}, // what a variable holds is not expanded again
		{"${BRACE}", "}{", true, -1},
		{"$${A}", "${A}", false, -1},
		{"$$${A}", "$${A}", false, -1}, // the first $ is a $, then the escape
		{"$${A} ${A}", "${A} 1", true, -1},
		{"$", "$", false, -1},
		{"{entity}", "{entity}", false, -1},
		{"x${NONE}", "", false, 1},
		{"ab${", "", false, 2},
		{"${}", "", false, 0},
		{"${A B}", "", false, 0},
		{"${A-b}", "", false, 0},
		{"${1A}", "", false, 0},
		{"${A}${${A}}", "", true, 4},
	}
	for _, tt := range tests {
		got, used, failed := expand(tt.text, find)
		failAt := -1
		if failed != nil {
			failAt = failed.offset
		}
		if got != tt.want || used != tt.used || failAt != tt.failAt {
			t.Errorf("expand(%q): got %q, %t, fault at %d; want %q, %t, %d", tt.text, got, used, failAt, tt.want, tt.used, tt.failAt)
		}
	}
}

// TestVariablesInEveryKindOfValue: numbers, switches, lists, block text; and
// what they hold is text, whatever it looks like.
func TestVariablesInEveryKindOfValue(t *testing.T) {
	c := mustParse(t, `
insecure: ${YES}
workers: {fetch: "${N}"}
retention: {raw_files: "${N}d"}
flows:
  - name: a
    entities: ["${YAML}", '${YAML}']
    when: |
      ${JQ}
      and true
    read: {header: "${NO:-false}", columns: ["${N}"]}
`, map[string]string{"YES": "true", "N": "7", "YAML": "a: [b] # c\n- d", "JQ": ".x"})
	flow := c.Flows[0]
	if !c.Insecure || c.Workers.Fetch != 7 || c.Retention.RawFiles != 7*day || flow.Read.Header || flow.Read.Columns[0] != "7" {
		t.Errorf("got %+v", c)
	}
	if want := "a: [b] # c\n- d"; flow.Entities[0] != want || flow.Entities[1] != want {
		t.Errorf("got %q", flow.Entities)
	}
	if want := ".x\nand true\n"; flow.When != want {
		t.Errorf("got %q, want %q", flow.When, want)
	}
}

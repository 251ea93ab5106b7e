package config

import (
	"bytes"
	"testing"
)

// TestNullIsAWord: YAML's null is what on_type_error: null means, with quotes
// and without, and config show prints it so that it is read again.
func TestNullIsAWord(t *testing.T) {
	for _, written := range []string{"null", `"null"`, "\"${P}\""} {
		c := mustParse(t, "flows:\n  - {name: a, on_type_error: "+written+"}\n", map[string]string{"P": "null"})
		if got := c.Flows[0].OnTypeError; got != "null" {
			t.Errorf("%s: read as %q", written, got)
		}
		var shown bytes.Buffer
		if err := c.Show(&shown); err != nil {
			t.Fatal(err)
		}
		if again := mustParse(t, shown.String(), nil); again.Flows[0].OnTypeError != "null" {
			t.Errorf("%s: shown as\n%s", written, shown.String())
		}
	}
	if c := mustParse(t, "flows:\n  - {name: a, on_type_error: }\n", nil); c.Flows[0].OnTypeError != "park" {
		t.Errorf("without a value: %q", c.Flows[0].OnTypeError)
	}
}

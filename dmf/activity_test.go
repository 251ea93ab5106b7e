package dmf

import (
	"strings"
	"testing"
)

func TestParseActivityID(t *testing.T) {
	for name, in := range map[string]string{
		"bare":            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
		"upper case":      "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
		"braces":          "{3F2504E0-4F89-41d3-9A0C-0305E82C3301}",
		"percent-encoded": "%7B3F2504E0-4F89-41D3-9A0C-0305E82C3301%7D",
		"lower percent":   "%7b3f2504e0-4f89-41d3-9a0c-0305e82c3301%7d",
		"pasted":          " \t{3F2504E0-4F89-41D3-9A0C-0305E82C3301}\r\n",
		"no-break space":  "\u00a03f2504e0-4f89-41d3-9a0c-0305e82c3301\u200b",
		"quoted":          `"3f2504e0-4f89-41d3-9a0c-0305e82c3301"`,
	} {
		if got, err := ParseActivityID(in); err != nil || got != testActivity {
			t.Errorf("%s: ParseActivityID(%q) = %q, %v; want %q", name, in, got, err, testActivity)
		}
	}
	for _, in := range []string{"", "{}", "3f2504e0", "3f2504e0-4f89-41d3-9a0c-0305e82c330g", "3f2504e0-4f89-41d3-9a0c-0305e82c3301/../x"} {
		got, err := ParseActivityID(in)
		if err == nil || got != "" {
			t.Errorf("ParseActivityID(%q) = %q, %v; want an error", in, got, err)
		} else if !strings.Contains(err.Error(), "Manage scheduled data jobs") {
			t.Errorf("ParseActivityID(%q): %q does not say where ids are found", in, err)
		}
	}
}

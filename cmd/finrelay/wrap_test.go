package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWrapLine(t *testing.T) {
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"short enough", 12, "short enough"},
		{"one two three", 7, "one two\n    three"},
		{"    next: look at the places named", 26, "    next: look at the\n          places named"},
		{"    /srv/a long path/x.jsonl", 12, "    /srv/a\n        long\n        path/x.jsonl"},
		{"öäü öäü öäü", 7, "öäü öäü\n    öäü"},
		{"mend it, then finrelay rerun --reason bad_rows --environment prod", 30, "mend it, then\n    finrelay rerun --reason bad_rows --environment prod"},
		{`run it, then finrelay skip sh_1 --why "full push" and so on`, 40, "run it, then\n    finrelay skip sh_1 --why \"full push\"\n    and so on"},
		{"at once with: finrelay -c '/etc/a b.yaml' retry lake", 20, "at once with:\n    finrelay -c '/etc/a b.yaml' retry lake"},
		{`    all: finrelay skip --reason x --environment y --entity "Customer groups" --why "WHY"`, 30, `    all: finrelay skip --reason x --environment y --entity "Customer groups" --why "WHY"`},
		{"(finrelay inspect says why none does), restart", 30, "(finrelay inspect says why\n    none does), restart"},
		{"finrelay reconcile ENVIRONMENT --fix brings its package", 44, "finrelay reconcile ENVIRONMENT --fix brings\n    its package"},
	} {
		if got := wrapLine(c.line, c.width); got != c.want {
			t.Errorf("%q at %d gives\n%s\nwant\n%s", c.line, c.width, got, c.want)
		}
	}
}

// Wrapping changes spaces and nothing else.
func FuzzWrapLine(f *testing.F) {
	f.Add("    next: finrelay rerun ex_1, or  \"two  words\" finrelay skip --why 'x y' or", uint8(20))
	f.Fuzz(func(t *testing.T, line string, width uint8) {
		if strings.ContainsAny(line, "\n\r") || !utf8.ValidString(line) {
			return
		}
		wrapped := wrapLine(line, int(width))
		if got, want := strings.Join(strings.Fields(wrapped), " "), strings.Join(strings.Fields(line), " "); got != want {
			t.Errorf("%q becomes %q", want, got)
		}
	})
}

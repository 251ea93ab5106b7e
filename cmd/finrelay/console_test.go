package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestConvertPage runs what docs/convert.md shows on a console: the page says
// what really comes out.
func TestConvertPage(t *testing.T) {
	page := read(t, "docs/convert.md")
	t.Chdir(t.TempDir())
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(page, -1) {
		code := 0
		for _, step := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, shown, _ := strings.Cut(step, "\n")
			switch words := strings.Fields(command); words[0] {
			case "cat":
				if err := os.WriteFile(words[1], []byte(shown+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			case "echo":
				if got := strconv.Itoa(code); got != strings.TrimSpace(shown) {
					t.Errorf("the exit code is %s, the page says %s", got, shown)
				}
			case "finrelay":
				ran++
				var out, errs bytes.Buffer
				code = run(t.Context(), words[1:], strings.NewReader(""), &out, &errs)
				if got := unpadded(out.String() + errs.String()); got != unpadded(shown) {
					t.Errorf("$ %s\ngives\n%s\nthe page says\n%s", command, got, shown)
				}
			default:
				t.Errorf("nobody runs %q", command)
			}
		}
	}
	if ran < 8 {
		t.Errorf("only %d commands were found on the page", ran)
	}
	if left, err := filepath.Glob("*.jsonl"); err != nil || len(left) > 0 {
		t.Errorf("refused files have left %v, %v", left, err)
	}
}

// unpadded leaves out the blanks at the ends of a table's lines and of the text.
func unpadded(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

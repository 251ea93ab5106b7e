package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"finrelay/cmd/finrelay/config"
)

// The configuration in README can be used as it stands, but for the files and
// variables that only its reader has.
func TestReadmeConfiguration(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(blocks) == 0 {
		t.Fatal("README shows no configuration")
	}
	// The certificate is the reader's own: the loopback address needs none.
	tls := regexp.MustCompile(`(?m)^tls:\n(  .*\n)+`)
	for _, b := range blocks {
		text := strings.Replace(tls.ReplaceAllString(b[1], ""), "0.0.0.0:", "127.0.0.1:", 1)
		cfg, err := config.Parse("README.md", []byte(text), func(name string) (string, bool) {
			return "a-key-of-the-reader", !strings.HasSuffix(name, "_FILE")
		})
		if err != nil {
			t.Errorf("README's configuration is refused: %v\n%s", err, text)
			continue
		}
		for _, f := range config.Lint(cfg, config.Facts{}) {
			if f.Level == config.LevelError {
				t.Errorf("lint refuses README's configuration: %s: %s", f.Field, f.Message)
			}
		}
	}
}

// Every command line that the documents show exists, with its flags.
func TestDocumentedCommands(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, doc := range append(docs, "../../README.md") {
		for _, line := range commandLines(read(t, strings.TrimPrefix(doc, "../../"))) {
			found++
			root := (&app{stdout: io.Discard, stderr: io.Discard}).command()
			c, rest, err := root.Find(line)
			if err != nil || c == root {
				t.Errorf("%s: finrelay %s: no such command", doc, strings.Join(line, " "))
				continue
			}
			c.InitDefaultHelpFlag() // cobra adds it when it runs a command
			for _, arg := range rest {
				if !strings.HasPrefix(arg, "-") || arg == "-" {
					continue
				}
				name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
				flag := c.Flag(name)
				if flag == nil && len(name) == 1 {
					flag = c.Flags().ShorthandLookup(name)
				}
				if flag == nil && len(name) == 1 {
					flag = c.InheritedFlags().ShorthandLookup(name)
				}
				if flag == nil {
					t.Errorf("%s: finrelay %s: no flag %s", doc, strings.Join(line, " "), arg)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d command lines in the documents; the search is broken", found)
	}
}

// commandLines are indented lines that run finrelay, without their comments, and
// what stands between backquotes in a sentence.
func commandLines(text string) [][]string {
	var lines [][]string
	for _, m := range regexp.MustCompile("(?m)^ {4,}(?:[A-Z_]+=\\S+ )?finrelay (.*)$|`finrelay ([a-z][^`]*)`").FindAllStringSubmatch(prose(text), -1) {
		line, _, _ := strings.Cut(m[1]+m[2], "  #")
		line = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(line, "QUOTED")
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

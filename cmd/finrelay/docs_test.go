package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"finrelay/cmd/finrelay/config"
)

// Each page is named, with what it is about, where a reader looks for it.
func TestEveryPageIsListed(t *testing.T) {
	index := read(t, "docs/README.md")
	for _, page := range pages(t) {
		folder, name := path.Split(page)
		if folder != "docs/" || name == "README.md" {
			continue
		}
		line := regexp.MustCompile(`(?m)^- \[` + regexp.QuoteMeta(name) + `\]\(` + regexp.QuoteMeta(name) + `\): \S`)
		if n := len(line.FindAllString(index, -1)); n != 1 {
			t.Errorf("docs/README.md has %d lines for %s, want one: - [%s](%s): what it is about", n, page, name, name)
		}
	}
	if !strings.Contains(read(t, "README.md"), "](docs/README.md)") {
		t.Error("README.md does not link docs/README.md")
	}
}

// A link that leads within the repository leads to a file, and to a heading of
// it if it names one.
func TestLinksLeadSomewhere(t *testing.T) {
	found := 0
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(prose(read(t, page)), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			file, heading, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = path.Join(path.Dir(page), file)
			}
			info, err := os.Stat(filepath.Join("../..", filepath.FromSlash(target)))
			if err != nil {
				t.Errorf("%s: link to %s: there is no %s", page, m[1], target)
				continue
			}
			if heading != "" && (info.IsDir() || !headings(read(t, target))[heading]) {
				t.Errorf("%s: link to %s: no such heading in %s", page, m[1], target)
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d links; the search is broken", found)
	}
}

// What the pages show as configuration can be used as it stands. The simulator
// has a language of its own.
func TestDocumentedConfigurations(t *testing.T) {
	found := 0
	for _, page := range pages(t) {
		if path.Dir(page) != "docs" || page == "docs/simulator.md" {
			continue
		}
		for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(read(t, page), -1) {
			found++
			secrets := func(name string) (string, bool) { return "a-secret-of-the-reader", !strings.HasSuffix(name, "_FILE") }
			cfg, err := config.Parse(page, []byte(m[1]), secrets)
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			for _, f := range config.Lint(cfg, config.Facts{}) {
				if f.Level == config.LevelError {
					t.Errorf("%s: lint refuses it: %s: %s", page, f.Field, f.Message)
				}
			}
		}
	}
	if found < 8 {
		t.Errorf("found %d configurations; the search is broken", found)
	}
}

// pages are README and everything below docs, as paths from the root.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md"}
	err := fs.WalkDir(os.DirFS("../.."), "docs", func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".md") {
			all = append(all, name)
		}
		return err
	})
	if err != nil || len(all) < 10 {
		t.Fatalf("pages: %q, %v", all, err)
	}
	return all
}

// prose is a page without its blocks of code, where brackets mean other things.
func prose(page string) string {
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(page, "")
}

// headings gives the names under which a page's headings are linked.
func headings(page string) map[string]bool {
	all := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(page), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N}\- _]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all[strings.ReplaceAll(name, " ", "-")] = true
	}
	return all
}

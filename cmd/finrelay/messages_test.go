package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/messages.md says something about each word that finrelay may put on a
// screen, and about none that it has not.
func TestMessagesAreDocumented(t *testing.T) {
	page := read(t, "docs/messages.md")
	for _, c := range []struct {
		section string
		want    map[string]bool
	}{
		{"Where rows are", typedConstants(t, "../../flows/whereabouts.go", "Place")},
		{"Reasons", typedConstants(t, "../../state/reason.go", "Reason")},
		{"Landed with a remark", typedConstants(t, "../../state/remark.go", "Remark")},
		{"Sign-in", signInCodes(t)},
		{"What the door answers", doorAnswers(t)},
		{"Exit codes", publishedCodes()},
	} {
		if len(c.want) < 7 {
			t.Errorf("%s: found %d words in the source; the search is broken", c.section, len(c.want))
		}
		got := firstColumn(sectionOf(page, c.section))
		for _, word := range slices.Sorted(maps.Keys(c.want)) {
			if got[word] == 0 {
				t.Errorf("docs/messages.md, %s: nothing about %q", c.section, word)
			}
		}
		for _, word := range slices.Sorted(maps.Keys(got)) {
			if !c.want[word] {
				t.Errorf("docs/messages.md, %s: %q, which finrelay does not say", c.section, word)
			}
			if got[word] > 1 {
				t.Errorf("docs/messages.md, %s: %q has two rows", c.section, word)
			}
		}
	}
}

// sectionOf gives what stands under a heading of the second level.
func sectionOf(page, heading string) string {
	_, after, _ := strings.Cut(page, "\n## "+heading+"\n")
	section, _, _ := strings.Cut(after, "\n## ")
	return section
}

// firstColumn counts the words in backquotes in the first column of tables.
func firstColumn(text string) map[string]int {
	words := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(text, -1) {
		for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			words[word[1]]++
		}
	}
	return words
}

// The configuration refusals on the page are those that package config makes.
func TestRefusalsAreDocumentedAsTheyAre(t *testing.T) {
	files, err := filepath.Glob("config/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(sectionOf(read(t, "docs/messages.md"), "Configuration refusals"), -1)
	if len(rows) < 8 {
		t.Errorf("found %d refusals; the search is broken", len(rows))
	}
	for _, row := range rows[min(1, len(rows)):] { // the first is the table's head
		if strings.HasPrefix(row[1], "---") {
			continue
		}
		for part := range strings.SplitSeq(row[1], "…") {
			if !strings.Contains(source.String(), strings.TrimSpace(part)) {
				t.Errorf("docs/messages.md: %q, which package config does not say", row[1])
			}
		}
	}
}

// doorAnswers are the statuses that the door may answer with.
func doorAnswers(t *testing.T) map[string]bool {
	named := map[string]int{}
	for code := 200; code < 600; code++ {
		named[strings.ReplaceAll(http.StatusText(code), " ", "")] = code
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`http\.Status(\w+)`).FindAllStringSubmatch(read(t, "flows/doors/finops.go"), -1) {
		found[strconv.Itoa(named[m[1]])] = true
	}
	return found
}

// publishedCodes are the exit codes that --help lists.
func publishedCodes() map[string]bool {
	codes := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  (\d+) `).FindAllStringSubmatch(exitCodes, -1) {
		codes[m[1]] = true
	}
	return codes
}

// typedConstants reads the string constants of a type out of a source file.
func typedConstants(t *testing.T, file, typeName string) map[string]bool {
	found := map[string]bool{}
	ast.Inspect(parseSource(t, file), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == typeName {
			found[stringLiteral(t, spec.Values[0])] = true
		}
		return true
	})
	return found
}

// signInCodes are the codes that package dmf explains: the keys of its tables
// of hints, and its own.
func signInCodes(t *testing.T) map[string]bool {
	found := map[string]bool{}
	ast.Inspect(parseSource(t, "../../dmf/signin_error.go"), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
			return true
		}
		switch name := spec.Names[0].Name; {
		case strings.HasPrefix(name, "Code"):
			found[stringLiteral(t, spec.Values[0])] = true
		case name == "codeHints", name == "oauthHints":
			for _, element := range spec.Values[0].(*ast.CompositeLit).Elts {
				found[stringLiteral(t, element.(*ast.KeyValueExpr).Key)] = true
			}
		}
		return true
	})
	return found
}

func parseSource(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func stringLiteral(t *testing.T, e ast.Expr) string {
	t.Helper()
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		t.Fatalf("%T where a string was looked for", e)
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

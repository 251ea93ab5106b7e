package finrelay_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const module = "finrelay"

type importRule struct {
	pkg   string   // the packages it is about
	may   []string // what their product files may import of this module
	tests []string // what their _test.go files may import beyond that
}

type bannedUse struct {
	pkg   string
	from  string // import path
	names []string
}

// pkg is one folder with Go files in it.
type pkg struct {
	dir   string
	files []file
}

type file struct {
	path string // slash-separated, from the root
	test bool
	set  *token.FileSet
	ast  *ast.File
}

// readTree parses every Go file under root, for every operating system and
// build tag, and leaves out what the go command leaves out: testdata, hidden
// folders, node_modules, and folders that are modules of their own.
func readTree(root fs.FS) ([]pkg, error) {
	byDir := map[string]*pkg{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(root, name)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir}
		}
		byDir[dir].files = append(byDir[dir].files, file{name, strings.HasSuffix(name, "_test.go"), set, parsed})
		return nil
	})
	var tree []pkg
	for _, p := range byDir {
		tree = append(tree, *p)
	}
	slices.SortFunc(tree, func(a, b pkg) int { return strings.Compare(a.dir, b.dir) })
	return tree, err
}

func skipDir(root fs.FS, name string) error {
	if name == "." {
		return nil
	}
	base := path.Base(name)
	if base == "testdata" || base == "node_modules" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

// inspect returns one sentence for each thing that is not as the tables say.
func inspect(tree []pkg) []string {
	var found []string
	for _, p := range tree {
		if p.dir != "." { // the root holds only these tests
			found = append(found, inspectImports(p)...)
			found = append(found, inspectDoc(p)...)
		}
		found = append(found, inspectNames(p)...)
		for _, f := range p.files {
			found = append(found, inspectUses(p, f)...)
			found = append(found, inspectTodos(f)...)
		}
	}
	return found
}

func inspectImports(p pkg) []string {
	rule, ok := ruleFor(p.dir)
	if !ok {
		return []string{fmt.Sprintf("%s: no rule says what it may import; give it a place in importRules", p.dir)}
	}
	var found []string
	for _, f := range p.files {
		allowed := rule.may
		if f.test {
			allowed = slices.Concat(rule.may, rule.tests, []string{p.dir}) // its own package, from package x_test
		}
		for _, spec := range f.ast.Imports {
			imported, ours := strings.CutPrefix(importPath(spec), module+"/")
			if ours && !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, imported) }) {
				found = append(found, fmt.Sprintf("%s: imports %s; it may import of ours only %v", f.path, imported, allowed))
			}
		}
	}
	return found
}

// ruleFor returns the rule with the longest pattern that matches; a pattern
// without dots or star beats one with them.
func ruleFor(dir string) (importRule, bool) {
	var best importRule
	found := false
	for _, rule := range importRules {
		if matches(rule.pkg, dir) && (!found || weight(rule.pkg) > weight(best.pkg)) {
			best, found = rule, true
		}
	}
	return best, found
}

func weight(pattern string) int {
	base := strings.TrimSuffix(strings.TrimSuffix(pattern, "/..."), "/*")
	if base == pattern {
		return 2*len(base) + 1
	}
	return 2 * len(base)
}

func matches(pattern, dir string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == base || strings.HasPrefix(dir, base+"/")
	}
	if base, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(dir, base+"/")
	}
	return dir == pattern
}

func inspectDoc(p pkg) []string {
	product := false
	for _, f := range p.files {
		product = product || !f.test
		if path.Base(f.path) == "doc.go" && f.ast.Doc != nil {
			return nil
		}
	}
	if !product {
		return nil
	}
	return []string{fmt.Sprintf("%s: has no doc.go with a package comment; say there what the package is for", p.dir)}
}

func inspectNames(p pkg) []string {
	var found []string
	for _, f := range p.files {
		stem := strings.TrimSuffix(path.Base(f.path), ".go")
		words := append(strings.Split(stem, "_"), path.Base(p.dir), strings.TrimSuffix(f.ast.Name.Name, "_test"))
		for _, word := range words {
			if slices.Contains(bannedWords, strings.ToLower(word)) {
				found = append(found, fmt.Sprintf("%s: %q says nothing; name it for what it holds", f.path, word))
				break
			}
		}
	}
	return found
}

func inspectUses(p pkg, f file) []string {
	if f.test {
		return nil
	}
	var found []string
	for _, banned := range bannedUses {
		if !matches(banned.pkg, p.dir) {
			continue
		}
		local := localName(f.ast, banned.from)
		if local == "." {
			found = append(found, fmt.Sprintf("%s: imports %s with a dot, which hides what it uses", f.path, banned.from))
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(banned.names, sel.Sel.Name) {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && local != "" && x.Name == local {
				found = append(found, fmt.Sprintf("%s: uses %s.%s; settings come in as values", f.set.Position(sel.Pos()), banned.from, sel.Sel.Name))
			}
			return true
		})
	}
	return found
}

// localName is the name by which a file calls an import, "" when it has none.
func localName(f *ast.File, imported string) string {
	for _, spec := range f.Imports {
		if importPath(spec) != imported {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value // the parser has already accepted it; keep what stands there
	}
	return unquoted
}

var (
	openWork  = regexp.MustCompile(`\b(TODO|FIXME)\b`)
	ownedTodo = regexp.MustCompile(`\bTODO\([^)]+\): \S`)
)

func inspectTodos(f file) []string {
	var found []string
	for _, group := range f.ast.Comments {
		for _, c := range group.List {
			if openWork.MatchString(c.Text) && !ownedTodo.MatchString(c.Text) {
				found = append(found, fmt.Sprintf("%s: open work without an owner; write TODO(who): and what ends it", f.set.Position(c.Pos())))
			}
		}
	}
	return found
}

package config

import (
	"net/url"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"finrelay/dmf"
)

// Unfilled stands where only a person knows the value, in a configuration that
// was made from another program's.
const Unfilled = "set-this"

// unfinished looks for what somebody still has to say, or means otherwise.
func (l *linter) unfinished() {
	l.unfilled()
	for i, f := range l.c.Flows {
		field := "flows[" + itoa(i) + "].queue.backlog"
		if _, said := l.c.source.at(field); f.Queue.Activity != "" && f.Queue.Backlog == "ask" && !said {
			l.warn(field, "nobody has said what becomes of messages from before finrelay: a first poll of a queue that holds any takes none, and asks",
				"set backlog to land or park, or to ask if that is what you want")
		}
	}
	for _, name := range sortedKeys(l.c.Outputs) {
		if folder := l.c.Outputs[name].Folder; runtime.GOOS != "windows" && strings.HasPrefix(folder, "//") {
			l.warn("outputs."+name+".folder", "a share as Windows writes it: on this system it is the folder "+filepath.Clean(folder), mountIt)
		}
	}
}

// unfilled looks for Unfilled. Nothing signs in with it; anything else only
// does not fit.
func (l *linter) unfilled() {
	walk(reflect.ValueOf(l.c).Elem(), "", func(field string, v reflect.Value, _ structField) {
		var texts []string
		switch v.Kind() {
		case reflect.String:
			texts = []string{v.String()}
		case reflect.Slice:
			if v.Type().Elem().Kind() == reflect.String {
				texts, _ = v.Convert(reflect.TypeFor[[]string]()).Interface().([]string)
			}
		}
		level := LevelWarn
		if strings.Contains(field, ".sign_in.") || strings.HasSuffix(field, ".url") {
			level = LevelError
		}
		if slices.ContainsFunc(texts, func(s string) bool { return s == Unfilled || strings.HasSuffix(s, "//"+Unfilled) }) {
			l.add(level, field, Unfilled+" stands here: import ris did not know the value", "put the right one in its place")
		}
	})
}

// addresses looks at where an environment's FinOps and its sign-in are.
func (l *linter) addresses(field string, e Environment) {
	if e.URL != "" {
		if _, err := dmf.Audience(string(e.URL)); err != nil {
			l.add(LevelError, field+".url", err.Error(), "write https://NAME.operations.dynamics.com, nothing behind it: with this one, nothing can be asked of FinOps")
		}
	}
	if e.SignIn.Method != "adfs" && isADFS(e.SignIn.Authority) {
		l.warn(field+".sign_in.authority", "this looks like AD FS, where method: "+e.SignIn.Method+" cannot sign in: it is for Entra", "write method: adfs, without a tenant")
	}
}

// isADFS reports whether the address of an authority is one of AD FS: by its
// host, adfs.contoso.example, or by its path, /adfs.
func isADFS(authority Address) bool {
	u, err := url.Parse(strings.ToLower(string(authority)))
	if err != nil {
		return false
	}
	named := func(part string) bool { return strings.HasPrefix(part, "adfs") }
	return slices.ContainsFunc(strings.Split(u.Hostname(), "."), named) || slices.Contains(strings.Split(u.Path, "/"), "adfs")
}

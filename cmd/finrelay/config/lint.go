package config

import (
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Facts is what a running installation knows and a file cannot say.
type Facts struct {
	// HostsSeen holds, by environment, the hosts that links have pointed to.
	HostsSeen map[string][]string
	// HostsRefused holds those of them that no link was followed to.
	HostsRefused map[string][]string
}

// The levels of findings. A configuration with an error should not be served:
// it can lose data. A warning is for a person to weigh.
const (
	LevelWarn  = "warn"
	LevelError = "error"
)

// Finding is one remark of Lint.
type Finding struct {
	Level   string `json:"level"` // LevelWarn or LevelError
	Field   string `json:"field"` // path of the setting
	Line    int    `json:"line"`  // in the file; 0 when unknown
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

type linter struct {
	c        *Config
	facts    Facts
	findings []Finding
}

// Lint looks at a valid Config for what is allowed but likely wrong, errors
// first, then by line. Error level is for paths that can collide, two exports or
// two outputs with one file, for what FinOps cannot be asked with, and, of what
// LoadToLook did without, for what keeps it from being served. It reads the modes of the files that hold secrets,
// changes nothing, and shows no secret.
func Lint(c *Config, facts Facts) []Finding {
	l := &linter{c: c, facts: facts, findings: c.Absent()}
	l.paths()
	l.listener()
	l.keys()
	l.environments()
	l.shadows()
	l.unmet()
	l.unfinished()
	l.unused()
	l.retention()
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		if a.Level != b.Level {
			return strings.Compare(a.Level, b.Level) // "error" is before "warn"
		}
		return a.Line - b.Line
	})
	return l.findings
}

func (l *linter) add(level, field, message, hint string) {
	p, _ := l.c.source.at(field)
	l.findings = append(l.findings, Finding{level, field, p.line, message, hint})
}

func (l *linter) warn(field, message, hint string) { l.add(LevelWarn, field, message, hint) }

func (l *linter) listener() {
	c := l.c
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || c.TLS != (TLS{}) {
		return
	}
	switch {
	case !isLoopback(host):
		l.warn("insecure", "the listener speaks plain HTTP and other machines reach it: keys and events, with their links, cross the network in clear text",
			"set tls, or make sure that only what ends TLS in front of it reaches "+c.Listen)
	case c.Insecure:
		l.warn("insecure", "insecure: true is not needed: the listener is on loopback", "remove it, so that a later change of listen is still checked")
	}
}

// minKey is the length from which a key counts as not guessable.
const minKey = 16 // characters

func (l *linter) keys() {
	c := l.c
	for _, name := range sortedKeys(c.Environments) {
		switch field := "environments." + name; {
		case len(c.KeysFor(name)) > 0, !c.ExpectsEvents(name):
		case c.HasKeys():
			l.warn(field, "no key lets an event into this environment", "give it keys, or give doors.finops.keys for all environments")
		default:
			l.warn(field, "no key is configured: serve uses a generated one for every environment", "set doors.finops.keys, or a key for each environment")
		}
	}
	walk(reflect.ValueOf(&c.Doors).Elem(), "doors", l.shortKey)
	walk(reflect.ValueOf(&c.Environments).Elem(), "environments", l.shortKey)
	if c.source != nil {
		for _, f := range c.source.secretFiles {
			l.openFile(f.field, f.path)
		}
	}
	l.openFile("tls.key", c.TLS.Key)
}

func (l *linter) shortKey(field string, v reflect.Value, _ structField) {
	keys, _ := v.Interface().([]Secret)
	for i, key := range keys {
		if len(key.Reveal()) < minKey && !key.IsAbsent() {
			l.warn(field+"["+itoa(i)+"]", "the key has fewer than "+itoa(minKey)+" characters and can be guessed", "use a long random one, for example from: openssl rand -base64 32")
		}
	}
}

// openFile warns about a file with a secret that other users can read.
func (l *linter) openFile(field, path string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return
	}
	l.warn(field, "other users can read or change "+path+" (mode "+info.Mode().Perm().String()+")", "chmod 600 "+path)
}

func (l *linter) environments() {
	for _, name := range sortedKeys(l.c.Environments) {
		env, field := l.c.Environments[name], "environments."+name
		if slices.Equal(env.LinkHosts, azureBlobHosts) {
			l.defaultHosts(name, field+".link_hosts")
		}
		if env.Proxy != "" {
			l.warn(field+".proxy", "through a proxy only the host name of a link can be checked, not the address it leads to",
				"let the proxy itself refuse private addresses")
		}
		for i, host := range env.PlainHosts {
			l.warn(field+".plain_hosts["+itoa(i)+"]", "answers of "+host+" are taken for files without the storage's own headers, a proxy's text among them",
				"leave it out if links to this host lead to Azure's storage")
		}
		l.addresses(field, env)
		if env.LoopbackLinks {
			l.warn(field+".loopback_links", "links may point to this machine over http: for the simulator and tests only", "remove it for a real FinOps")
		}
	}
}

func (l *linter) defaultHosts(environment, field string) {
	seen, refused := Pinnable(l.c.Environments[environment], l.facts.HostsSeen[environment], l.facts.HostsRefused[environment])
	hint := "no link has been seen yet: name the storage account of this FinOps once its first event is here"
	switch {
	case len(seen) > 0:
		hint = "hosts seen so far: " + strings.Join(seen, ", ") + "; if you know them, write link_hosts: [" + strings.Join(seen, ", ") + "]"
	case len(refused) > 0:
		hint = "no link that is followed has been seen yet: name the storage account of this FinOps once its own event is here"
	}
	if len(refused) > 0 {
		hint += "; not followed: links to " + strings.Join(refused, ", ") + ": look who sends such events"
	}
	l.warn(field, "links to any Azure Blob account are followed, anybody's account included", hint)
}

func (l *linter) unused() {
	c := l.c
	used := map[string]bool{}
	wanted := map[string]bool{}
	for _, flow := range c.Flows {
		for _, name := range flow.Outputs {
			used[name] = true
		}
		for _, name := range flow.Environments {
			wanted[name] = true
		}
		if len(flow.Environments) == 0 {
			for name := range c.Environments {
				wanted[name] = true
			}
		}
	}
	if len(c.Flows) == 0 {
		l.warn("flows", "no flow: every export is parked with its raw file kept", "add a flow, or leave the section out for one that takes everything")
		return
	}
	for _, name := range sortedKeys(c.Outputs) {
		if !used[name] {
			l.warn("outputs."+name, "no flow uses this output", "name it in a flow, or remove it")
		}
	}
	for _, name := range sortedKeys(c.Environments) {
		if !wanted[name] {
			l.warn("environments."+name, "no flow takes exports of this environment: they are parked", "name it in a flow, or remove it")
		}
	}
}

func (l *linter) retention() {
	r := l.c.Retention
	if r.Identities < 30*day {
		l.warn("retention.identities", "an event that is sent again after "+r.Identities.String()+" counts as new and lands a second time", "keep identities for at least 30d")
	}
	if r.RawFiles < day {
		l.warn("retention.raw_files", "raw files are gone within "+r.RawFiles.String()+" of landing: a rerun after that needs FinOps", "keep raw files for at least 1d")
	}
}

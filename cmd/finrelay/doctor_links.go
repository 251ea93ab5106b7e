package main

import (
	"slices"
	"strings"

	"finrelay/cmd/finrelay/config"
)

// linkHosts tells whether links are held to the environment's own storage
// account, and which hosts they have pointed to.
func (d *doctor) linkHosts(name string, e config.Environment) {
	const check = "link hosts"
	seen := slices.Compact(slices.Sorted(slices.Values(d.hosts[name])))
	if !slices.Equal(e.LinkHosts, config.DefaultLinkHosts()) {
		strange := slices.DeleteFunc(slices.Clone(seen), func(host string) bool { return listed(e, host) })
		if len(strange) > 0 {
			d.warn(name, check, "pinned, but links also pointed to "+joined(strange), "add them to environments."+name+".link_hosts if they are yours, and look who sends such events if not")
			return
		}
		d.ok(name, check, "pinned to "+joined(e.LinkHosts))
		return
	}
	if len(seen) == 0 {
		d.warn(name, check, "not pinned: links to any Azure Blob account are followed; none seen yet", "name the storage account in environments."+name+".link_hosts when the first event is here")
		return
	}
	d.warn(name, check, "not pinned: links to any Azure Blob account are followed; seen: "+joined(seen), "if they are yours: link_hosts: ["+joined(seen)+"]")
}

// listed reports whether a host that was seen is one that links may point to.
func listed(e config.Environment, host string) bool {
	host = strings.ToLower(host)
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
	}
	if e.LoopbackLinks && slices.Contains([]string{"127.0.0.1", "localhost", "[::1]"}, name) {
		return true
	}
	return slices.ContainsFunc(e.LinkHosts, func(allowed string) bool {
		allowed = strings.ToLower(allowed)
		return allowed == host || allowed == name || strings.HasPrefix(allowed, ".") && strings.HasSuffix(name, allowed)
	})
}

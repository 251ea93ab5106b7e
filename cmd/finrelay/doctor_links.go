package main

import (
	"slices"

	"finrelay/cmd/finrelay/config"
)

// linkHosts tells whether links are held to the environment's own storage
// account, and which hosts they have pointed to.
func (d *doctor) linkHosts(name string, e config.Environment) {
	const check = "link hosts"
	seen, strange := config.Pinnable(e, d.hosts.Seen[name], d.hosts.Refused[name])
	also := ""
	if len(strange) > 0 {
		also = "links also pointed to " + joined(strange) + " and were not followed"
	}
	if !slices.Equal(e.LinkHosts, config.DefaultLinkHosts()) {
		if also != "" {
			d.warn(name, check, "pinned, but "+also, "look who sends such events; a host that surely is yours goes into environments."+name+".link_hosts")
			return
		}
		d.ok(name, check, "pinned to "+joined(e.LinkHosts))
		return
	}
	look := ""
	if also != "" {
		look, also = "; look who sends events with the others", "; "+also
	}
	if len(seen) == 0 {
		d.warn(name, check, "not pinned: links to any Azure Blob account are followed; none seen yet"+also,
			"name the storage account in environments."+name+".link_hosts when the first event is here"+look)
		return
	}
	d.warn(name, check, "not pinned: links to any Azure Blob account are followed; seen: "+joined(seen)+also, "if they are yours: link_hosts: ["+joined(seen)+"]"+look)
}

package ris

import (
	"fmt"
	"strings"
)

// write gives the configuration, in the order of the file.
func (c *converter) write(source string) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Made by finrelay import ris from %s. What needs a person stands at the end.", clean(source))
	line("")
	if len(c.environments) > 0 {
		line("environments:")
	}
	for _, e := range c.environments {
		line("  %s:", quote(e.name))
		line("    url: %s", quote(e.url))
		if e.onPremises {
			line("    on_premises: true")
		}
		line("    sign_in:")
		if e.method != "" {
			line("      method: %s", e.method)
		}
		if e.tenant != "" {
			line("      tenant: %s", quote(e.tenant))
		}
		line("      client_id: %s", quote(e.clientID))
		line("      secret: ${%s}", e.variable)
		if e.authority != "" {
			line("      authority: %s", quote(e.authority))
		}
	}
	if len(c.flows) == 0 {
		line("flows: []")
	} else {
		line("\nflows:")
	}
	for _, f := range c.flows {
		f.write(line)
	}
	if len(c.outputs) > 0 {
		line("\noutputs:")
	}
	for _, o := range c.outputs {
		line("  %s:", quote(o.name))
		line("    folder: %s # was %s", quote("./out/"+o.name), dashed(clean(o.was)))
	}
	line("\n# For a person:")
	for _, n := range c.notes {
		line("# - %s", n)
	}
	return []byte(b.String())
}

func (f *flow) write(line func(string, ...any)) {
	about := clean(f.title)
	if d := clean(f.description); d != "" {
		about += ": " + d
	}
	line("  # %s", about)
	line("  - name: %s", quote(f.name))
	line("    environments: [%s]", quote(f.environment.name))
	if f.ranBy != nil {
		line("    source: package")
		line("    projects: [%s] # flow %s runs it", quote(f.project), f.ranBy.name)
	}
	if shared := f.ranBy != nil || len(f.takes) < len(f.companies); shared {
		line("    legal_entities: [%s]", quoteAll(f.takes))
	}
	switch {
	case f.ranBy != nil:
		line("    outputs: [%s]", quote(f.output.name))
		return
	case f.project != "":
		line("    project:")
		line("      environment: %s", quote(f.environment.name))
		line("      name: %s", quote(f.project))
		line("      legal_entities: [%s]", quoteAll(f.companies))
	default:
		line("    queue:")
		line("      environment: %s", quote(f.environment.name))
		line("      activity: %s", quote(f.activity))
	}
	f.writeSchedule(line)
	line("    outputs: [%s]", quote(f.output.name))
}

func (f *flow) writeSchedule(line func(string, ...any)) {
	was := clean(f.was)
	switch {
	case f.schedule == "" && was == "":
		line("      # no schedule: it runs when finrelay export asks for it")
		return
	case f.schedule == "":
		line("      # no schedule: it runs when finrelay export asks for it; was %s", was)
		return
	case was != "":
		line("      schedule: %s # was %s", quote(f.schedule), was)
	default:
		line("      schedule: %s", quote(f.schedule))
	}
	line("      zone: %s", quote(f.zone))
}

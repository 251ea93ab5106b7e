package config

import "slices"

// ExpectsEvents reports whether events may be what brings an environment's
// exports. They are not when each flow that takes it has a queue or a data
// project to get them from, none of them says with_events, and no key was set
// for a sender: then a missing key keeps nothing out that anybody sends.
func (c *Config) ExpectsEvents(environment string) bool {
	if len(c.KeysFor(environment)) > 0 {
		return true
	}
	fetches := false
	for _, f := range c.Flows {
		if len(f.Environments) > 0 && !slices.Contains(f.Environments, environment) {
			continue
		}
		switch {
		case !f.Source.allows("event"), len(f.Queues) > 0:
			fetches = true // it takes no event
		case f.Queue.Environment == environment:
			if f.Queue.WithEvents {
				return true
			}
			fetches = true
		case f.Project.Environment == environment:
			fetches = true
		case f.Queue.Environment == "" && f.Project.Environment == "":
			return true // it has no other way to its rows
		}
	}
	return !fetches
}

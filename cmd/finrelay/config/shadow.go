package config

import (
	"slices"
	"strings"
)

// shadows warns about flows that can never take an export, because another one
// takes all of theirs before. What its own queue or data project brings is
// offered to a flow first, so nothing stands before that.
func (l *linter) shadows() {
	if l.c.Match != "first" {
		return
	}
	for i := range l.c.Flows {
		f, field := &l.c.Flows[i], "flows["+itoa(i)+"]"
		brings := slices.ContainsFunc(l.c.ownWays(i), func(own ownWay) bool { return len(unmet(f, own)) == 0 })
		for j := range l.c.Flows {
			first := &l.c.Flows[j]
			if i == j || j > i && !l.pollsAllOf(first, f) || !l.covers(first, f) {
				continue
			}
			comes := "comes first"
			if j > i {
				comes = "polls the queues that it names"
			}
			switch {
			case !brings:
				l.warn(field, "flow "+f.Name+" never takes an export: flow "+first.Name+" "+comes+" and matches all of them",
					"put the narrower flow first, or set match: all")
			case f.Queue.WithEvents && f.Project.Name == "":
				l.warn(field, "flow "+f.Name+" takes what its queue brings and never an event: flow "+first.Name+" "+comes+" and matches all of them; an event names no queue",
					"put the narrower flow first, or name the data project in project or projects if the events tell it")
			}
			break
		}
	}
}

// pollsAllOf reports whether a flow polls each queue that another one names: it
// is asked before that one, wherever the two stand. An id that is polled in
// several environments is not one flow's.
func (l *linter) pollsAllOf(f, o *Flow) bool {
	if f.Queue.Activity == "" || len(o.Queues) == 0 {
		return false
	}
	own := func(q string) bool {
		return q == f.Name || q == bare(f.Queue.Activity) && !slices.ContainsFunc(l.c.Flows, func(other Flow) bool {
			return other.Name != f.Name && other.Queue.Activity != "" && bare(other.Queue.Activity) == q
		})
	}
	return !slices.ContainsFunc(o.QueueIDs(), func(q string) bool { return !own(q) })
}

// covers reports whether wide surely matches everything that narrow does. It
// may miss cases; it never names a flow that could still match.
func (l *linter) covers(wide, narrow *Flow) bool {
	same := func(a, b string) bool { return a == b }
	return coversNames(wide, narrow) &&
		coversList(wide.LegalEntities, narrow.LegalEntities, strings.EqualFold) &&
		coversList(wide.Environments, narrow.Environments, same) &&
		coversList(wide.Source, narrow.Source, same) &&
		coversList(wide.QueueIDs(), narrow.QueueIDs(), l.coversQueue) &&
		coversList(wide.Projects, narrow.Projects, coversGlob) &&
		(wide.When == "" || strings.TrimSpace(wide.When) == strings.TrimSpace(narrow.When))
}

// coversQueue: an id is that queue in every environment, so it covers the name
// of the flow that polls it.
func (l *linter) coversQueue(wide, narrow string) bool {
	return wide == narrow || slices.ContainsFunc(l.c.Flows, func(f Flow) bool {
		return f.Name == narrow && f.Queue.Activity != "" && bare(f.Queue.Activity) == wide
	})
}

// coversNames compares entity and target entity, of which either is enough.
func coversNames(wide, narrow *Flow) bool {
	if len(wide.Entities)+len(wide.TargetEntities) == 0 {
		return true
	}
	if len(narrow.Entities)+len(narrow.TargetEntities) == 0 {
		return false
	}
	within := func(wide, narrow []string) bool {
		return len(narrow) == 0 || len(wide) > 0 && coversList(wide, narrow, coversGlob)
	}
	return within(wide.Entities, narrow.Entities) && within(wide.TargetEntities, narrow.TargetEntities)
}

// coversList: an empty list of criteria matches everything.
func coversList(wide, narrow []string, covers func(wide, narrow string) bool) bool {
	if len(wide) == 0 {
		return true
	}
	for _, n := range narrow {
		if !slices.ContainsFunc(wide, func(w string) bool { return covers(w, n) }) {
			return false
		}
	}
	return len(narrow) > 0
}

// coversGlob: a pattern whose only wildcard is * covers another one when it
// matches the other's text, because a * of the other can only have been
// matched by a * of its own.
func coversGlob(wide, narrow string) bool {
	wide, narrow = strings.ToLower(wide), strings.ToLower(narrow)
	if wide == narrow || wide == "*" {
		return true
	}
	if strings.ContainsAny(narrow, "?") || strings.ContainsAny(wide, "?") {
		return false
	}
	// The parts between the wildcards, in order, the first and last at the ends.
	parts := strings.Split(wide, "*")
	if len(parts) == 1 || !strings.HasPrefix(narrow, parts[0]) {
		return false
	}
	rest := narrow[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}

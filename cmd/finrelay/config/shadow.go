package config

import (
	"slices"
	"strings"
)

// shadows warns about flows that can never take an export, because an earlier
// one takes all of theirs.
func (l *linter) shadows() {
	if l.c.Match != "first" {
		return
	}
	for i := range l.c.Flows {
		for j := range i {
			if earlier := &l.c.Flows[j]; covers(earlier, &l.c.Flows[i]) {
				l.warn("flows["+itoa(i)+"]", "flow "+l.c.Flows[i].Name+" never takes an export: flow "+earlier.Name+" comes first and matches all of them",
					"put the narrower flow first, or set match: all")
				break
			}
		}
	}
}

// covers reports whether wide surely matches everything that narrow does. It
// may miss cases; it never names a flow that could still match.
func covers(wide, narrow *Flow) bool {
	return coversNames(wide, narrow) &&
		coversList(wide.LegalEntities, narrow.LegalEntities, strings.EqualFold) &&
		coversList(wide.Environments, narrow.Environments, func(a, b string) bool { return a == b }) &&
		(wide.When == "" || strings.TrimSpace(wide.When) == strings.TrimSpace(narrow.When))
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

package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// paths looks for file names that two exports, or two outputs, can share.
//
// Only {export_id} tells exports apart. {execution_id} and {shipment_id} look
// as if they did together with {entity}, but an event may come without an
// execution, and a shipment may hold two files of which neither names a known
// entity: both are written as "_" and meet.
func (l *linter) paths() {
	names := sortedKeys(l.c.Outputs)
	for i, name := range names {
		out, field := l.c.Outputs[name], "outputs."+name+".path"
		if !strings.Contains(out.Path, "{export_id}") {
			l.add(LevelError, field, "two exports can have the same path: the second one could not land", "put {export_id} into the path, for example in front of the extension")
		}
		if l.c.State != "" && inFolder(out.Folder, l.c.State) {
			l.add(LevelError, "outputs."+name+".folder", "the folder is the state folder or inside it, whose files are finrelay's own", "write to a folder of its own")
		}
		for _, other := range names[:i] {
			if collide(l.c.Outputs[other], out) {
				l.add(LevelError, field, "output "+other+" can have the same path: each would stand in the other's way", "give the two outputs different folders, or file names that differ in fixed text, for example the extension")
			}
		}
	}
}

func inFolder(path, folder string) bool {
	rel, err := filepath.Rel(absolute(folder), absolute(path))
	return err == nil && filepath.IsLocal(rel)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// collide reports whether two outputs have a path in common, for any export.
// Letter case counts as equal, because folders on some systems fold it. The
// folder of one may lie inside the other's.
func collide(a, b Output) bool {
	left, right := patternOf(a), patternOf(b)
	if len(left) != len(right) {
		return false
	}
	for i := range left {
		if !overlap(left[i], right[i]) {
			return false
		}
	}
	return true
}

// wild stands for the text of a placeholder: one character or more, no slash.
const wild = '\x00'

// idChar stands for one character of our own ids, which have a fixed length:
// "{export_id}.jsonl" and "raw-{export_id}.jsonl" never meet. A test compares
// the length with the ledger's.
const (
	idChar   = '\x02'
	idLength = 19
)

// patternOf gives the parts of an output's paths, placeholders as wild.
func patternOf(out Output) [][]rune {
	var parts [][]rune
	for part := range strings.SplitSeq(filepath.ToSlash(absolute(out.Folder)), "/") {
		parts = append(parts, []rune(strings.ToLower(part)))
	}
	template, err := splitTemplate(out.Path)
	if err != nil {
		return nil
	}
	for _, pieces := range template {
		var part []rune
		for _, p := range pieces {
			switch p.placeholder {
			case "":
			case "export_id", "shipment_id":
				part = append(part, slices.Repeat([]rune{idChar}, idLength)...)
				continue
			default:
				part = append(part, wild)
				continue
			}
			part = append(part, []rune(strings.ToLower(p.text))...)
		}
		parts = append(parts, part)
	}
	return parts
}

// overlap reports whether some text fits both patterns. It goes through all
// pairs of positions that a common text can reach.
func overlap(a, b []rune) bool {
	a, b = plain(a), plain(b)
	type at struct{ i, j int }
	todo, seen := []at{{0, 0}}, map[at]bool{}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[p] {
			continue
		}
		seen[p] = true
		if p.i == len(a) && p.j == len(b) {
			return true
		}
		starA := p.i < len(a) && a[p.i] == star
		starB := p.j < len(b) && b[p.j] == star
		if starA {
			todo = append(todo, at{p.i + 1, p.j})
		}
		if starB {
			todo = append(todo, at{p.i, p.j + 1})
		}
		if p.i == len(a) || p.j == len(b) {
			continue
		}
		switch {
		case starA && starB: // covered by the two steps above
		case starA:
			todo = append(todo, at{p.i, p.j + 1})
		case starB:
			todo = append(todo, at{p.i + 1, p.j})
		case sameChar(a[p.i], b[p.j]) || sameChar(b[p.j], a[p.i]):
			todo = append(todo, at{p.i + 1, p.j + 1})
		}
	}
	return false
}

func sameChar(a, b rune) bool {
	return a == b || a == wild || a == idChar && (b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z')
}

// star is any text, the empty one included.
const star = '\x01'

// plain writes "one character or more" as one character and a star.
func plain(pattern []rune) []rune {
	out := slices.Clone(pattern[:0])
	for _, r := range pattern {
		out = append(out, r)
		if r == wild {
			out = append(out, star)
		}
	}
	return out
}

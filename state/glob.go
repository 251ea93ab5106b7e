package state

import (
	"context"
	"slices"
	"strings"
	"unicode"
)

// MatchGlob says whether a value fits a glob, letter case ignored: * is any run
// of characters, ? is one. The standard library's globs stop at "/", and labels
// such as "Country/regions" hold one.
func MatchGlob(glob, value string) bool {
	g, v := []rune(strings.ToLower(glob)), []rune(strings.ToLower(value))
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(v) {
		switch {
		case i < len(g) && g[i] == '*':
			star, mark = i, j
			i++
		case i < len(g) && (g[i] == '?' || g[i] == v[j]):
			i++
			j++
		case star >= 0: // let the last * take one more
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(g) && g[i] == '*' {
		i++
	}
	return i == len(g)
}

// entityTerm is the condition of SQL that an entity fits a glob, with its
// argument. A plain name is found by the index, which knows the letter case of
// ASCII only; everything else reads what the other conditions leave.
func entityTerm(glob string) (term string, arg any) {
	plain := !strings.ContainsAny(glob, "*?") && strings.IndexFunc(glob, func(r rune) bool { return r > unicode.MaxASCII }) < 0
	if plain {
		return "entity = ? COLLATE NOCASE", glob
	}
	return "entity GLOB ?", sqlGlob(glob)
}

// sqlGlob spells a glob for SQLite's GLOB, which minds the letter case: of each
// letter all its forms.
func sqlGlob(glob string) string {
	var b strings.Builder
	for _, r := range glob {
		switch forms := foldings(r); {
		case r == '*' || r == '?':
			b.WriteRune(r)
		case r == '[' || len(forms) > 1:
			b.WriteString("[" + string(forms) + "]")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// foldings are the letters that have the same small one.
func foldings(r rune) []rune {
	forms := []rune{r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if unicode.ToLower(f) == unicode.ToLower(r) {
			forms = append(forms, f)
		}
	}
	return forms
}

// Entities gives the labels that exports have, and those of what never became
// one and is open, in alphabetical order. It asks the index for one after the
// other: the history has few labels and many exports.
func (db *DB) Entities(ctx context.Context) ([]string, error) {
	names, err := collect(ctx, db, `
		WITH RECURSIVE label(name) AS (
			SELECT ''
			UNION ALL
			SELECT (SELECT entity FROM exports WHERE entity > name COLLATE NOCASE ORDER BY entity COLLATE NOCASE LIMIT 1) FROM label WHERE name IS NOT NULL
		)
		SELECT name FROM label WHERE name <> ''
		UNION SELECT entity FROM shipments WHERE state NOT IN ('settled') AND entity <> ''
		UNION SELECT entity FROM events WHERE state = 'unreadable' AND entity <> ''`, nil,
		func(scan func(...any) error) (name string, err error) {
			err = scan(&name)
			return name, err
		})
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return names, err
}

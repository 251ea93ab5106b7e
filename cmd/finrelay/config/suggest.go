package config

import (
	"reflect"
	"slices"
	"strings"
)

// suggest gives the hint for a word that is none of known.
func suggest(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return "known here: " + strings.Join(known, ", ")
}

// nearest gives the known word that word is most likely a slip for, or "".
func nearest(word string, known []string) string {
	best, bestDistance := "", len(word)/3+1
	for _, k := range known {
		if fold(k) == fold(word) {
			return k
		}
		if d := distance(fold(word), fold(k)); d < bestDistance || d == bestDistance && best == "" && d <= 2 && len(word) > 3 {
			best, bestDistance = k, d
		}
	}
	return best
}

// fold makes rawFiles, raw-files and Raw_Files one word.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var before, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// homes lists the places in the file where a key called name is known, for
// one that stands in the wrong section.
func homes(name string) []string {
	var found []string
	var look func(t reflect.Type, path string)
	look = func(t reflect.Type, path string) {
		switch t.Kind() {
		case reflect.Map:
			look(t.Elem(), path+".NAME")
		case reflect.Slice:
			look(t.Elem(), path+"[]")
		case reflect.Struct:
			for _, f := range fieldsOf(t) {
				at := strings.TrimPrefix(path+"."+f.name, ".")
				if f.name == name {
					found = append(found, at)
				}
				look(f.typ, at)
			}
		}
	}
	look(reflect.TypeFor[Config](), "")
	slices.Sort(found)
	return found
}

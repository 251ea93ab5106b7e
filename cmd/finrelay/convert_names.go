package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// maxOutName is how long the name of an output may be, in bytes, without its
// extension: file systems take 255, of which the temporary name needs some.
const maxOutName = 200

// outNames gives outputs of one folder names of their own.
type outNames struct {
	extension string          // with the dot
	taken     map[string]bool // in lower case, since some file systems see no other
	next      map[string]int  // number for the next of a name
}

func newOutNames(format string) *outNames {
	return &outNames{extension: "." + format, taken: map[string]bool{}, next: map[string]int{}}
}

// claim names what becomes of the file at path: its own name without folder and
// extension, with a number where another has that already. Nobody else's file or
// folder has the name, with or without the extension.
func (o *outNames) claim(path string) string {
	base := filepath.Base(path)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	for len(stem) > maxOutName {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	name, key := stem, strings.ToLower(stem)
	for n := max(o.next[key], 2); o.has(name); n++ {
		name = fmt.Sprintf("%s (%d)", stem, n)
		o.next[key] = n + 1
	}
	o.taken[strings.ToLower(name)] = true
	o.taken[strings.ToLower(name+o.extension)] = true
	return name
}

func (o *outNames) has(name string) bool {
	return o.taken[strings.ToLower(name)] || o.taken[strings.ToLower(name+o.extension)]
}

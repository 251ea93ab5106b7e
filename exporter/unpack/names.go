package unpack

import (
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// decodeName gives a member's name as UTF-8. The zip specification says that a
// name without the UTF-8 flag is in code page 437, which has a character for
// each byte, so this never fails and different names stay different.
func decodeName(raw string) string {
	if utf8.ValidString(raw) {
		return raw
	}
	name, err := charmap.CodePage437.NewDecoder().String(raw)
	if err != nil {
		return strings.ToValidUTF8(raw, "\uFFFD")
	}
	return name
}

// slashed gives the name with forward slashes only; Windows tools have written
// backslashes.
func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }

// base is the last element of a path with slashes of either kind.
func base(name string) string {
	name = slashed(name)
	return name[strings.LastIndexByte(name, '/')+1:]
}

// stem is the file name without its extension.
func stem(name string) string {
	name = base(name)
	return strings.TrimSuffix(name, path.Ext(name))
}

// unsafeName says why a name could be used to leave the folder it is put in, or
// gives "". The name is never used so here, but names travel.
func unsafeName(name string) string {
	if strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7F }) >= 0 {
		return "holds a control character"
	}
	slashed := slashed(name)
	switch {
	case strings.Trim(slashed, "/") == "":
		return "names no file"
	case slashed[0] == '/':
		return "is absolute"
	case len(slashed) >= 2 && slashed[1] == ':' && isLetter(slashed[0]):
		return "names a drive"
	}
	for elem := range strings.SplitSeq(slashed, "/") {
		// Windows drops dots and spaces at the end: ".. " is "..".
		if strings.HasPrefix(elem, "..") && strings.Trim(elem, ". ") == "" {
			return "climbs out of its folder"
		}
	}
	return ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// foldName gives the form in which two names are the same file on a system
// that folds case, drops dots and spaces at the end and takes both slashes.
func foldName(name string) string {
	return strings.TrimRight(path.Clean(strings.ToLower(slashed(name))), ". ")
}

const contentTypes = "[Content_Types].xml"

// isClutter knows members that packing programs add beside the data.
//
// Assumed: FinOps writes none of them; people who open and repack a package do.
func isClutter(name string) bool {
	name = slashed(name)
	switch strings.ToLower(base(name)) {
	case ".ds_store", "thumbs.db", "desktop.ini":
		return true
	}
	return name == contentTypes || strings.HasPrefix(name, "_rels/") || strings.HasPrefix(name, "__MACOSX/")
}

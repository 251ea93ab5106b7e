package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// placeholders are what a path template may hold.
var placeholders = []string{
	"environment", "entity", "legal_entity", "target_entity", "flow", "project",
	"yyyy", "mm", "dd", "hh",
	"export_id", "shipment_id", "execution_id",
}

// Placeholders gives the names that may stand in braces in an output's path.
// The slice is the caller's.
func Placeholders() []string { return slices.Clone(placeholders) }

// manifestSuffix ends the name of the manifest beside each data file.
const manifestSuffix = ".manifest.json"

// piece is literal text, or a placeholder.
type piece struct {
	text        string // "" for a placeholder
	placeholder string
}

// splitTemplate takes a template apart, one list of pieces for each part of
// the path between slashes.
func splitTemplate(template string) ([][]piece, error) {
	var parts [][]piece
	for part := range strings.SplitSeq(template, "/") {
		pieces, err := splitPart(part)
		if err != nil {
			return nil, err
		}
		parts = append(parts, pieces)
	}
	return parts, nil
}

func splitPart(part string) ([]piece, error) {
	var pieces []piece
	for part != "" {
		open := strings.IndexAny(part, "{}")
		if open < 0 {
			return append(pieces, piece{text: part}), nil
		}
		if open > 0 {
			pieces = append(pieces, piece{text: part[:open]})
		}
		end := strings.IndexByte(part, '}')
		if part[open] == '}' || end < 0 {
			return nil, errors.New("a brace without its partner")
		}
		pieces = append(pieces, piece{placeholder: part[open+1 : end]})
		part = part[end+1:]
	}
	return pieces, nil
}

// forbidden are the characters that a file name cannot hold on Windows, and the
// one that outputs puts into names it had to change.
const forbidden = `<>:"|?*\~`

func (v *validator) outputs() {
	c := v.c
	v.names("outputs", sortedKeys(c.Outputs))
	if len(c.Outputs) == 0 {
		v.fail("outputs", "", "name an output, or leave the section out for files below ./out", "rows would land nowhere")
	}
	for _, name := range sortedKeys(c.Outputs) {
		out, field := c.Outputs[name], "outputs."+name
		if out.Folder == "" {
			v.fail(field+".folder", "", "name the folder that files are written below", "no folder")
		}
		if hint, err := checkTemplate(out.Path); err != nil {
			v.failCause(field+".path", out.Path, hint, err)
		}
	}
}

// checkTemplate says what is wrong with a template, and what to do.
func checkTemplate(template string) (hint string, err error) {
	if strings.HasPrefix(template, "/") || strings.Contains(template, `\`) || len(template) > 1 && template[1] == ':' {
		return "write a path below the output's folder, with / between its parts", errors.New("not a relative path")
	}
	parts, err := splitTemplate(template)
	if err != nil {
		return "known: {" + strings.Join(placeholders, "} {") + "}", err
	}
	for i, part := range parts {
		var literal strings.Builder
		for _, p := range part {
			literal.WriteString(p.text)
			if p.text == "" && !slices.Contains(placeholders, p.placeholder) {
				return suggestPlaceholder(p.placeholder), fmt.Errorf("unknown placeholder {%s}", p.placeholder)
			}
		}
		text := literal.String()
		switch {
		case len(part) == 0 && i == len(parts)-1:
			return "add a file name at the end, for example {export_id}.jsonl", errors.New("ends in a folder")
		case len(part) == 0:
			return "remove the extra /", errors.New("an empty part between two slashes")
		case len(part) == 1 && (text == "." || text == ".."):
			return "remove it: paths go down from the output's folder", fmt.Errorf("the part %s", text)
		case strings.ContainsAny(text, forbidden) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }):
			return `file names hold none of < > : " | ? * ~ \ nor control characters, so that they are the same on every system`, errors.New("a character that is not safe in file names")
		case loose(part[0].text, strings.HasPrefix), loose(part[len(part)-1].text, strings.HasSuffix):
			return "Windows drops dots and spaces at the end of a name, and a dot in front hides the file: remove them", errors.New("a part that starts or ends with a dot or space")
		}
	}
	if strings.HasSuffix(strings.ToLower(template), manifestSuffix) {
		return "choose another extension, for example .jsonl", errors.New("the name of the manifest beside each file")
	}
	return "", nil
}

// loose reports whether the end of text that has looks at is a dot or space.
func loose(text string, has func(s, end string) bool) bool { return has(text, ".") || has(text, " ") }

func suggestPlaceholder(name string) string {
	if near := nearest(name, placeholders); near != "" {
		return "did you mean {" + near + "}?"
	}
	return "known: {" + strings.Join(placeholders, "} {") + "}"
}

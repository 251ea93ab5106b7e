package convert

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// chooseSheet finds the one sheet that holds the rows: the one asked for, the
// only visible one, or the one that has the entity's name.
func chooseSheet(sheets []sheet, asked, entity string) (sheet, error) {
	var visible, fit []sheet
	for _, s := range sheets {
		if asked != "" && strings.EqualFold(s.name, asked) {
			return s, nil
		}
		if !s.hidden {
			visible = append(visible, s)
		}
	}
	if asked == "" && len(visible) == 1 {
		return visible[0], nil
	}
	for _, s := range visible {
		if asked == "" && entity != "" && namedAfter(s.name, entity) {
			fit = append(fit, s)
		}
	}
	if len(fit) == 1 {
		return fit[0], nil
	}
	names := sheetNames(sheets)
	switch {
	case len(sheets) == 0:
		return sheet{}, fmt.Errorf("the workbook holds no sheet of cells")
	case asked != "":
		return sheet{}, fmt.Errorf("the workbook holds no sheet %q; it holds %s", asked, names)
	case len(visible) == 0:
		return sheet{}, fmt.Errorf("every sheet of the workbook is hidden (%s): say which one holds the rows (read.sheet, --sheet)", names)
	case entity == "":
		return sheet{}, fmt.Errorf("the workbook holds %d sheets (%s): say which one holds the rows (read.sheet, --sheet)", len(visible), names)
	}
	return sheet{}, fmt.Errorf("the workbook holds %d sheets (%s) and not exactly one is named after the entity %q: say which one holds the rows (read.sheet, --sheet)", len(visible), names, entity)
}

// mostNames keeps a message of many sheets readable.
const mostNames = 20

func sheetNames(sheets []sheet) string {
	var names []string
	for i, s := range sheets {
		if i == mostNames {
			names = append(names, fmt.Sprintf("and %d more", len(sheets)-i))
			break
		}
		names = append(names, fmt.Sprintf("%q", s.name))
	}
	return strings.Join(names, ", ")
}

// sheetNameLength is the most characters a sheet's name has.
const sheetNameLength = 31

// namedAfter says whether FinOps or a person would give a sheet of an entity
// this name: the label with _ for blanks, cut to what Excel allows, with or
// without a $ at the end, letter case ignored.
//
// Assumed: other characters that a sheet's name may not hold are left out or
// replaced by _ too; a file that is refused for its sheets' names shows it wrong.
func namedAfter(name, entity string) bool {
	cut := utf8.RuneCountInString(name) >= sheetNameLength-1
	name, entity = sheetKey(strings.TrimSuffix(name, "$")), sheetKey(entity)
	if name == "" {
		return false
	}
	return name == entity || cut && strings.HasPrefix(entity, name)
}

var sheetSpelling = strings.NewReplacer(" ", "", "_", "", ":", "", `\`, "", "/", "", "?", "", "*", "", "[", "", "]", "", "'", "")

func sheetKey(name string) string { return strings.ToLower(sheetSpelling.Replace(name)) }

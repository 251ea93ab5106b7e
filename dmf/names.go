package dmf

import "strings"

// LegalEntity is a company of FinOps, its dataAreaId: "usmf", "USMF". Both
// cases are sent for one company; compare with strings.EqualFold.
type LegalEntity string

// ExecutionID names one run of a data project, e.g.
// "Nightly-2026-03-02T09:15:42-6B0E93D5A1C24F7880D4F2E9157ACB36". It is what
// turns an expired link into a fresh one.
type ExecutionID string

// DefinitionGroup names a data project. The screens say "data project", the
// API says definitionGroupId.
type DefinitionGroup string

// Fold gives the form in which two GUIDs are compared: without braces and
// surrounding white space, in lower case. Fold(Fold(id)) is Fold(id).
//
// Source: the published export events. The one of 2019 has EventId in braces,
// the ones of 2020 and later have it bare, both in upper case.
func Fold(id string) string {
	return strings.ToLower(strings.Trim(id, "{} \t\r\n"))
}

// FileName gives the name that FinOps gives an entity's file in a data package:
// the label without the characters that Windows forbids in file names, then
// the extension ("csv" and ".csv" mean the same; "" is none).
// "Country/regions" with "xlsx" is "Countryregions.xlsx". Two labels can give
// one name.
//
// Source: usmf_asset-major-types-01.zip in microsoft/Dynamics-AX-Integration
// for "label + extension". Assumed: the forbidden characters are the ones of
// .NET's Path.GetInvalidFileNameChars; a package with one of them in a name
// would show it wrong.
func FileName(entityLabel, ext string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`"*/:<>?\|`, r) {
			return -1
		}
		return r
	}, entityLabel)
	if ext = strings.TrimPrefix(ext, "."); ext != "" {
		name += "." + ext
	}
	return name
}

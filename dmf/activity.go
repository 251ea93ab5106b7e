package dmf

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// ActivityID names a recurring data job: the ID shown under "Manage scheduled
// data jobs". Its canonical form is the bare GUID in lower case, as
// ParseActivityID gives it.
type ActivityID string

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseActivityID reads an activity id as people paste it: bare or in braces
// (also percent-encoded), in any case, with blanks or quotes around it.
//
// Source: Microsoft Learn, "Recurring integrations", writes it in braces.
// Observed: microsoft/Recurring-Integrations-Scheduler sends it bare.
func ParseActivityID(s string) (ActivityID, error) {
	id := strings.NewReplacer("%7B", "", "%7b", "", "%7D", "", "%7d", "").Replace(s)
	id = strings.ToLower(strings.TrimFunc(id, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`{}"'`, r)
	}))
	if !guidForm.MatchString(id) {
		return "", fmt.Errorf("activity id %q: want a GUID like 3f2504e0-4f89-41d3-9a0c-0305e82c3301, as \"Manage scheduled data jobs\" shows it", clipText(s, 80))
	}
	return ActivityID(id), nil
}

// connectorPath gives the path of a queue call, canonical when id can be.
func connectorPath(verb string, id ActivityID) string {
	if parsed, err := ParseActivityID(string(id)); err == nil {
		id = parsed
	}
	return "/api/connector/" + verb + "/" + url.PathEscape(string(id))
}

package ris

import (
	"strings"
	"time"
)

// windowsZones gives the IANA zone of the usual Windows zones.
//
// Source: Unicode CLDR, windowsZones.xml, territory 001; where that gives a
// name that zone databases have moved to their legacy part (Kiev, Calcutta,
// Buenos_Aires, Indianapolis), the present one, or another city of the zone.
var windowsZones = map[string]string{
	"UTC":                             "UTC",
	"Coordinated Universal Time":      "UTC", // the standard name of UTC on an English Windows
	"GMT Standard Time":               "Europe/London",
	"Greenwich Standard Time":         "Atlantic/Reykjavik",
	"W. Europe Standard Time":         "Europe/Berlin",
	"Central Europe Standard Time":    "Europe/Budapest",
	"Romance Standard Time":           "Europe/Paris",
	"Central European Standard Time":  "Europe/Warsaw",
	"E. Europe Standard Time":         "Europe/Chisinau",
	"FLE Standard Time":               "Europe/Helsinki",
	"GTB Standard Time":               "Europe/Bucharest",
	"Turkey Standard Time":            "Europe/Istanbul",
	"Russian Standard Time":           "Europe/Moscow",
	"Israel Standard Time":            "Asia/Jerusalem",
	"Egypt Standard Time":             "Africa/Cairo",
	"South Africa Standard Time":      "Africa/Johannesburg",
	"W. Central Africa Standard Time": "Africa/Lagos",
	"E. Africa Standard Time":         "Africa/Nairobi",
	"Arab Standard Time":              "Asia/Riyadh",
	"Arabian Standard Time":           "Asia/Dubai",
	"Pakistan Standard Time":          "Asia/Karachi",
	"India Standard Time":             "Asia/Kolkata",
	"Bangladesh Standard Time":        "Asia/Dhaka",
	"SE Asia Standard Time":           "Asia/Bangkok",
	"Singapore Standard Time":         "Asia/Singapore",
	"China Standard Time":             "Asia/Shanghai",
	"Taipei Standard Time":            "Asia/Taipei",
	"Tokyo Standard Time":             "Asia/Tokyo",
	"Korea Standard Time":             "Asia/Seoul",
	"W. Australia Standard Time":      "Australia/Perth",
	"Cen. Australia Standard Time":    "Australia/Adelaide",
	"E. Australia Standard Time":      "Australia/Brisbane",
	"AUS Eastern Standard Time":       "Australia/Sydney",
	"New Zealand Standard Time":       "Pacific/Auckland",
	"Hawaiian Standard Time":          "Pacific/Honolulu",
	"Alaskan Standard Time":           "America/Anchorage",
	"Pacific Standard Time":           "America/Los_Angeles",
	"US Mountain Standard Time":       "America/Phoenix",
	"Mountain Standard Time":          "America/Denver",
	"Central Standard Time":           "America/Chicago",
	"Canada Central Standard Time":    "America/Regina",
	"Central Standard Time (Mexico)":  "America/Mexico_City",
	"Eastern Standard Time":           "America/New_York",
	"US Eastern Standard Time":        "America/Indiana/Indianapolis",
	"Atlantic Standard Time":          "America/Halifax",
	"Newfoundland Standard Time":      "America/St_Johns",
	"SA Pacific Standard Time":        "America/Bogota",
	"Pacific SA Standard Time":        "America/Santiago",
	"Argentina Standard Time":         "America/Argentina/Buenos_Aires",
	"E. South America Standard Time":  "America/Sao_Paulo",

	// Observed: microsoft/Recurring-Integrations-Scheduler issue 83: versions
	// before 3.2.1 wrote the zone's name in the language of Windows. In German
	// one name stands for all of central Europe, with one rule.
	"Mitteleuropäische Zeit": "Europe/Berlin",
}

// toZone gives the IANA name of a zone as the file has it, "" for one that is
// not known.
func toZone(name string) string {
	name = strings.TrimSpace(name)
	for windows, iana := range windowsZones {
		if strings.EqualFold(windows, name) {
			return iana
		}
	}
	// Quartz.NET on other systems has IANA names. "Local" is Go's own word for
	// a machine's zone, and here it would be this machine's.
	if strings.Contains(name, "/") {
		if _, err := time.LoadLocation(name); err == nil {
			return name
		}
	}
	return ""
}

package recognise

import (
	"regexp"
	"strings"
	"unicode"
)

// Names of fields by which servers say that something is wrong: keys of JSON,
// elements of XML, columns of a table.
//
// Source: OData's and ASP.NET's errors (protocol notes, 3.6), RFC 6749 (error,
// error_description), RFC 9457 (title, detail), Azure Storage (Error, Code,
// Message), SOAP (Fault). Observed: gateways' and proxies' own.
var (
	// troubles say it by themselves.
	troubles = words(`error errors exception exceptions fault faults failure failures errormessage errorcode errordescription error_message error_code error_description
		errormsg exceptionmessage stacktrace innererror innerexception odata.error faultcode faultstring accessdenied serviceexception apierror errorresponse faultresponse`)
	// besideTroubles are found beside them, and in data too.
	besideTroubles = words(`message messages msg code status statuscode status_code httpstatus httpcode type title detail details description reason
		level severity time timestamp ts caller logger success result results data path target source instance retry retryafter retry_after retry-after
		traceid trace_id correlation_id correlationid requestid request_id activityid exceptiontype messagedetail error_codes error_uri version host
		documentation_url __type kind metadata apiversion help support contact text info`)
)

func words(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// fewFields is how many fields an error has at the most that has others than
// those above.
const fewFields = 4

// speaksOfTrouble says whether the fields of a record, in lower case, are those
// of an error: few with one that says so, or none that is data's own.
func speaksOfTrouble(names []string) bool {
	trouble, own := false, false
	for _, n := range names {
		trouble = trouble || troubles[n]
		own = own || !troubles[n] && !besideTroubles[n]
	}
	return trouble && len(names) <= fewFields || !own && len(names) > 0
}

// phrase is some words with a single blank between them. Columns of a fixed
// width have several.
var phrase = regexp.MustCompile(`^[\pL(*"'\[-][^\s]*( [^\s]+)+$`)

// isSentence says whether a text reads like something that was written for
// people: each of its lines is words, or all of it is one word.
func isSentence(s string) bool {
	if strings.IndexFunc(strings.TrimSpace(s), unicode.IsSpace) < 0 {
		return len(s) <= longestName
	}
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !phrase.MatchString(line) {
			return false
		}
	}
	return true
}

// isCode says whether most lines end as those of a script or a style do.
func isCode(s string) bool {
	lines, code := 0, 0
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		lines++
		if strings.ContainsAny(line, "{}()") && strings.ContainsAny(line[len(line)-1:], ";{},)") {
			code++
		}
	}
	return code*3 > lines
}

package fetch

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Azure names the time frame in AuthenticationErrorDetail, for the link and,
// in a user delegation SAS, for the key behind it.
//
// Source: real error bodies of Azure Storage: "Signature not valid in the
// specified time frame: Start [...] - Expiry [...] - Current [...]", and the
// same with "key time frame: Key start [...] - Key expiry [...]".
var (
	frameStart   = regexp.MustCompile(`(?i)\bstart \[([^\]]*)\]`)
	frameExpiry  = regexp.MustCompile(`(?i)\bexpiry \[([^\]]*)\]`)
	frameCurrent = regexp.MustCompile(`(?i)\bcurrent \[([^\]]*)\]`)
)

// judgeTime finds out whether a refused signature is a matter of time, and
// sets KindExpired or KindNotYetValid if so. Only the server's own clock
// counts: the one in its text, else its Date header.
func (l *link) judgeTime(e *LinkError, resp *http.Response) {
	date, _ := http.ParseTime(resp.Header.Get("Date"))
	start, expiry, current := l.info.Start, l.info.Expiry, date
	framed := strings.Contains(strings.ToLower(e.Detail), "time frame")
	if framed {
		start = frameTime(frameStart, e.Detail, start)
		expiry = frameTime(frameExpiry, e.Detail, expiry)
		current = frameTime(frameCurrent, e.Detail, current)
	}
	known := !current.IsZero()
	switch {
	case known && !start.IsZero() && current.Before(start) && (framed || e.unexplained()):
		e.Kind, e.NotBefore = KindNotYetValid, start
	case framed:
		e.Kind = KindExpired
	case known && !expiry.IsZero() && !current.Before(expiry) && e.unexplained():
		e.Kind = KindExpired
	}
}

// unexplained: the server refused without saying why, so that the times in
// the link may be the reason.
//
// Observed: Azurite 3.35.0 answers an expired SAS with AuthorizationFailure
// and no detail (see TestAzurite), where Azure says AuthenticationFailed and the time frame.
func (e *LinkError) unexplained() bool {
	said := strings.ToLower(e.Detail)
	return !strings.Contains(said, "did not match") && !strings.Contains(said, "not well formed")
}

func frameTime(pattern *regexp.Regexp, text string, otherwise time.Time) time.Time {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return otherwise
	}
	t, err := http.ParseTime(m[1])
	if err != nil {
		return otherwise
	}
	return t.UTC()
}

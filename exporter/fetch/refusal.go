package fetch

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Bounds on what is kept of an error's text.
const (
	maxErrorBody = 64 << 10 // bytes read of an error's body
	maxDetail    = 600      // bytes kept of its text
)

// classify says what a response other than 200 and 206 means.
func (l *link) classify(resp *http.Response, conditional bool) error {
	status := resp.StatusCode
	switch {
	case status >= 200 && status < 300:
		return l.refusal(resp, KindNoFile, "a link's answer is 200, with the file")
	case status >= 300 && status < 400:
		return l.refusal(resp, KindNotAzure, "a redirect"+redirectHost(resp)+", not followed")
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return l.refusal(resp, KindBusy, "")
	case !hasAzureHeader(resp.Header):
		return l.refusal(resp, KindNotAzure, "no x-ms- header in the answer")
	case conditional && (status == http.StatusPreconditionFailed || status == http.StatusRequestedRangeNotSatisfiable):
		return l.refusal(resp, KindChanged, "")
	}
	e := l.refusal(resp, KindRefused, "")
	switch e.Code {
	case "AuthenticationFailed", "AuthorizationFailure":
		l.judgeTime(e, resp)
	case "BlobNotFound", "ContainerNotFound", "ContainerBeingDeleted":
		e.Kind = KindGone
	case "ResourceNotFound", "PublicAccessNotPermitted":
		// Azure gives these to a request that carries no SAS at all.
		e.Detail = strings.TrimSpace("the link seems to have lost its query on the way; " + e.Detail)
	case "":
		if status == http.StatusNotFound || status == http.StatusGone {
			e.Kind = KindGone
		}
	}
	return e
}

// refusal reads the server's own words. detail, when given, stands instead
// of them.
func (l *link) refusal(resp *http.Response, kind Kind, detail string) *LinkError {
	e := &LinkError{
		Kind:       kind,
		Host:       l.info.Host,
		StatusCode: resp.StatusCode,
		Code:       l.clean(resp.Header.Get("X-Ms-Error-Code")),
		Detail:     detail,
		RequestID:  l.clean(resp.Header.Get("X-Ms-Request-Id")),
		RetryAfter: retryAfter(resp.Header),
	}
	if kind == KindNotAzure || kind == KindNoFile || kind == KindChanged && detail != "" {
		return e
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what came is what can be told
	said := parseErrorBody(body)
	if e.Code == "" {
		e.Code = l.clean(said.Code)
	}
	if said.AuthenticationErrorDetail != "" {
		e.Detail = l.clean(said.AuthenticationErrorDetail)
	} else {
		// Azure appends request id and time, each on a line of its own.
		message, _, _ := strings.Cut(said.Message, "\nRequestId:")
		e.Detail = l.clean(message)
	}
	return e
}

type errorBody struct {
	Code                      string
	Message                   string
	AuthenticationErrorDetail string
}

// parseErrorBody reads Azure's XML, with or without a BOM. Anything else
// gives empty fields.
func parseErrorBody(body []byte) (said errorBody) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if err := xml.Unmarshal(body, &said); err != nil {
		return errorBody{}
	}
	said.Message = strings.ReplaceAll(said.Message, "\r\n", "\n")
	return said
}

var signature = regexp.MustCompile(`(?i)sig(=|%3d)[^&\s'"<>]*`)

// clean makes foreign text fit for a log line: one line, bounded, and without
// the signature, which some errors quote.
func (l *link) clean(text string) string {
	for _, secret := range l.secret {
		text = withoutSecret(text, secret)
	}
	text = signature.ReplaceAllString(text, "<signature>")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

// shortSecret is the length in bytes below which a signature is none in earnest.
// It is taken out only where it stands alone, and not out of every word.
const shortSecret = 4

func withoutSecret(text, secret string) string {
	if len(secret) >= shortSecret {
		return strings.ReplaceAll(text, secret, "<signature>")
	}
	alone := regexp.MustCompile(`(^|[^\pL\pN])` + regexp.QuoteMeta(secret) + `($|[^\pL\pN])`)
	return alone.ReplaceAllString(text, "${1}<signature>${2}")
}

func hasAzureHeader(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Ms-") {
			return true
		}
	}
	return false
}

// redirectHost names where a redirect points; the rest of a Location may hold
// somebody's secret.
func redirectHost(resp *http.Response) string {
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	return " to " + u.Host
}

// retryAfter reads both forms of the header. The date form is measured
// against the server's own Date, as our clock may be wrong.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, until.Sub(now))
}

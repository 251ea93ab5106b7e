package dmf

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on what is kept of an error's text.
const (
	maxErrorBody = 64 << 10 // bytes read of an error's body
	maxMessage   = 2 << 10  // bytes kept of its text
	maxRequestID = 128      // bytes kept of a request id
)

// serverText gives the useful words of an error's body, and whether they are
// FinOps' own: an OData error, not a gateway's page.
//
// Observed: microsoft/Recurring-Integrations-Scheduler issue 71: the text is in
// error.innererror.message, error.message is generic and error.code empty.
// Observed: scripts of a 10.0.48 sandbox: some errors have a top-level Message.
func serverText(body []byte) (text string, own bool) {
	body = bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))
	var said struct {
		Error   json.RawMessage
		Message string
	}
	if json.Unmarshal(body, &said) == nil {
		var inner struct {
			Message    string
			InnerError struct{ Message string }
		}
		_ = json.Unmarshal(said.Error, &inner) // another shape leaves inner empty
		for _, t := range []string{inner.InnerError.Message, inner.Message, said.Message} {
			if strings.TrimSpace(t) != "" {
				return t, true
			}
		}
	}
	if title, ok := htmlTitle(body); ok {
		return title, false
	}
	return string(body), false
}

var titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// htmlTitle says what kind of page a body is, when it is one.
func htmlTitle(body []byte) (string, bool) {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	if !bytes.HasPrefix(head, []byte("<!doctype html")) && !bytes.HasPrefix(head, []byte("<html")) {
		return "", false
	}
	if m := titleTag.FindSubmatch(body); m != nil {
		return "an HTML page: " + string(bytes.TrimSpace(m[1])), true
	}
	return "an HTML page", true
}

// Secrets of the shapes that servers echo: tokens, signatures of links, and
// the fields of a token request.
var (
	secretShapes = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]+)*|(?i:(sig|client_secret|client_assertion|password)=)[^&\s"'<>]+`)
	bearer       = regexp.MustCompile(`(?i:bearer)\s+([A-Za-z0-9._~+/=-]{8,})`)
)

// withoutBearer takes out what stands behind Bearer, unless it is a word: a
// token is long or has a digit in it, "bearer authentication" is neither.
func withoutBearer(text string) string {
	return bearer.ReplaceAllStringFunc(text, func(said string) string {
		token := bearer.FindStringSubmatch(said)[1]
		if len(token) < longWord && !strings.ContainsAny(token, "0123456789") {
			return said
		}
		return redacted
	})
}

// longWord is from how many letters a word behind Bearer is no word any more.
const longWord = 20

// withoutSecret takes a secret out of a text, in every spelling of it. One of a
// few letters, which nobody has in earnest, is taken out only where it stands
// alone: else it would tear up the words, and show by the holes what it is.
func withoutSecret(text, secret string) string {
	for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), jsonEscaped(secret)} {
		if len(form) >= shortSecret {
			text = strings.ReplaceAll(text, form, redacted)
			continue
		}
		alone := regexp.MustCompile(`(^|[^\pL\pN])` + regexp.QuoteMeta(form) + `($|[^\pL\pN])`)
		for range 2 { // two of them share what stands between
			text = alone.ReplaceAllString(text, "${1}"+redacted+"${2}")
		}
	}
	return text
}

// shortSecret is the length below which a secret may be part of a word.
const shortSecret = 4 // bytes

const redacted = "<redacted>"

// cleanText makes a server's text fit for an error: one line, at most limit
// bytes, without the given secrets and without what looks like one.
func cleanText(text string, limit int, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		text = withoutSecret(text, secret)
	}
	text = withoutBearer(secretShapes.ReplaceAllString(text, redacted))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	return clipText(strings.Join(strings.Fields(text), " "), limit)
}

func jsonEscaped(s string) string {
	quoted, _ := json.Marshal(s) // a string always marshals
	return strings.Trim(string(quoted), `"`)
}

// clipText cuts text to at most limit bytes, between runes.
func clipText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// requestID is FinOps' name for a request.
//
// Observed: microsoft/Recurring-Integrations-Scheduler issue 54: ms-dyn-aid.
// Assumed: a front end before FinOps may say x-ms-request-id or request-id.
func requestID(h http.Header) string {
	for _, name := range []string{"ms-dyn-aid", "x-ms-request-id", "request-id"} {
		if id := h.Get(name); id != "" {
			return cleanText(id, maxRequestID)
		}
	}
	return ""
}

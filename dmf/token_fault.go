package dmf

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// reply is what an authority answered, or why it did not.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
}

var authorityCode = regexp.MustCompile(`\b(AADSTS\d+|MSIS\d+)\b`)

// fault turns an authority's refusal into a sentence. secrets are taken out of
// whatever the authority said.
//
// Source: Microsoft Learn, "OAuth 2.0 client credentials flow", error response.
func (a authority) fault(r reply, secrets ...string) error {
	if r.err != nil {
		hint := "the authority " + a.signIn.AuthorityHost + " cannot be reached"
		if a.signIn.Method == MethodManagedIdentity {
			hint = "this machine's managed identity does not answer: it needs to run in Azure with an identity assigned"
		}
		said := withoutURL(r.err)
		_, host, _ := strings.Cut(a.signIn.AuthorityHost, "://")
		return &SignInError{Hint: hint, Err: &cleanError{cleanText(once(said.Error(), host), 300, secrets...), said}}
	}
	var said struct {
		Error       string        `json:"error"`
		Description string        `json:"error_description"`
		Codes       []json.Number `json:"error_codes"`
	}
	text, _ := serverText(r.body)
	if json.Unmarshal(bytes.TrimPrefix(r.body, []byte("\xEF\xBB\xBF")), &said) == nil && said.Description != "" {
		text = said.Description
	}
	// The lines after the first are trace ids.
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	e := &SignInError{
		Code:   cleanText(said.Error, 60, secrets...),
		Status: r.status,
	}
	text = cleanText(text, 300, secrets...)
	if code := authorityCode.FindString(text); code != "" {
		e.Code = code
	} else if len(said.Codes) > 0 {
		e.Code = "AADSTS" + said.Codes[0].String()
	}
	if text = strings.TrimPrefix(text, e.Code+": "); text != "" { // the code is told beside the hint
		e.Err = errors.New(text)
	}
	e.Hint, e.RetryAfter = a.hint(e.Code, said.Error, r)
	return e
}

func (a authority) hint(code, oauth string, r reply) (string, time.Duration) {
	wait := retryAfter(r.header, time.Now())
	if hint, ok := codeHints[code]; ok {
		return hint, wait
	}
	switch {
	case r.status == http.StatusTooManyRequests, r.status == http.StatusServiceUnavailable:
		if wait == 0 {
			wait = DefaultRetryAfter
		}
		return "the authority is throttling sign-ins", wait
	case r.status >= 500:
		return "the authority is failing", wait
	case r.status >= 300 && r.status < 400:
		return "the authority sends the sign-in elsewhere: check the authority host", 0
	case a.signIn.Method == MethodManagedIdentity && (r.status == http.StatusNotFound || r.status == http.StatusGone):
		// Source: Microsoft Learn, "How to use managed identities on a VM to
		// acquire an access token", error handling: both pass by themselves.
		return "this machine's managed identity is not ready", max(wait, failureRest)
	case a.signIn.Method == MethodManagedIdentity:
		return "no such managed identity on this machine: assign it, or correct the client id", wait
	}
	if hint, ok := oauthHints[oauth]; ok {
		return hint, wait
	}
	return "the authority refuses: check tenant, client id and authority host", wait
}

// cleanError has a text without secrets and keeps its cause.
type cleanError struct {
	text string
	err  error
}

func (e *cleanError) Error() string { return e.text }
func (e *cleanError) Unwrap() error { return e.err }

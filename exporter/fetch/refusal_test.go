package fetch

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	authFailed = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."
	notAllowed = "This request is not authorized to perform this operation."
)

// on sets the server's own clock in front of an answer.
func on(date string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", date)
		next(w, r)
	}
}

// TestKinds holds what Azure, Azurite and the things in between really say.
func TestKinds(t *testing.T) {
	const (
		before = "Mon, 02 Mar 2026 09:00:00 GMT" // the link of this test: 09:10:42 to 10:15:42
		during = "Mon, 02 Mar 2026 09:30:00 GMT"
		after  = "Mon, 02 Mar 2026 10:20:00 GMT"
	)
	tests := []struct {
		name      string
		answer    http.HandlerFunc
		kind      Kind
		temporary bool
		says      string // in the error's text
	}{
		{"expired", refuse(403, "AuthenticationFailed", authFailed, "Signature not valid in the specified time frame: Start [Mon, 02 Mar 2026 09:10:42 GMT] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 10:20:00 GMT]"),
			KindExpired, false, "403 AuthenticationFailed"},
		{"expired, start empty", refuse(403, "AuthenticationFailed", authFailed, "Signature not valid in the specified time frame: Start [] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 10:20:00 GMT]"),
			KindExpired, false, "only a fresh link helps"},
		{"key expired, before the link", on(during, refuse(403, "AuthenticationFailed", authFailed, "Signature not valid in the specified key time frame: Key start [Mon, 02 Mar 2026 00:00:00 GMT] - Key expiry [Mon, 02 Mar 2026 10:00:00 GMT] - Current [Mon, 02 Mar 2026 10:20:00 GMT]")),
			KindExpired, false, ""},
		{"not yet valid", refuse(403, "AuthenticationFailed", authFailed, "Signature not valid in the specified time frame: Start [Mon, 02 Mar 2026 09:10:42 GMT] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 09:08:00 GMT]"),
			KindNotYetValid, true, "valid from 2026-03-02T09:10:42Z"},
		{"expired as Azurite says it", on(after, refuse(403, "AuthorizationFailure", notAllowed, "")), KindExpired, false, ""},
		{"not yet valid as Azurite says it", on(before, refuse(403, "AuthorizationFailure", notAllowed, "")), KindNotYetValid, true, ""},
		{"firewall, within the time", on(during, refuse(403, "AuthorizationFailure", notAllowed, "")), KindRefused, false, strings.TrimSuffix(notAllowed, ".")},
		{"expired in the very second", on("Mon, 02 Mar 2026 10:15:42 GMT", refuse(403, "AuthorizationFailure", notAllowed, "")), KindExpired, false, ""},
		{"bad signature, after its time", on(after, refuse(403, "AuthenticationFailed", authFailed, "Signature did not match. String to sign used was r\n2026-03-02T09:10:42Z\n/blob/acct/exports/b")), KindRefused, false, "Signature did not match"},
		{"signature quoted back", refuse(403, "AuthenticationFailed", authFailed, "Signature fields not well formed: sv=2021&amp;sig=s3cr3t%2FWith%2BSigns%3D and "+secret), KindRefused, false, "not well formed"},
		{"stray bearer", refuse(400, "InvalidAuthenticationInfo", "Authentication information is not given in the correct format.", ""), KindRefused, false, "400 InvalidAuthenticationInfo"},
		{"permission", refuse(403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.", ""), KindRefused, false, "using this permission"},
		{"protocol", refuse(403, "AuthorizationProtocolMismatch", "This request is not authorized to perform this operation using this protocol.", ""), KindRefused, false, "using this protocol"},
		{"address", on(after, refuse(403, "AuthorizationSourceIPMismatch", "This request is not authorized to perform this operation using this source IP 20.1.2.3.", "")), KindRefused, false, "source IP"},
		{"blob gone", refuse(404, "BlobNotFound", "The specified blob does not exist.", ""), KindGone, false, "The specified blob does not exist; run the export again"},
		{"container gone", refuse(404, "ContainerNotFound", "The specified container does not exist.", ""), KindGone, false, "run the export again"},
		{"code in the body only", raw(404, "<Error><Code>BlobNotFound</Code><Message>The specified blob does not exist.</Message></Error>", "X-Ms-Request-Id", "1"), KindGone, false, ""},
		{"no body at all", raw(404, "", "X-Ms-Request-Id", "1"), KindGone, false, ""},
		{"query lost", refuse(404, "ResourceNotFound", "The specified resource does not exist.", ""), KindRefused, false, "lost its query"},
		{"query lost, private account", refuse(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.", ""), KindRefused, false, "lost its query"},
		{"proxy's 403", raw(403, "<html>Blocked by policy sig=s3cr3t</html>", "Content-Type", "text/html"), KindNotAzure, true, "a proxy?"},
		{"proxy's 404", raw(404, "not found"), KindNotAzure, true, "a proxy?"},
		{"proxy's 407", raw(407, ""), KindNotAzure, true, "407"},
		{"proxy's 200", raw(200, "<html>sign in</html>", "Content-Type", "text/html; charset=utf-8"), KindNotAzure, true, "web page"},
		{"redirect", raw(302, "", "Location", "https://login.example/?sig=s3cr3t", "X-Ms-Request-Id", "1"), KindNotAzure, true, "login.example"},
		{"not modified", raw(304, "", "X-Ms-Request-Id", "1"), KindNotAzure, true, ""},
		{"busy", refuse(503, "ServerBusy", "The server is busy.", ""), KindBusy, true, "503 ServerBusy"},
		{"internal", refuse(500, "InternalError", "The server encountered an internal error. Please retry the request.", ""), KindBusy, true, "internal error"},
		{"throttled by a front end", raw(429, "", "Retry-After", "30"), KindBusy, true, "wait 30s"},
		{"gateway", raw(502, "<html>"), KindBusy, true, "502 Bad Gateway"},
		{"unasked 412", refuse(412, "ConditionNotMet", "The condition is not met.", ""), KindRefused, false, ""},
		{"no content", raw(204, "", "X-Ms-Request-Id", "1"), KindNoFile, true, "204"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAzure(t, nil)
			a.then(tt.answer, tt.answer) // the second for the quick retry
			_, err := a.source(t).Open(context.Background(), 0, "")
			link, ok := errors.AsType[*LinkError](err)
			if !ok || link.Kind != tt.kind {
				t.Fatalf("Open = %v, want a *LinkError of kind %q", err, tt.kind)
			}
			if link.Temporary() != tt.temporary {
				t.Errorf("%q: Temporary = %v, want %v", link.Kind, link.Temporary(), tt.temporary)
			}
			if text := err.Error(); !strings.Contains(text, tt.says) || !strings.HasPrefix(text, a.Listener.Addr().String()+": ") {
				t.Errorf("error is %q, want the host first and %q in it", text, tt.says)
			}
			if strings.ContainsAny(link.Detail, "\r\n") || strings.Contains(link.Detail, "RequestId") {
				t.Errorf("Detail is %q, want one line without the request id", link.Detail)
			}
			wantNoSecret(t, err.Error()+link.Detail)
			for _, r := range a.requests {
				if _, given := r.Header["Authorization"]; given {
					t.Error("an Authorization header went out")
				}
			}
		})
	}
}

func TestLinkErrorFields(t *testing.T) {
	a := newAzure(t, nil)
	a.then(refuse(403, "AuthenticationFailed", authFailed, "Signature not valid in the specified time frame: Start [Mon, 02 Mar 2026 09:10:42 GMT] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 09:08:00 GMT]"))
	_, err := a.source(t).Open(context.Background(), 0, "")
	link, ok := errors.AsType[*LinkError](err)
	if !ok {
		t.Fatal(err)
	}
	want := LinkError{
		Kind: KindNotYetValid, Host: a.Listener.Addr().String(), StatusCode: 403, Code: "AuthenticationFailed",
		Detail:    "Signature not valid in the specified time frame: Start [Mon, 02 Mar 2026 09:10:42 GMT] - Expiry [Mon, 02 Mar 2026 10:15:42 GMT] - Current [Mon, 02 Mar 2026 09:08:00 GMT]",
		RequestID: "0f0f0f0f-001e-0012-3456-789abc000000", NotBefore: time.Date(2026, 3, 2, 9, 10, 42, 0, time.UTC),
	}
	if *link != want {
		t.Errorf("got  %#v\nwant %#v", *link, want)
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Mon, 02 Mar 2026 09:30:00 GMT"
	tests := []struct {
		text string
		want time.Duration
	}{
		{"", 0}, {"0", 0}, {"-5", 0}, {"7", 7 * time.Second}, {"86400", 24 * time.Hour}, {"soon", 0}, {"99999999999999999999", 0},
		{"Mon, 02 Mar 2026 09:30:20 GMT", 20 * time.Second}, {"Mon, 02 Mar 2026 09:29:00 GMT", 0},
	}
	for _, tt := range tests {
		if got := retryAfter(http.Header{"Retry-After": {tt.text}, "Date": {date}}); got != tt.want {
			t.Errorf("retryAfter(%q) = %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestContentRange(t *testing.T) {
	type span struct {
		start, end, total int64
		ok                bool
	}
	tests := map[string]span{
		"bytes 5-9/10":  {5, 9, 10, true},
		"bytes 10-9/10": {10, 9, 10, true}, // Azurite at the very end
		"bytes 5-9/*":   {}, "bytes */10": {}, "": {}, "bytes 5-9": {}, "items 5-9/10": {},
		"bytes 9-5/10": {}, "bytes 5-10/10": {}, "bytes -1-5/10": {}, "bytes 5-9/99999999999999999999": {},
	}
	for header, want := range tests {
		start, end, total, ok := parseContentRange(header)
		if got := (span{start, end, total, ok}); got != want {
			t.Errorf("parseContentRange(%q) = %+v, want %+v", header, got, want)
		}
	}
}

// A link with a signature of one letter, as somebody makes up to try, leaves the
// server's words alone.
func TestCleanKeepsWords(t *testing.T) {
	for secret, want := range map[string]string{
		"s":               "Signature fields not well formed: s3, (<signature>)",
		"SECRETSIGNATURE": "Signature fields not well formed: s3, (s)",
		"not ":            "Signature fields <signature>well formed: s3, (s)",
	} {
		l := &link{secret: []string{secret}}
		if got := l.clean("Signature fields not well formed: s3, (s)"); got != want {
			t.Errorf("without %q: %q, want %q", secret, got, want)
		}
	}
}

// FuzzErrorBody: any error body gives one bounded line without a signature.
func FuzzErrorBody(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>A</Code><Message>m\r\nRequestId:1</Message><AuthenticationErrorDetail>sig=x</AuthenticationErrorDetail></Error>"))
	f.Add([]byte("<html>"))
	f.Add([]byte("<Error><Message>" + strings.Repeat("ä\n", 1000) + "</Message></Error>"))
	l := &link{secret: []string{"SECRETSIGNATURE"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		said := parseErrorBody(body)
		for _, text := range []string{l.clean(said.Code), l.clean(said.Message), l.clean(said.AuthenticationErrorDetail)} {
			if strings.Contains(strings.ToLower(text), "sig=") || strings.Contains(text, "SECRETSIGNATURE") {
				t.Errorf("signature left in %q", text)
			}
			if strings.ContainsAny(text, "\r\n\x00") || len(text) > maxDetail+len("…") {
				t.Errorf("not one bounded line: %q", text)
			}
		}
	})
}

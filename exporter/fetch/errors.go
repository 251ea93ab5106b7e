package fetch

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Kind says what is the matter with a link, in terms of what to do next.
type Kind string

const (
	// KindExpired: the server says that the link's time is over. Get a new one.
	KindExpired Kind = "expired"
	// KindNotYetValid: the server says that the link's time has not begun;
	// NotBefore says when it does.
	KindNotYetValid Kind = "not yet valid"
	// KindRefused: address, protocol, permission or signature; Detail has
	// Azure's words. The same link will not do better later.
	KindRefused Kind = "refused"
	// KindGone: Azure says that the blob or its container does not exist.
	KindGone Kind = "gone"
	// KindNotAzure: something in between answered, for example a proxy. Says
	// nothing about the link. Redirects count as such, and so does any answer
	// without an x-ms- header, a 200 too, unless the host is one of PlainHosts.
	KindNotAzure Kind = "not azure"
	// KindNoFile: an answer of 2xx that brings no file, such as 204.
	KindNoFile Kind = "no file"
	// KindMissing: FinOps' queue says that the file of its message is not there.
	KindMissing Kind = "missing"
	// KindRedirected: FinOps' queue sends the download on to an address that is
	// not followed.
	KindRedirected Kind = "redirected"
	// KindBusy: throttled or failing for the moment; RetryAfter as the server
	// states it, 0 when it does not. The caller sets the upper bound.
	KindBusy Kind = "busy"
	// KindNetwork: no connection, no TLS, or a body cut again and again.
	KindNetwork Kind = "network"
	// KindHostile: scheme, host or address is not allowed, or the text is not
	// a link.
	KindHostile Kind = "hostile"
	// KindChanged: the blob changed underneath, and starting again did not help.
	KindChanged Kind = "changed"
	// KindTooLarge: the blob is larger than Options.MaxBytes.
	KindTooLarge Kind = "too large"
	// KindMismatch: length or MD5 is not what the server states, twice.
	KindMismatch Kind = "mismatch"
)

// words and next make the sentence of an error: what it is, what to do.
var words = map[Kind]string{
	KindExpired:     "link expired",
	KindNotYetValid: "link not valid yet",
	KindRefused:     "link refused",
	KindGone:        "blob does not exist",
	KindNotAzure:    "answered by something that is not Azure (a proxy?)",
	KindNoFile:      "the answer brings no file",
	KindMissing:     "the queue's message has no file to download",
	KindRedirected:  "redirect not followed",
	KindBusy:        "server is busy",
	KindNetwork:     "no working connection",
	KindHostile:     "link not allowed",
	KindChanged:     "blob changed during the download",
	KindTooLarge:    "blob too large",
	KindMismatch:    "bytes are not those the server stated",
}

var next = map[Kind]string{
	KindExpired: "only a fresh link helps: FinOps' Resend repeats the dead one",
	KindRefused: "check who may read the blob, then get a new link",
	KindGone:    "run the export again",
}

// LinkError is why a link did not give its bytes. It never holds the link's
// query.
type LinkError struct {
	Kind       Kind
	Host       string        // host[:port] of the link, "" when unknown
	StatusCode int           // HTTP status, 0 without an answer
	Code       string        // x-ms-error-code, or Code of the XML body
	Detail     string        // AuthenticationErrorDetail, Message or our own words; one line
	RequestID  string        // x-ms-request-id, what Microsoft's support asks for
	RetryAfter time.Duration // as stated by the server, unbounded; 0 when not stated
	NotBefore  time.Time     // KindNotYetValid: when the link begins to work
	Err        error         // the cause, when it is an error of Go's
}

// Error gives "HOST: what (STATUS CODE): detail; what to do".
func (e *LinkError) Error() string {
	var b strings.Builder
	if e.Host != "" {
		b.WriteString(e.Host + ": ")
	}
	b.WriteString(words[e.Kind])
	if e.StatusCode != 0 {
		code := e.Code
		if code == "" {
			code = http.StatusText(e.StatusCode)
		}
		fmt.Fprintf(&b, " (%s)", strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, code)))
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + once(e.Err.Error(), e.Host))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; the server asks to wait %v", e.RetryAfter)
	}
	if !e.NotBefore.IsZero() {
		b.WriteString("; valid from " + e.NotBefore.UTC().Format(time.RFC3339))
	}
	if hint := next[e.Kind]; hint != "" {
		// Azure ends its sentences; ours goes on.
		return strings.TrimSuffix(b.String(), ".") + "; " + hint
	}
	return b.String()
}

// once takes a host out of what the network said, for a sentence that names it.
func once(said, host string) string {
	name := strings.Trim(host, "[]")
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return strings.NewReplacer("dial tcp "+host+": ", "", "lookup "+name+" on ", "lookup on ", "lookup "+name+": ", "lookup: ").Replace(said)
}

func (e *LinkError) Unwrap() error { return e.Err }

// Temporary reports whether the same link may do better later. It is false
// for a link that needs a person or a replacement.
func (e *LinkError) Temporary() bool {
	switch e.Kind {
	case KindNotYetValid, KindNotAzure, KindNoFile, KindMissing, KindRedirected, KindBusy, KindNetwork, KindChanged, KindMismatch:
		return true
	}
	return false
}

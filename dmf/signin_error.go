package dmf

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Codes of a SignInError that are ours, for what FinOps refuses without one.
const (
	CodeNotRegistered = "app-not-registered" // 401 from FinOps: not in its list of applications
	CodeNotOnJob      = "app-not-on-job"     // 401 from the queue: not in the recurring job's list
	CodeNoRights      = "no-rights"          // 403 from FinOps
	CodeRedirected    = "redirected"         // 3xx, from FinOps or from where tokens are made
)

// SignInError says why no token came, or why FinOps does not take it, in a
// sentence a person can act on.
type SignInError struct {
	Code       string        // "AADSTS7000215", "MSIS9622", OAuth's "invalid_client", one of Code…, or ""
	Status     int           // HTTP status; 0 when no answer came
	RetryAfter time.Duration // how long the authority asks to wait; 0 when it does not say; at most MaxRetryAfter
	Hint       string        // what is wrong and what to do
	Err        error         // the server's own words or the network's, without secrets; may be nil
}

func (e *SignInError) Error() string {
	var b strings.Builder
	b.WriteString("sign in: " + e.Hint)
	switch {
	case e.Code != "" && e.Status != 0:
		fmt.Fprintf(&b, " [%s, HTTP %d]", e.Code, e.Status)
	case e.Status != 0:
		fmt.Fprintf(&b, " [HTTP %d]", e.Status)
	case e.Code != "":
		fmt.Fprintf(&b, " [%s]", e.Code)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; again in %s", e.RetryAfter.Round(time.Second))
	}
	return b.String()
}

func (e *SignInError) Unwrap() error { return e.Err }

// Temporary reports whether the same sign-in can succeed later without anybody
// doing anything: the authority was busy or could not be reached.
func (e *SignInError) Temporary() bool {
	if errors.Is(e.Err, errLocal) {
		return false
	}
	switch {
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusRequestTimeout, e.Status >= 500:
		return true
	case e.RetryAfter > 0:
		return true
	}
	return e.Status == 0 && e.Code == ""
}

// errLocal marks what is wrong on this machine: a secret or certificate that
// cannot be read.
var errLocal = errors.New("on this machine")

// codeHints are what Entra's codes mean for this program.
//
// Source: Microsoft Learn, "Microsoft Entra authentication and authorization
// error codes", and for 700016 "Business events troubleshooting".
var codeHints = map[string]string{
	"AADSTS7000215": "the secret is wrong: copy the secret's Value, not its ID, from Microsoft Entra > App registrations > the application > Certificates & secrets",
	"AADSTS7000222": "the secret has expired: make a new one under Microsoft Entra > App registrations > the application > Certificates & secrets and put it in place",
	"AADSTS700016":  "the tenant does not know the application: compare client id and tenant id with Microsoft Entra > App registrations > the application > Overview",
	"AADSTS500011":  "the tenant does not know the environment: check the environment's URL, and that it belongs to this tenant",
	"AADSTS70011":   "the scope is malformed: check the environment's URL; it must be scheme and host only",
	"AADSTS1002012": "the scope is malformed: check the environment's URL; it must be scheme and host only",
	"AADSTS90002":   "the tenant does not exist: check the tenant id, and the authority host if this is a sovereign cloud",
	"AADSTS900023":  "the tenant id is neither an id nor a domain name: copy it from Microsoft Entra > Overview",
	"AADSTS7000112": "the application is disabled in this tenant: an administrator must enable it under Microsoft Entra > Enterprise applications",
	"AADSTS7000218": "no secret or certificate was sent: check that the secret is not empty",
	"AADSTS700027":  "the certificate is not the application's: upload it under Microsoft Entra > App registrations > the application > Certificates & secrets, or use the one that is there",
	"AADSTS700024":  "the signed assertion is outside its time: check this machine's clock",
	"AADSTS700021":  "the federated token does not fit: check issuer and audience of the application's federated credential",
	"AADSTS70021":   "no federated credential of the application fits this workload: check its issuer, subject and audience",
	"AADSTS700211":  "no federated credential of the application has this issuer: check the cluster's issuer URL",
	"AADSTS700213":  "no federated credential of the application has this subject: check namespace and service account",
	"AADSTS53003":   "a conditional access policy blocks the application: an administrator must allow it from this address",
}

// oauthHints are for answers without a code we know, such as AD FS'.
var oauthHints = map[string]string{
	"invalid_client":          "the application's credentials are not accepted: check client id and secret",
	"unauthorized_client":     "the application may not sign in this way: check client id and tenant",
	"invalid_resource":        "the environment is not known there: check the environment's URL",
	"invalid_scope":           "the environment is not known there: check the environment's URL",
	"invalid_grant":           "the credentials are not accepted: check client id, secret and, for a certificate, this machine's clock",
	"temporarily_unavailable": "the authority is busy",
}

package dmf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Ways to sign in, the values of SignIn.Method.
const (
	MethodSecret           = "secret"            // client secret, Entra v2 endpoint
	MethodCertificate      = "certificate"       // certificate, Entra v2 endpoint
	MethodManagedIdentity  = "managed-identity"  // the identity of this Azure machine
	MethodWorkloadIdentity = "workload-identity" // the Kubernetes service account
	MethodV1               = "v1"                // client secret, Entra v1 endpoint
	MethodADFS             = "adfs"              // client secret, AD FS on-premises
)

// DefaultAuthorityHost makes tokens for the public cloud.
const DefaultAuthorityHost = "https://login.microsoftonline.com"

// SignIn says how an application signs in. It prints without its secrets.
type SignIn struct {
	// Method is one of the Method constants.
	Method string
	// TenantID is the tenant's id or domain; not needed for managed identity
	// and AD FS, and for workload identity taken from the pod when empty.
	//
	// Source: Microsoft Learn, "Troubleshoot service authentication": not
	// "organizations" or "common".
	TenantID string
	// ClientID is the application's id. For managed identity it is the
	// user-assigned identity's, empty for the system-assigned one.
	ClientID string
	// Secret gives the client secret. It is asked at each sign-in, so that a
	// rotated secret needs no restart. See StaticSecret.
	Secret func() (string, error)
	// CertificateFile is a PEM or PKCS#12 file with certificate and key, read
	// at each sign-in.
	CertificateFile string
	// CertificatePassword opens a PKCS#12 file; empty for none.
	CertificatePassword string
	// TokenFile is the service account token of a workload; the pod's own
	// AZURE_FEDERATED_TOKEN_FILE when empty.
	TokenFile string
	// AuthorityHost makes the tokens: a sovereign cloud's
	// ("https://login.microsoftonline.us"), for AD FS its own. Defaults to
	// DefaultAuthorityHost. http is allowed on loopback, for simulators.
	AuthorityHost string
	// Resource is the environment's URL.
	Resource string
}

// StaticSecret gives a Secret that does not change.
func StaticSecret(secret string) func() (string, error) {
	return func() (string, error) { return secret, nil }
}

// String names the method and the application, never a secret.
func (s SignIn) String() string {
	return fmt.Sprintf("%s of application %s in tenant %s for %s", s.Method, s.ClientID, s.TenantID, s.Resource)
}

// GoString keeps %#v from printing the certificate's password.
func (s SignIn) GoString() string { return "dmf.SignIn{" + s.String() + "}" }

// LogValue keeps logs from printing the certificate's password.
func (s SignIn) LogValue() slog.Value { return slog.StringValue(s.String()) }

// TokenSource gives bearer tokens for one environment. It is safe for
// concurrent use.
type TokenSource interface {
	// Token returns a token that is good for a while, from memory when it can.
	// Its error is a *SignInError, or ctx's.
	Token(ctx context.Context) (string, error)
	// Forget drops a token that the server refused; another one stays.
	Forget(token string)
}

// NewTokenSource returns a TokenSource without touching the network. It
// refuses settings that cannot work, naming the field. It holds no connection
// open between sign-ins and needs no closing.
func NewTokenSource(s SignIn, opt TransportOptions) (TokenSource, error) {
	s, err := s.checked()
	if err != nil {
		return nil, err
	}
	if opt.UserAgent == "" {
		opt.UserAgent = defaultUserAgent
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if s.Method == MethodManagedIdentity {
		opt.Proxy = nil // the machine's own endpoint is not behind a proxy
	}
	transport := newTransport(opt.Proxy, opt.RootCAs)
	transport.ResponseHeaderTimeout = signInTimeout
	transport.DisableKeepAlives = true // one sign-in an hour
	a := authority{
		signIn:    s,
		userAgent: opt.UserAgent,
		http:      &http.Client{Transport: transport, CheckRedirect: noRedirect, Timeout: signInTimeout},
	}
	issue := a.fromEntra
	if a.ownForm() {
		issue = a.fromForm
	}
	return &cachedToken{issue: issue, now: opt.Now, turn: make(chan struct{}, 1)}, nil
}

// signInTimeout bounds one request of a sign-in.
const signInTimeout = 30 * time.Second

// checked gives s in canonical form, or names the field that cannot work.
func (s SignIn) checked() (SignIn, error) {
	var err error
	if s.Resource, err = Audience(s.Resource); err != nil {
		return s, fmt.Errorf("sign-in resource: %w", err)
	}
	s.TenantID, s.ClientID = strings.TrimSpace(s.TenantID), strings.TrimSpace(s.ClientID)
	needs := map[string]bool{}
	switch s.Method {
	case MethodSecret, MethodV1:
		needs = map[string]bool{"tenant": s.TenantID != "", "client id": s.ClientID != "", "secret": s.Secret != nil}
	case MethodCertificate:
		needs = map[string]bool{"tenant": s.TenantID != "", "client id": s.ClientID != "", "certificate file": s.CertificateFile != ""}
	case MethodADFS:
		needs = map[string]bool{"client id": s.ClientID != "", "secret": s.Secret != nil, "authority host (the AD FS host)": s.AuthorityHost != ""}
	case MethodManagedIdentity, MethodWorkloadIdentity:
	default:
		return s, fmt.Errorf("sign-in method %q: want %s, %s, %s, %s, %s or %s", s.Method,
			MethodSecret, MethodCertificate, MethodManagedIdentity, MethodWorkloadIdentity, MethodV1, MethodADFS)
	}
	for _, name := range []string{"tenant", "client id", "secret", "certificate file", "authority host (the AD FS host)"} {
		if there, needed := needs[name]; needed && !there {
			return s, fmt.Errorf("sign-in by %s: no %s given", s.Method, name)
		}
	}
	switch strings.ToLower(s.TenantID) {
	case "common", "organizations", "consumers":
		return s, fmt.Errorf("sign-in tenant %q: give the tenant's own id or domain; FinOps refuses tokens of %q", s.TenantID, s.TenantID)
	}
	if strings.ContainsAny(s.TenantID, "/?#%\\") {
		return s, errors.New("sign-in tenant: want an id or a domain name")
	}
	s.AuthorityHost, err = authorityHost(s.AuthorityHost)
	return s, err
}

func authorityHost(raw string) (string, error) {
	if raw == "" {
		return DefaultAuthorityHost, nil
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", errors.New("sign-in authority host: want a URL like " + DefaultAuthorityHost)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return "", fmt.Errorf("sign-in authority host %s: must be https, the secret is sent there", u.Host)
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/adfs")
	return u.Scheme + "://" + u.Host + path, nil
}

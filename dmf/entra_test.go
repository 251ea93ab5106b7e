package dmf

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// entra is an authority over TLS that azidentity accepts.
type entra struct {
	*httptest.Server
	mu      sync.Mutex
	n       int
	refuse  func(w http.ResponseWriter, r *http.Request) bool
	lastAsk map[string]string
	paths   []string
}

func startEntra(t *testing.T) (*entra, TransportOptions) {
	t.Helper()
	e := &entra{}
	e.Server = httptest.NewTLSServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.Close)
	roots := x509.NewCertPool()
	roots.AddCert(e.Certificate())
	return e, TransportOptions{RootCAs: roots}
}

func (e *entra) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.paths = append(e.paths, r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		at := e.URL + "/" + strings.Split(r.URL.Path, "/")[1]
		answer200(fmt.Sprintf(`{"token_endpoint":"%s/oauth2/v2.0/token","authorization_endpoint":"%s/oauth2/v2.0/authorize","issuer":"%s/v2.0"}`, at, at, at))(w, r)
		return
	}
	if e.refuse != nil && e.refuse(w, r) {
		return
	}
	e.n++
	e.lastAsk = map[string]string{}
	for _, name := range []string{"client_id", "client_secret", "client_assertion", "scope", "grant_type"} {
		e.lastAsk[name] = r.PostFormValue(name)
	}
	answer200(fmt.Sprintf(`{"token_type":"Bearer","expires_in":3599,"access_token":"entra-%d"}`, e.n))(w, r)
}

func TestEntraSecret(t *testing.T) {
	e, opt := startEntra(t)
	secret := "first"
	source, err := NewTokenSource(SignIn{Method: MethodSecret, TenantID: "contoso", ClientID: "app-1", AuthorityHost: e.URL,
		Secret: func() (string, error) { return secret, nil }, Resource: "https://Contoso.operations.dynamics.com/"}, opt)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if token, err := source.Token(t.Context()); token != "entra-1" || err != nil {
			t.Fatalf("got %q, %v", token, err)
		}
	}
	if e.lastAsk["scope"] == "" || !strings.Contains(e.lastAsk["scope"], "https://contoso.operations.dynamics.com/.default") || e.lastAsk["client_secret"] != "first" {
		t.Errorf("asked with %v", e.lastAsk)
	}
	// A refused token does not come back out of azidentity's cache, and a
	// rotated secret is used.
	secret = "second"
	source.Forget("entra-1")
	if token, err := source.Token(t.Context()); token != "entra-2" || err != nil || e.lastAsk["client_secret"] != "second" {
		t.Errorf("after Forget: %q, %v, asked with %v", token, err, e.lastAsk)
	}
}

func TestEntraRefuses(t *testing.T) {
	for _, c := range []struct {
		name      string
		answer    http.HandlerFunc
		code      string
		temporary bool
		wait      time.Duration
	}{
		{"wrong secret", answerStatus(401, entraError(7000215, "invalid_client")), "AADSTS7000215", false, 0},
		{"throttled", answerStatus(429, `{"error":"temporarily_unavailable"}`, "Retry-After", "9"), "temporarily_unavailable", true, 9 * time.Second},
		{"failing", answerStatus(500, ""), "", true, 0},
		{"hung up", hangUp, "", true, 0},
	} {
		e, opt := startEntra(t)
		asked := 0
		e.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			asked++
			e.mu.Unlock()
			defer e.mu.Lock()
			c.answer(w, r)
			return true
		}
		source, err := NewTokenSource(SignIn{Method: MethodSecret, TenantID: "contoso", ClientID: "app-1", AuthorityHost: e.URL,
			Secret: StaticSecret(testSecret), Resource: "https://contoso.operations.dynamics.com"}, opt)
		if err != nil {
			t.Fatal(err)
		}
		_, err = source.Token(t.Context())
		s, ok := errors.AsType[*SignInError](err)
		if !ok || s.Code != c.code || s.Temporary() != c.temporary || s.RetryAfter != c.wait || strings.Contains(err.Error(), testSecret) {
			t.Errorf("%s: got %v (%+v)", c.name, err, s)
		}
		if asked != 1 {
			t.Errorf("%s: asked %d times, want once: waiting is the caller's", c.name, asked)
		}
	}
}

func TestEntraCertificate(t *testing.T) {
	e, opt := startEntra(t)
	file := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(file, newCertificate(t), 0o600); err != nil {
		t.Fatal(err)
	}
	signIn := SignIn{Method: MethodCertificate, TenantID: "contoso", ClientID: "app-1", AuthorityHost: e.URL,
		CertificateFile: file, Resource: "https://contoso.operations.dynamics.com"}
	source, err := NewTokenSource(signIn, opt)
	if err != nil {
		t.Fatal(err)
	}
	if token, err := source.Token(t.Context()); token != "entra-1" || err != nil {
		t.Fatalf("got %q, %v", token, err)
	}
	if parts := strings.Split(e.lastAsk["client_assertion"], "."); len(parts) != 3 || e.lastAsk["client_secret"] != "" {
		t.Errorf("asked with %v", e.lastAsk)
	}
	for name, content := range map[string]string{"missing": "", "no certificate": "hello"} {
		signIn.CertificateFile, signIn.CertificatePassword = filepath.Join(t.TempDir(), "x.pem"), testSecret
		if content != "" {
			if err := os.WriteFile(signIn.CertificateFile, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		source, err := NewTokenSource(signIn, opt)
		if err != nil {
			t.Fatal(err)
		}
		_, err = source.Token(t.Context())
		if s, ok := errors.AsType[*SignInError](err); !ok || s.Temporary() || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), testSecret) {
			t.Errorf("%s: got %v, want a lasting *SignInError about the certificate", name, err)
		}
	}
}

func newCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app-1"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: cert}, {Type: "PRIVATE KEY", Bytes: private}} {
		if err := pem.Encode(&out, block); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestEntraWorkloadIdentity(t *testing.T) {
	e, opt := startEntra(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("federated-1"), 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := NewTokenSource(SignIn{Method: MethodWorkloadIdentity, TenantID: "contoso", ClientID: "app-1", TokenFile: file,
		AuthorityHost: e.URL, Resource: "https://contoso.operations.dynamics.com"}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if token, err := source.Token(t.Context()); token != "entra-1" || err != nil || e.lastAsk["client_assertion"] != "federated-1" {
		t.Errorf("got %q, %v, asked with %v", token, err, e.lastAsk)
	}
}

// TestManagedIdentity speaks the App Service dialect, the one whose endpoint
// can be moved.
//
// Source: Microsoft Learn, "How to use managed identities for App Service",
// REST endpoint reference.
func TestManagedIdentity(t *testing.T) {
	n, refuse := 0, false
	client := fmt.Sprint("app-", time.Now().UnixNano()) // the library's cache outlives a test
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			answerStatus(400, `{"error":"invalid_request","error_description":"Identity not found"}`)(w, r)
			return
		}
		n++
		if r.Header.Get("X-IDENTITY-HEADER") != "key-1" || r.URL.Query().Get("client_id") != client ||
			r.URL.Query().Get("resource") != "https://contoso.operations.dynamics.com" {
			t.Errorf("asked %s", r.URL)
		}
		answer200(fmt.Sprintf(`{"token_type":"Bearer","expires_on":"%d","access_token":"mi-%d"}`, time.Now().Add(time.Hour).Unix(), n))(w, r)
	}))
	t.Cleanup(server.Close)
	t.Setenv("IDENTITY_ENDPOINT", server.URL)
	t.Setenv("IDENTITY_HEADER", "key-1")
	source, err := NewTokenSource(SignIn{Method: MethodManagedIdentity, ClientID: client, Resource: "https://contoso.operations.dynamics.com"}, TransportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if token, err := source.Token(t.Context()); token != "mi-1" || err != nil {
		t.Fatalf("got %q, %v", token, err)
	}
	// The library keeps a cache of its own for the whole process.
	source.Forget("mi-1")
	if token, err := source.Token(t.Context()); token != "mi-2" || err != nil {
		t.Errorf("after Forget: %q, %v", token, err)
	}
	source.Forget("mi-2")
	refuse = true
	_, err = source.Token(t.Context())
	if s, ok := errors.AsType[*SignInError](err); !ok || s.Temporary() || !strings.Contains(err.Error(), "Identity not found") {
		t.Errorf("got %v, want the endpoint's words", err)
	}
}

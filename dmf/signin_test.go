package dmf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const testSecret = "s3cr~t+with/odd=chars&more"

// signInTo returns a form sign-in of the given method to a server on loopback.
func signInTo(t *testing.T, method string, handler http.HandlerFunc) (TokenSource, *testClock) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	clock := newTestClock()
	source, err := NewTokenSource(SignIn{
		Method: method, TenantID: "contoso.onmicrosoft.com", ClientID: "app-1", Secret: StaticSecret(testSecret + "\n"),
		AuthorityHost: server.URL, Resource: "https://Contoso.Operations.Dynamics.com/",
	}, TransportOptions{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return source, clock
}

func TestSignInForms(t *testing.T) {
	for method, want := range map[string]struct{ path, key, value string }{
		MethodV1:     {"/contoso.onmicrosoft.com/oauth2/token", "resource", "https://contoso.operations.dynamics.com"},
		MethodADFS:   {"/adfs/oauth2/token", "resource", "https://contoso.operations.dynamics.com"},
		MethodSecret: {"/contoso.onmicrosoft.com/oauth2/v2.0/token", "scope", "https://contoso.operations.dynamics.com/.default"},
	} {
		var path, kind string
		var form url.Values
		source, _ := signInTo(t, method, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			path, kind = r.Method+" "+r.URL.Path, r.Header.Get("Content-Type")
			if form, err = url.ParseQuery(string(body)); err != nil {
				t.Error(err)
			}
			answer200(`{"token_type":"Bearer","expires_in":"3599","access_token":"abc"}`)(w, r)
		})
		token, err := source.Token(t.Context())
		if err != nil || token != "abc" {
			t.Errorf("%s: got %q, %v", method, token, err)
			continue
		}
		if path != "POST "+want.path || kind != "application/x-www-form-urlencoded" {
			t.Errorf("%s: asked %s as %s, want POST %s", method, path, kind, want.path)
		}
		wantForm := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app-1"}, "client_secret": {testSecret}, want.key: {want.value}}
		if form.Encode() != wantForm.Encode() {
			t.Errorf("%s: sent %v, want %v", method, form, wantForm)
		}
	}
}

func TestParseToken(t *testing.T) {
	wall := time.Unix(1772442942, 0)
	for name, c := range map[string]struct {
		body string
		life time.Duration
	}{
		"v1, strings":      {`{"token_type":"Bearer","expires_in":"3599","ext_expires_in":"3599","expires_on":"1772446542","not_before":"1772442642","resource":"x","access_token":"t"}`, 3599 * time.Second},
		"v2, numbers":      {`{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}`, 3599 * time.Second},
		"AD FS":            {`{"access_token":"t","token_type":"bearer","expires_in":3600}`, time.Hour},
		"90 minutes":       {`{"access_token":"t","expires_in":5400.0}`, 90 * time.Minute},
		"moment only":      {`{"access_token":"t","expires_on":"1772446542"}`, time.Hour},
		"no life":          {`{"access_token":"t"}`, unstatedLife},
		"a year":           {`{"access_token":"t","expires_in":31536000}`, 24 * time.Hour},
		"byte order mark":  {"\xEF\xBB\xBF" + `{"access_token":"t","expires_in":60}`, time.Minute},
		"expired":          {`{"access_token":"t","expires_in":0}`, 0},
		"expired a moment": {`{"access_token":"t","expires_on":1772442941}`, 0},
		"no token":         {`{"expires_in":3599}`, 0},
		"other type":       {`{"access_token":"t","token_type":"mac","expires_in":3599}`, 0},
		"page":             {`<html>`, 0},
		"empty":            {``, 0},
	} {
		got, err := parseToken([]byte(c.body), wall)
		if got.life != c.life || (err == nil) != (c.life > 0) {
			t.Errorf("%s: life %s, %v; want %s", name, got.life, err, c.life)
		}
		if err == nil && got.token != "t" {
			t.Errorf("%s: token %q", name, got.token)
		}
		if err != nil && !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: got %v, want ErrUnreadable", name, err)
		}
	}
}

func entraError(code int, oauth string) string {
	return fmt.Sprintf(`{"error":%q,"error_description":"AADSTS%d: Words of Entra.\r\nTrace ID: 0f0f","error_codes":[%d]}`, oauth, code, code)
}

func TestSignInErrors(t *testing.T) {
	for _, c := range []struct {
		name      string
		answer    http.HandlerFunc
		code      string
		hint      string
		temporary bool
		wait      time.Duration
	}{
		{"wrong secret", answerStatus(401, entraError(7000215, "invalid_client")), "AADSTS7000215", "copy the secret's Value", false, 0},
		{"expired secret", answerStatus(401, entraError(7000222, "invalid_client")), "AADSTS7000222", "the secret has expired", false, 0},
		{"unknown application", answerStatus(400, entraError(700016, "unauthorized_client")), "AADSTS700016", "does not know the application", false, 0},
		{"unknown resource", answerStatus(400, entraError(500011, "invalid_resource")), "AADSTS500011", "does not know the environment", false, 0},
		{"bad scope", answerStatus(400, entraError(70011, "invalid_scope")), "AADSTS70011", "the scope is malformed", false, 0},
		{"bad scope, v2", answerStatus(400, entraError(1002012, "invalid_scope")), "AADSTS1002012", "the scope is malformed", false, 0},
		{"unknown tenant", answerStatus(400, entraError(90002, "invalid_request")), "AADSTS90002", "the tenant does not exist", false, 0},
		{"code in a list only", answerStatus(401, `{"error":"invalid_client","error_description":"Words.","error_codes":[7000222]}`), "AADSTS7000222", "the secret has expired", false, 0},
		{"AD FS", answerStatus(401, `{"error":"invalid_client","error_description":"MSIS9622: Client authentication failed."}`), "MSIS9622", "check client id and secret", false, 0},
		{"throttled", answerStatus(429, `{"error":"temporarily_unavailable"}`, "Retry-After", "17"), "temporarily_unavailable", "throttling", true, 17 * time.Second},
		{"throttled, no header", answerStatus(503, `{"error":"temporarily_unavailable"}`), "temporarily_unavailable", "throttling", true, DefaultRetryAfter},
		{"throttled for a day", answerStatus(429, ``, "Retry-After", "86400"), "", "throttling", true, MaxRetryAfter},
		{"failing", answerStatus(500, "<html><title>Oops</title></html>"), "", "the authority is failing", true, 0},
		{"redirect", answerStatus(302, "", "Location", "https://evil.example/"), "", "check the authority host", false, 0},
		{"no words", answerStatus(400, ""), "", "the authority refuses", false, 0},
		{"not a token", answer200("<html>"), "", "holds no token", false, 0},
		{"hung up", hangUp, "", "cannot be reached", true, 0},
	} {
		source, _ := signInTo(t, MethodV1, c.answer)
		_, err := source.Token(t.Context())
		e, ok := errors.AsType[*SignInError](err)
		if !ok {
			t.Errorf("%s: got %v, want a *SignInError", c.name, err)
			continue
		}
		if e.Code != c.code || !strings.Contains(e.Hint, c.hint) || e.Temporary() != c.temporary || e.RetryAfter != c.wait {
			t.Errorf("%s: got code %q, temporary %v, wait %s: %v", c.name, e.Code, e.Temporary(), e.RetryAfter, err)
		}
		if strings.Contains(err.Error(), "Trace ID") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a sentence: %q", c.name, err)
		}
	}
}

func TestSignInSettings(t *testing.T) {
	good := SignIn{Method: MethodSecret, TenantID: "t", ClientID: "c", Secret: StaticSecret("s"), Resource: "https://contoso.operations.dynamics.com"}
	for text, change := range map[string]func(*SignIn){
		"method":         func(s *SignIn) { s.Method = "password" },
		"tenant":         func(s *SignIn) { s.TenantID = "" },
		"\"Common\"":     func(s *SignIn) { s.TenantID = "Common" },
		"domain name":    func(s *SignIn) { s.TenantID = "../x" },
		"client id":      func(s *SignIn) { s.ClientID = " " },
		"secret":         func(s *SignIn) { s.Secret = nil },
		"resource":       func(s *SignIn) { s.Resource = "http://contoso.operations.dynamics.com" },
		"authority host": func(s *SignIn) { s.AuthorityHost = "http://login.example" },
		"certificate":    func(s *SignIn) { s.Method = MethodCertificate },
		"AD FS":          func(s *SignIn) { s.Method = MethodADFS },
	} {
		s := good
		change(&s)
		if _, err := NewTokenSource(s, TransportOptions{}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want an error that names %s", err, text)
		}
	}
	if _, err := NewTokenSource(good, TransportOptions{}); err != nil {
		t.Error(err)
	}
	for in, want := range map[string]string{
		"": DefaultAuthorityHost, "https://adfs.contoso.local/adfs/": "https://adfs.contoso.local", "https://login.microsoftonline.us/": "https://login.microsoftonline.us",
	} {
		if got, err := authorityHost(in); got != want || err != nil {
			t.Errorf("authorityHost(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestSignInPrints(t *testing.T) {
	s := SignIn{Method: MethodCertificate, ClientID: "app-1", CertificatePassword: testSecret}
	for _, text := range []string{s.String(), fmt.Sprintf("%v %+v %#v", s, s, s), s.LogValue().String()} {
		if strings.Contains(text, testSecret) || !strings.Contains(text, "app-1") {
			t.Errorf("prints %s", text)
		}
	}
}

func TestSecretUnreadable(t *testing.T) {
	for name, secret := range map[string]func() (string, error){
		"error": func() (string, error) { return "", errors.New("open the secret's file: gone") },
		"empty": StaticSecret(" \n"),
	} {
		a := authority{signIn: SignIn{Method: MethodV1, Secret: secret, AuthorityHost: "https://x.invalid"}}
		_, err := a.fromForm(context.Background(), false)
		if e, ok := errors.AsType[*SignInError](err); !ok || e.Temporary() || !strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want a lasting *SignInError about the secret", name, err)
		}
	}
}

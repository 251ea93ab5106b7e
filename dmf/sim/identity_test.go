package sim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

const (
	v1    = "/contoso.onmicrosoft.com/oauth2/token"
	v2    = "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token"
	adfs  = "/adfs/oauth2/token"
	queue = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"
)

// good is a complete form for every version; pairs replace its values.
func good(s *sim.Sim, replace ...string) []string {
	form := []string{"grant_type", "client_credentials", "client_id", sim.DefaultClientID, "client_secret", sim.DefaultSecret,
		"resource", s.BaseURL(), "scope", s.BaseURL() + "/.default"}
	return append(form, replace...)
}

func TestTokenAnswers(t *testing.T) {
	cases := []struct {
		name, path string
		onPremises bool
		expires    any // JSON gives float64 for numbers
		fields     string
	}{
		{"v1", v1, false, "3599", "access_token expires_in expires_on ext_expires_in not_before resource token_type"},
		{"v2", v2, false, 3599.0, "access_token expires_in ext_expires_in token_type"},
		{"AD FS", adfs, true, 3599.0, "access_token expires_in token_type"},
		{"AD FS with a slash", adfs + "/", true, 3599.0, "access_token expires_in token_type"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := started(t, sim.Options{OnPremises: c.onPremises})
			a := signIn(t, s, c.path, good(s)...)
			m := a.fields(t)
			for _, f := range strings.Fields(c.fields) {
				if m[f] == nil {
					t.Errorf("no %s in %v", f, m)
				}
			}
			if a.status != 200 || m["expires_in"] != c.expires || len(m) != len(strings.Fields(c.fields)) {
				t.Errorf("status %d, %v", a.status, m)
			}
			prefix := ""
			if c.onPremises {
				prefix = "/namespaces/AXSF"
			}
			token, _ := m["access_token"].(string)
			if got := (caller{t, s, token}).get(prefix + "/data/DataManagementDefinitionGroups"); got.status != 200 {
				t.Errorf("the token is answered %d", got.status)
			}
		})
	}
}

func TestTokenErrors(t *testing.T) {
	expired := sim.App{ClientID: "expired", Secret: "old", SecretExpires: morning}
	cases := []struct {
		name, path string
		replace    []string
		status     int
		kind       string
		code       int
	}{
		{"wrong secret", v1, []string{"client_secret", "guess"}, 401, "invalid_client", 7000215},
		{"no secret", v2, []string{"client_secret", ""}, 401, "invalid_client", 7000216},
		{"expired secret", v2, []string{"client_id", "expired", "client_secret", "old"}, 401, "invalid_client", 7000222},
		{"unknown client", v2, []string{"client_id", "who"}, 400, "unauthorized_client", 700016},
		{"unknown resource v1", v1, []string{"resource", "https://other.example"}, 400, "invalid_resource", 500011},
		{"unknown resource v2", v2, []string{"scope", "https://other.example/.default"}, 400, "invalid_resource", 500011},
		{"malformed scope", v2, []string{"scope", "user_impersonation"}, 400, "invalid_scope", 1002012},
		{"no scope", v2, []string{"scope", ""}, 400, "invalid_scope", 1002012},
		{"only a library's scopes", v2, []string{"scope", "openid profile"}, 400, "invalid_scope", 1002012},
		{"two resources", v2, []string{"scope", "https://a.example/.default https://b.example/.default"}, 400, "invalid_scope", 1002012},
		{"unknown tenant", "/fabrikam.example/oauth2/token", nil, 400, "invalid_request", 90002},
		{"AD FS in the cloud", adfs, nil, 400, "invalid_request", 90002},
		{"wrong grant", v1, []string{"grant_type", "password"}, 400, "unsupported_grant_type", 70003},
		{"assertion of nobody", v2, []string{"client_assertion", "a.b.c"}, 401, "invalid_client", 700027},
	}
	s := started(t, sim.Options{Identity: sim.IdentityOptions{Apps: []sim.App{{ClientID: sim.DefaultClientID, Secret: sim.DefaultSecret}, expired}}})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := signIn(t, s, c.path, good(s, c.replace...)...)
			m := a.fields(t)
			codes := fmt.Sprint(m["error_codes"])
			text, _ := m["error_description"].(string)
			if a.status != c.status || m["error"] != c.kind || codes != fmt.Sprint([]any{float64(c.code)}) || !strings.HasPrefix(text, fmt.Sprintf("AADSTS%d: ", c.code)) {
				t.Errorf("status %d, %v", a.status, m)
			}
			for _, f := range []string{"timestamp", "trace_id", "correlation_id"} {
				if m[f] == "" || m[f] == nil {
					t.Errorf("no %s", f)
				}
			}
			if strings.Contains(a.body, "guess") {
				t.Error("the answer repeats the secret")
			}
		})
	}
}

// Microsoft's library adds scopes of its own to the one it is asked for.
func TestLibraryScopes(t *testing.T) {
	s := started(t, sim.Options{})
	a := signIn(t, s, v2, good(s, "scope", s.BaseURL()+"/.default openid offline_access profile")...)
	token, _ := a.fields(t)["access_token"].(string)
	if got := (caller{t, s, token}).get("/data/DataManagementDefinitionGroups"); a.status != 200 || got.status != 200 {
		t.Errorf("token %d, call %d", a.status, got.status)
	}
}

func TestSecretRotation(t *testing.T) {
	s := started(t, sim.Options{})
	if a := signIn(t, s, v1, good(s)...); a.status != 200 {
		t.Fatalf("before: %d", a.status)
	}
	if !s.RotateSecret(strings.ToUpper(sim.DefaultClientID), "next") || s.RotateSecret("who", "x") {
		t.Error("RotateSecret does not know who there is")
	}
	if a := signIn(t, s, v1, good(s)...); a.status != 401 {
		t.Errorf("the old secret: %d", a.status)
	}
	if a := signIn(t, s, v1, good(s, "client_secret", "next")...); a.status != 200 {
		t.Errorf("the new secret: %d", a.status)
	}
}

func TestTokenThrottled(t *testing.T) {
	s := started(t, sim.Options{})
	s.Fault(sim.Fault{Route: sim.RouteToken, Status: 429, RetryAfter: 7 * time.Second})
	s.Fault(sim.Fault{Route: sim.RouteToken, Status: 503})
	a, b, c := signIn(t, s, v2, good(s)...), signIn(t, s, v2, good(s)...), signIn(t, s, v2, good(s)...)
	if a.status != 429 || a.header.Get("Retry-After") != "7" || a.fields(t)["error"] != "temporarily_unavailable" {
		t.Errorf("429: %d %s %s", a.status, a.header.Get("Retry-After"), a.body)
	}
	if b.status != 503 || b.header.Get("Retry-After") != "" || c.status != 200 {
		t.Errorf("then %d and %d", b.status, c.status)
	}
}

// FinOps' checks of a bearer token, one wrong thing each.
func TestBearer(t *testing.T) {
	apps := []sim.App{
		{ClientID: sim.DefaultClientID, Secret: sim.DefaultSecret},
		{ClientID: "no-oid", NoPrincipal: true}, {ClientID: "not-listed", NotListed: true},
		{ClientID: "no-rights", NoRights: true}, {ClientID: "other"},
	}
	s := started(t, sim.Options{Identity: sim.IdentityOptions{Apps: apps}})
	s.AddActivity(queue, sim.ActivityOptions{Clients: []string{sim.DefaultClientID, "no-rights"}})
	asked := func(path string, replace ...string) string {
		token, _ := signIn(t, s, path, good(s, replace...)...).fields(t)["access_token"].(string)
		if token == "" {
			t.Fatal("no token")
		}
		return token
	}
	fine := s.Token(sim.DefaultClientID)
	head, _, _ := strings.Cut(fine, ".")
	cases := []struct {
		name, token string
		data, queue int
	}{
		{"good", fine, 200, 204},
		{"none", "", 401, 401},
		{"rubbish", "rubbish", 401, 401},
		{"signed by nobody", fine[:len(fine)-4] + "AAAA", 401, 401},
		{"made up", head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"x"}`)) + ".AAAA", 401, 401},
		{"slash in the audience", asked(v1, "resource", s.BaseURL()+"/"), 401, 401},
		{"slash in the scope", asked(v2, "scope", s.BaseURL()+"//.default"), 401, 401},
		{"capitals in the audience", asked(v1, "resource", strings.ToUpper(s.BaseURL())), 401, 401},
		{"common tenant", asked("/common/oauth2/v2.0/token"), 401, 401},
		{"no service principal", s.Token("no-oid"), 401, 401},
		{"not in the list", s.Token("not-listed"), 401, 401},
		{"unknown", s.Token("who"), 401, 401},
		{"not on the job", s.Token("other"), 200, 401},
		{"no rights", s.Token("no-rights"), 403, 403},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			as := caller{t, s, c.token}
			data, message := as.get("/data/DataManagementDefinitionGroups"), as.get("/api/connector/dequeue/"+queue)
			if data.status != c.data || message.status != c.queue {
				t.Errorf("data %d, queue %d; want %d and %d", data.status, message.status, c.data, c.queue)
			}
			challenge := message.header.Get("Www-Authenticate")
			if (message.status == 401) != strings.HasPrefix(challenge, `Bearer authorization_uri="`) || message.body != "" {
				t.Errorf("challenge %q, body %q", challenge, message.body)
			}
		})
	}
}

func TestTokenLife(t *testing.T) {
	s := started(t, sim.Options{Identity: sim.IdentityOptions{TokenLife: 10 * time.Minute}})
	c := calling(t, s)
	const path = "/data/DataManagementDefinitionGroups"
	s.Clock().Advance(10*time.Minute - time.Second)
	if a := c.get(path); a.status != 200 {
		t.Errorf("a second before the end: %d", a.status)
	}
	s.Clock().Advance(time.Second)
	if a := c.get(path); a.status != 401 {
		t.Errorf("at the end: %d", a.status)
	}
	s.SetTokenLife(time.Hour)
	c = calling(t, s)
	s.Clock().Advance(30 * time.Minute)
	if a := c.get(path); a.status != 200 {
		t.Errorf("half of a longer life: %d", a.status)
	}
	s.RevokeTokens()
	if a := c.get(path); a.status != 401 {
		t.Errorf("revoked: %d", a.status)
	}
	if a := calling(t, s).get(path); a.status != 200 {
		t.Errorf("after the revocation: %d", a.status)
	}
}

func TestSignInPage(t *testing.T) {
	s := started(t, sim.Options{Identity: sim.IdentityOptions{SignInPage: true}})
	a := caller{t, s, "rubbish"}.get("/api/connector/dequeue/" + queue)
	if a.status != 302 {
		t.Fatalf("status %d", a.status)
	}
	page := get(t, a.header.Get("Location"))
	if page.status != 200 || !strings.HasPrefix(page.body, "<!DOCTYPE html>") {
		t.Errorf("behind the redirect: %d %.30q", page.status, page.body)
	}
}

// The scripted forms of the same refusals, on queue and package API alike.
func TestScriptedSignInRefusals(t *testing.T) {
	s := started(t, sim.Options{})
	c := calling(t, s)
	for _, path := range []string{"/api/connector/dequeue/" + queue, "/data/DataManagementExecutionJobDetails"} {
		for _, status := range []int{401, 403, 302} {
			s.Fault(sim.Fault{Status: status})
			a := c.get(path)
			if a.status != status || a.body != "" || (status == 302) != (a.header.Get("Location") != "") {
				t.Errorf("%s: status %d, want %d; location %q, body %q", path, a.status, status, a.header.Get("Location"), a.body)
			}
		}
	}
}

func TestOnPremises(t *testing.T) {
	s := started(t, sim.Options{OnPremises: true})
	s.AddActivity(queue, sim.ActivityOptions{})
	s.AddProject(sim.Project{Name: "P", Entities: []sim.ProjectEntity{{Label: "Customer groups", Rows: 1}}})
	c := calling(t, s)
	for path, want := range map[string]int{
		"/namespaces/AXSF/api/connector/dequeue/" + queue:      302,
		"/api/connector/dequeue/" + queue:                      302,
		"/namespaces/AXSF/data/DataManagementDefinitionGroups": 200,
	} {
		if a := c.get(path); a.status != want {
			t.Errorf("%s: %d, want %d", path, a.status, want)
		}
	}
	if a := c.get("/data/DataManagementDefinitionGroups"); a.status/100 != 4 {
		t.Errorf("without the namespace: %d", a.status)
	}
	a := c.post("/namespaces/AXSF"+actionPath+"ExportToPackage", `{"definitionGroupId":"P","executionId":"one"}`)
	if a.value(t) != "one" || !strings.Contains(a.body, "/namespaces/AXSF/data/$metadata") {
		t.Errorf("export: %s", a.body)
	}
	if a := signIn(t, s, v2, good(s)...); a.status != 400 {
		t.Errorf("Entra's endpoint on-premises: %d", a.status)
	}
}

func TestDiscovery(t *testing.T) {
	s := started(t, sim.Options{})
	a := get(t, s.BaseURL()+"/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration")
	m := a.fields(t)
	if a.status != 200 || m["token_endpoint"] != s.BaseURL()+"/contoso.onmicrosoft.com/oauth2/v2.0/token" || m["issuer"] == nil || m["authorization_endpoint"] == nil {
		t.Errorf("status %d, %v", a.status, m)
	}
	if a := get(t, s.BaseURL()+"/fabrikam.example/v2.0/.well-known/openid-configuration"); a.status != 400 {
		t.Errorf("another tenant: %d", a.status)
	}
	a = get(t, s.BaseURL()+"/common/discovery/instance?api-version=1.1&authorization_endpoint="+s.BaseURL()+"/contoso.onmicrosoft.com/oauth2/v2.0/authorize")
	if want := s.BaseURL() + "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration"; a.fields(t)["tenant_discovery_endpoint"] != want {
		t.Errorf("instance discovery: %s", a.body)
	}
}

func TestAssertions(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := started(t, sim.Options{})
	s.SetApp(sim.App{ClientID: "cert", Certificate: &x509.Certificate{PublicKey: &key.PublicKey}, Federated: "from.elsewhere.token"})
	signed := func(alg, issuer string, expires time.Time) string {
		enc := base64.RawURLEncoding
		text := enc.EncodeToString([]byte(`{"alg":"`+alg+`"}`)) + "." +
			enc.EncodeToString(fmt.Appendf(nil, `{"iss":%q,"sub":%q,"aud":"x","exp":%d}`, issuer, issuer, expires.Unix()))
		sum := sha256.Sum256([]byte(text))
		var sig []byte
		var err error
		if alg == "PS256" {
			sig, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], nil)
		} else {
			sig, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		}
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + enc.EncodeToString(sig)
	}
	later := morning.Add(time.Minute)
	cases := []struct {
		name, assertion string
		status          int
	}{
		{"PS256", signed("PS256", "cert", later), 200},
		{"RS256", signed("RS256", "cert", later), 200},
		{"federated", "from.elsewhere.token", 200},
		{"another algorithm", signed("none", "cert", later), 401},
		{"another app's", signed("RS256", "other", later), 401},
		{"expired", signed("RS256", "cert", morning), 401},
		{"bent", "x" + signed("RS256", "cert", later), 401},
	}
	for _, c := range cases {
		if a := signIn(t, s, v2, good(s, "client_id", "cert", "client_secret", "", "client_assertion", c.assertion)...); a.status != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.name, a.status, c.status, a.body)
		}
	}
}

// Start serves https when it is given a certificate.
func TestHTTPS(t *testing.T) {
	other := httptest.NewTLSServer(nil)
	defer other.Close()
	s := started(t, sim.Options{TLS: other.TLS})
	if !strings.HasPrefix(s.BaseURL(), "https://127.0.0.1:") {
		t.Fatal(s.BaseURL())
	}
	resp, err := other.Client().Get(s.BaseURL() + "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Client().CloseIdleConnections()
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

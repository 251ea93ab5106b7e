package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// tokenError is an answer of the token endpoint that is no token.
type tokenError struct {
	status int
	kind   string // "invalid_client", ...
	code   int    // the number in AADSTS...; 0 = none
	text   string
}

// serveToken answers a client-credentials request in the words of v1, v2 or
// AD FS.
func (s *Sim) serveToken(w http.ResponseWriter, r *http.Request, c *call) {
	if r.Method != http.MethodPost {
		s.writeTokenError(w, tokenError{400, "invalid_request", 900561, "The endpoint only accepts POST requests. Received a " + r.Method + " request."})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		s.writeTokenError(w, tokenError{400, "invalid_request", 900144, "The request body is not a form."})
		return
	}
	tenant, audience, no := s.grant(r, c)
	if no != nil {
		s.writeTokenError(w, *no)
		return
	}
	token, seconds := s.identity.token(r.PostForm.Get("client_id"), audience, tenant)
	now := s.clock.Now().Unix()
	switch c.version {
	case "v1": // Source: protocol reference, 1.1: numbers arrive as strings
		writeJSON(w, http.StatusOK, map[string]any{
			"token_type": "Bearer", "expires_in": strconv.FormatInt(seconds, 10), "ext_expires_in": strconv.FormatInt(seconds, 10),
			"expires_on": strconv.FormatInt(now+seconds, 10), "not_before": strconv.FormatInt(now, 10),
			"resource": audience, "access_token": token,
		})
	case "adfs": // Assumed: lower-case "bearer" and a number; a capture would show it
		writeJSON(w, http.StatusOK, map[string]any{"token_type": "bearer", "expires_in": seconds, "access_token": token})
	default:
		writeJSON(w, http.StatusOK, map[string]any{
			"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
		})
	}
}

// grant decides on a request: the token's tenant and audience, or why not.
func (s *Sim) grant(r *http.Request, c *call) (tenant, audience string, no *tokenError) {
	tenant, no = s.tenantOf(c)
	if no != nil {
		return "", "", no
	}
	form := r.PostForm
	if g := form.Get("grant_type"); g != "client_credentials" {
		return "", "", &tokenError{400, "unsupported_grant_type", 70003, fmt.Sprintf("The app requested an unsupported grant type '%s'.", g)}
	}
	if no := s.checkClient(r, c); no != nil {
		return "", "", no
	}
	audience, no = s.resourceOf(r, c)
	return tenant, audience, no
}

// tenantOf returns the tenant id a token is made for.
//
// Source: Microsoft Learn, "Troubleshoot service authentication": common and
// organizations give a token of a tenant that FinOps does not take.
func (s *Sim) tenantOf(c *call) (string, *tokenError) {
	opt := s.identity.opt
	switch t := strings.ToLower(c.tenant); {
	case s.opt.OnPremises != (c.version == "adfs"):
	case c.version == "adfs", t == strings.ToLower(opt.Tenant), t == strings.ToLower(opt.TenantID):
		return opt.TenantID, nil
	case t == "common", t == "organizations":
		return "f8cdef31-a31e-4b4a-93e4-5f571e91255a", nil // Source: Microsoft's own services tenant
	}
	return "", &tokenError{400, "invalid_request", 90002, fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", c.tenant)}
}

// checkClient checks the app and its credential.
//
// Source: protocol reference, 1.1, the table of errors.
func (s *Sim) checkClient(r *http.Request, c *call) *tokenError {
	form := r.PostForm
	id := form.Get("client_id")
	a, ok := s.identity.app(id)
	if !ok {
		return &tokenError{400, "unauthorized_client", 700016, fmt.Sprintf("Application with identifier '%s' was not found in the directory 'Contoso'.", id)}
	}
	now := s.clock.Now()
	if assertion := form.Get("client_assertion"); assertion != "" {
		if a.Federated != "" && assertion == a.Federated {
			return nil
		}
		if a.Certificate != nil && checkAssertion(assertion, id, a.Certificate, now) == nil {
			return nil
		}
		return &tokenError{401, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application."}
	}
	secret := form.Get("client_secret")
	switch {
	case secret == "":
		return &tokenError{401, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."}
	case a.Secret == "" || secret != a.Secret:
		return &tokenError{401, "invalid_client", 7000215, fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", id)}
	case !a.SecretExpires.IsZero() && !now.Before(a.SecretExpires):
		return &tokenError{401, "invalid_client", 7000222, fmt.Sprintf("The provided client secret keys for app '%s' are expired.", id)}
	}
	return nil
}

// resourceOf returns the audience that the request asks for, spelt as it asks:
// a slash or an upper-case letter too many ends up in the token.
//
// Source: Microsoft Learn, "Services home page" and "Troubleshoot service
// authentication".
func (s *Sim) resourceOf(r *http.Request, c *call) (string, *tokenError) {
	asked := r.PostForm.Get("resource")
	if c.version == "v2" {
		scope := r.PostForm.Get("scope")
		var ok bool
		if asked, ok = defaultScope(scope); !ok {
			return "", &tokenError{400, "invalid_scope", 1002012, fmt.Sprintf("The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)}
		}
	}
	if !strings.EqualFold(strings.TrimRight(asked, "/"), strings.TrimRight(s.audience(), "/")) {
		return "", &tokenError{400, "invalid_resource", 500011, fmt.Sprintf("The resource principal named %s was not found in the tenant named Contoso.", asked)}
	}
	return asked, nil
}

// defaultScope returns the resource of the one scope that ends in /.default.
//
// Observed: Microsoft's own library sends "openid offline_access profile" along
// in this flow, and Entra lets them pass.
func defaultScope(scope string) (resource string, ok bool) {
	for _, one := range strings.Fields(scope) {
		if slices.Contains([]string{"openid", "offline_access", "profile"}, one) {
			continue
		}
		name, isDefault := strings.CutSuffix(one, "/.default")
		if !isDefault || ok {
			return "", false
		}
		resource, ok = name, true
	}
	return resource, ok
}

// writeTokenError answers as Entra does.
func (s *Sim) writeTokenError(w http.ResponseWriter, e tokenError) {
	trace, correlation := strings.ToLower(s.ids.guid("trace")), strings.ToLower(s.ids.guid("trace"))
	stamp := s.clock.Now().Format("2006-01-02 15:04:05Z")
	body := map[string]any{
		"error":             e.kind,
		"error_description": e.text,
		"timestamp":         stamp,
		"trace_id":          trace,
		"correlation_id":    correlation,
	}
	if e.code != 0 {
		body["error_description"] = fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", e.code, e.text, trace, correlation, stamp)
		body["error_codes"] = []int{e.code}
	}
	writeJSON(w, e.status, body)
}

// refuseToken answers a scripted refusal of the sign-in routes. Fault.Code is
// the error's kind; a number in it is the AADSTS code.
func (s *Sim) refuseToken(w http.ResponseWriter, r *http.Request, f Fault) {
	if f.Status/100 == 3 {
		s.redirect(w, f.Status)
		return
	}
	s.retryAfter(w.Header(), f)
	e := tokenError{f.Status, orElse(f.Code, "temporarily_unavailable"), 0, orElse(f.Message, "The service is temporarily unavailable. Please retry later.")}
	if code, err := strconv.Atoi(strings.TrimPrefix(f.Code, "AADSTS")); err == nil {
		e.code, e.kind = code, "invalid_client"
	}
	s.writeTokenError(w, e)
}

// writeJSON answers with v, <, > and & as they are.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("sim: encode answer: " + err.Error()) // the simulator's own values
	}
	text := strings.TrimRight(b.String(), "\n")
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

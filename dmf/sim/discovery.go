package sim

import (
	"net/http"
	"strings"
)

// serveDiscovery answers what sign-in libraries ask before they ask for a
// token: the tenant's endpoints, whether the authority is one, and its keys.
//
// Source: OpenID Connect Discovery 1.0, and the instance discovery of Microsoft's
// libraries; they read token_endpoint and issuer, and tenant_discovery_endpoint.
func (s *Sim) serveDiscovery(w http.ResponseWriter, r *http.Request, c *call) {
	base := s.BaseURL()
	tenant := s.identity.opt.TenantID
	if strings.HasSuffix(c.action, "instance") {
		asked := tenant
		if t, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Query().Get("authorization_endpoint"), base+"/"), "/"); ok && t != "" {
			asked = t
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"tenant_discovery_endpoint": base + "/" + asked + "/v2.0/.well-known/openid-configuration",
			"api-version":               "1.1",
			"metadata":                  []any{},
		})
		return
	}
	if strings.HasSuffix(c.action, "keys") {
		// Our tokens are signed with a key that only we have; see token.
		writeJSON(w, http.StatusOK, map[string]any{"keys": []any{}})
		return
	}
	c.version = "v2"
	if strings.EqualFold(c.tenant, "adfs") {
		c.version = "adfs"
	}
	if _, no := s.tenantOf(c); no != nil {
		s.writeTokenError(w, *no)
		return
	}
	root := base + "/" + c.tenant
	doc := map[string]any{
		"token_endpoint":                        root + "/oauth2/v2.0/token",
		"authorization_endpoint":                root + "/oauth2/v2.0/authorize",
		"jwks_uri":                              root + "/discovery/v2.0/keys",
		"issuer":                                base + "/" + tenant + "/v2.0",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt"},
		"response_types_supported":              []string{"code", "id_token"},
		"subject_types_supported":               []string{"pairwise"},
		"tenant_region_scope":                   "EU",
	}
	if c.version == "adfs" {
		doc["token_endpoint"], doc["issuer"] = root+"/oauth2/token", root
	}
	writeJSON(w, http.StatusOK, doc)
}

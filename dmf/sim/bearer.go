package sim

import (
	"net/http"
	"slices"
	"strings"
)

// signIn checks a request's bearer token and answers if FinOps does not take
// it. allowed are the app ids of a recurring job; nil = every listed app.
//
// Source: protocol reference, 1.2 and 1.3.
func (s *Sim) signIn(w http.ResponseWriter, r *http.Request, allowed []string) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		s.refuseBearer(w, "no bearer token")
		return false
	}
	c, err := s.identity.check(strings.TrimSpace(token), s.audience())
	if err != nil {
		s.refuseBearer(w, err.Error())
		return false
	}
	a, known := s.identity.app(c.AppID)
	switch {
	case !known || a.NotListed:
		s.refuseBearer(w, "the app is not in the list of applications")
	case allowed != nil && !slices.ContainsFunc(allowed, func(id string) bool { return strings.EqualFold(id, c.AppID) }):
		s.refuseBearer(w, "the app is not on the recurring job")
	case a.NoRights:
		s.log.Info("token refused", "why", "the app's user lacks rights")
		empty(w, http.StatusForbidden)
	default:
		return true
	}
	return false
}

// bearerClaims reads a request's token without asking whether it is good.
func bearerClaims(r *http.Request) (claims, error) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	c, _, _, _, err := splitToken(strings.TrimSpace(token))
	return c, err
}

// refuseBearer answers 401, or 302 where Options say so. The reason goes to the
// log only: FinOps keeps it to itself.
//
// Assumed: the empty body and the header; no source has one.
func (s *Sim) refuseBearer(w http.ResponseWriter, why string) {
	s.log.Info("token refused", "why", why)
	if s.identity.opt.SignInPage {
		s.redirect(w, http.StatusFound)
		return
	}
	s.challenge(w)
	empty(w, http.StatusUnauthorized)
}

func (s *Sim) challenge(w http.ResponseWriter) {
	w.Header().Set("Www-Authenticate", `Bearer authorization_uri="`+s.BaseURL()+"/"+s.identity.opt.TenantID+`/oauth2/authorize"`)
}

// redirect sends the client to the sign-in page.
//
// Source: Recurring-Integrations-Scheduler issues 49 and 56: a wrong host and a
// connector call on-premises answered 302.
func (s *Sim) redirect(w http.ResponseWriter, status int) {
	tenant := s.identity.opt.TenantID
	if s.opt.OnPremises {
		tenant = "adfs"
	}
	w.Header().Set("Location", s.BaseURL()+"/"+tenant+"/oauth2/authorize?response_type=id_token&client_id=00000015-0000-0000-c000-000000000000")
	empty(w, status)
}

// serveSignIn is the page behind the redirect: 200 and HTML, which a client
// that follows would take for data.
func (s *Sim) serveSignIn(w http.ResponseWriter, _ *http.Request, _ *call) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><head><title>Sign in to your account</title></head><body><form method=\"post\"></form></body></html>\n"))
}

func empty(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

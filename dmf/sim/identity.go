package sim

import (
	"crypto/x509"
	"strings"
	"sync"
	"time"
)

// Defaults of IdentityOptions.
const (
	DefaultTenant    = "contoso.onmicrosoft.com"
	DefaultTenantID  = "11111111-2222-3333-4444-555555555555"
	DefaultClientID  = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	DefaultSecret    = "simulated-secret" // of the one app there is when Apps is empty
	DefaultTokenLife = 3599 * time.Second // Source: protocol reference, 8
)

// IdentityOptions is the sign-in side of a simulator. The zero value is one
// tenant with one app, DefaultClientID with DefaultSecret, that may do
// everything.
type IdentityOptions struct {
	Tenant    string        // domain; "" = DefaultTenant
	TenantID  string        // "" = DefaultTenantID
	Audience  string        // what FinOps takes as a token's audience; "" = BaseURL, in lower case
	TokenLife time.Duration // whole seconds; 0 = DefaultTokenLife
	Apps      []App         // nil = the default app

	// SignInPage answers a token that FinOps does not take with a redirect to a
	// sign-in page instead of 401, as a wrong host name does.
	SignInPage bool
}

// App is one application: its registration in Entra (or AD FS) and what FinOps
// knows about it.
type App struct {
	ClientID      string
	Secret        string            // "" = none works
	SecretExpires time.Time         // on the simulator's clock; zero = never
	Certificate   *x509.Certificate // whose key signs client assertions; nil = none is taken
	Federated     string            // a federated token that is taken as assertion; "" = none

	NoPrincipal bool // no service principal in the tenant: the token has no oid, FinOps answers 401
	NotListed   bool // not in FinOps' list of applications: 401
	NoRights    bool // its FinOps user lacks rights: 403
}

// identity is Entra and FinOps' list of applications.
type identity struct {
	opt   IdentityOptions
	clock *Clock
	key   [32]byte // signs tokens

	mu         sync.Mutex
	life       time.Duration
	apps       map[string]App // by folded client id
	generation int            // tokens of older ones are revoked
}

func newIdentity(seed uint64, opt IdentityOptions, clock *Clock) *identity {
	opt.Tenant = orElse(opt.Tenant, DefaultTenant)
	opt.TenantID = orElse(opt.TenantID, DefaultTenantID)
	opt.TokenLife = orDefault(opt.TokenLife, DefaultTokenLife)
	if opt.Apps == nil {
		opt.Apps = []App{{ClientID: DefaultClientID, Secret: DefaultSecret}}
	}
	id := &identity{opt: opt, clock: clock, key: derive(seed, "token key"), life: opt.TokenLife, apps: make(map[string]App)}
	for _, a := range opt.Apps {
		id.apps[strings.ToLower(a.ClientID)] = a
	}
	return id
}

// SetApp adds an app, or puts another state in place of the one that has its
// client id: a new secret, one that has expired, an app that was taken off
// FinOps' list. Tokens it holds stay valid as long as FinOps takes the app.
func (s *Sim) SetApp(a App) {
	s.identity.mu.Lock()
	defer s.identity.mu.Unlock()
	s.identity.apps[strings.ToLower(a.ClientID)] = a
}

// RotateSecret gives an app another secret; the old one is wrong from now on.
// It reports whether there is such an app.
func (s *Sim) RotateSecret(clientID, secret string) bool {
	s.identity.mu.Lock()
	defer s.identity.mu.Unlock()
	a, ok := s.identity.apps[strings.ToLower(clientID)]
	if ok {
		a.Secret, a.SecretExpires = secret, time.Time{}
		s.identity.apps[strings.ToLower(clientID)] = a
	}
	return ok
}

// SetTokenLife changes the life of the tokens made from now on, in whole
// seconds.
func (s *Sim) SetTokenLife(d time.Duration) {
	s.identity.mu.Lock()
	defer s.identity.mu.Unlock()
	s.identity.life = d
}

// RevokeTokens makes every token handed out so far a 401, however long it still
// had to live.
func (s *Sim) RevokeTokens() {
	s.identity.mu.Lock()
	defer s.identity.mu.Unlock()
	s.identity.generation++
}

func (id *identity) app(clientID string) (App, bool) {
	id.mu.Lock()
	defer id.mu.Unlock()
	a, ok := id.apps[strings.ToLower(clientID)]
	return a, ok
}

// audience is what FinOps compares a token's aud with.
func (s *Sim) audience() string {
	if s.identity.opt.Audience != "" {
		return s.identity.opt.Audience
	}
	return strings.ToLower(s.BaseURL())
}

// Token returns a bearer token as the token endpoint makes it, for a test that
// is not about sign-in. The app need not exist.
func (s *Sim) Token(clientID string) string {
	token, _ := s.identity.token(clientID, s.audience(), s.identity.opt.TenantID)
	return token
}

package sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Defaults of Options.
const (
	DefaultLinkLife    = 60 * time.Minute   // Source: munib00/MSDYN365FO-EventBasedIntegration, sample event: se is 60 min after the event
	DefaultLinkSkew    = 5 * time.Minute    // Source: the same sample: st is 5 min before the event
	DefaultRetention   = 7 * 24 * time.Hour // Source: Microsoft Learn, "Recurring integrations": exported files are deleted after 7 days
	DefaultAccount     = "contosodmf"
	DefaultHistoryPage = 10_000 // Source: Microsoft Learn, "OData": a page holds at most 10,000 records
)

// Options configures a Sim. The zero value is a FinOps with default settings
// on the real time.
type Options struct {
	Clock     *Clock        // the simulated time; nil = a new clock that runs with the real time
	Seed      uint64        // all randomness: same seed = same names, ids, keys and data
	Account   string        // storage account the links are signed for; "" = DefaultAccount
	LinkLife  time.Duration // from making a link to its expiry; 0 = DefaultLinkLife
	LinkSkew  time.Duration // a link's start lies so far in the past; 0 = DefaultLinkSkew, negative = starts now
	Retention time.Duration // a blob is gone so long after it was put; 0 = DefaultRetention

	// PublicAccessRefused answers a link that lost its query with 409
	// PublicAccessNotPermitted (an account with public access off) instead of
	// 404 ResourceNotFound.
	PublicAccessRefused bool
	// VerbatimLinks refuses, as a wrong signature, a link whose path or query is
	// not byte for byte as Link wrote it. Azure itself decodes both before it
	// checks, so harmless re-encodings pass there and, by default, here; see
	// Request.Verbatim.
	VerbatimLinks bool

	Identity     IdentityOptions // sign-in
	OnPremises   bool            // AD FS, the path prefix /namespaces/AXSF, and no queue API
	NestedValues bool            // actions answer {"value":{"value":…}}, as the documentation prints it
	HistoryPage  int             // rows a page of the entity sets; 0 = DefaultHistoryPage

	TLS    *tls.Config  // Start serves https with it; nil = http
	Retry  RetryOptions // how Send posts events
	Logger *slog.Logger // one line a request; nil = none
}

// Sim is one simulated FinOps with its blob store. Make it with New; it works
// through Handler without a listener of its own, or through Start.
type Sim struct {
	opt     Options
	clock   *Clock
	log     *slog.Logger
	key     [32]byte // the storage account's key
	ids     *ids
	store   *store
	journal *journal
	script  *script
	sender  *sender
	routes  map[string]route

	identity *identity
	queues   *queues
	packages *packages

	mu      sync.Mutex
	base    string // scheme and host links begin with, no trailing slash
	server  *http.Server
	cancel  context.CancelFunc // ends handlers that wait
	serving chan struct{}      // closed when the server's goroutine has ended
}

// New returns a simulator without blobs. Close it after Start or Send.
func New(opt Options) *Sim {
	if opt.Clock == nil {
		opt.Clock = new(Clock)
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Account == "" {
		opt.Account = DefaultAccount
	}
	opt.LinkLife = orDefault(opt.LinkLife, DefaultLinkLife)
	opt.LinkSkew = max(0, orDefault(opt.LinkSkew, DefaultLinkSkew))
	opt.Retention = orDefault(opt.Retention, DefaultRetention)
	if opt.HistoryPage <= 0 {
		opt.HistoryPage = DefaultHistoryPage
	}
	s := &Sim{
		opt:     opt,
		clock:   opt.Clock,
		log:     opt.Logger,
		key:     derive(opt.Seed, "account key"),
		ids:     newIDs(opt.Seed),
		store:   newStore(opt.Seed, opt.Clock, opt.Retention),
		journal: new(journal),
		script:  new(script),
		sender:  newSender(opt.Retry, opt.Clock),

		identity: newIdentity(opt.Seed, opt.Identity, opt.Clock),
		queues:   newQueues(),
		packages: newPackages(),

		base: "https://" + opt.Account + ".blob.core.windows.net",
	}
	s.routes = s.routeTable()
	return s
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Clock returns the clock the simulator runs on.
func (s *Sim) Clock() *Clock { return s.clock }

// BaseURL returns scheme and host that links begin with, without a trailing
// slash: the listener after Start, else an Azure host that does not resolve.
func (s *Sim) BaseURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// SetBaseURL says where Handler is mounted when it is not by Start. Links made
// later begin with it.
func (s *Sim) SetBaseURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = strings.TrimRight(base, "/")
}

// Start listens on addr ("" = "127.0.0.1:0", any free loopback port), serves
// in the background until Close, and returns the base URL, also of the links
// made from now on. It returns an error if the address is taken or the
// simulator has been started before.
func (s *Sim) Start(addr string) (string, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return "", errors.New("start simulator: already started; make another with New")
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("start simulator: %w", err)
	}
	// Close must also end a handler that drips or delays, while the server's own
	// Close only closes connections: the handlers' contexts hang on this one.
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 30 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	serving := make(chan struct{})
	s.server, s.cancel, s.serving = server, cancel, serving
	s.base = "http://" + l.Addr().String()
	if s.opt.TLS != nil {
		l = tls.NewListener(l, s.opt.TLS)
		s.base = "https://" + l.Addr().String()
	}
	go func() {
		defer close(serving)
		_ = server.Serve(l) // always ErrServerClosed or the listener's end
	}()
	return s.base, nil
}

// Close stops the listener, cuts open responses, and closes idle connections
// of Send. It may be called twice, and before Start.
func (s *Sim) Close() error {
	s.sender.close()
	s.mu.Lock()
	server, cancel, serving := s.server, s.cancel, s.serving
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	cancel()
	err := server.Close()
	<-serving
	if err != nil {
		return fmt.Errorf("close simulator: %w", err)
	}
	return nil
}

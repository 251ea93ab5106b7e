package flows

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/exporter/outputs"
	"finrelay/exporter/unpack"
	"finrelay/state"
)

// Defaults of Config.
const (
	DefaultFetchers         = 8                    // downloads at once
	DefaultGrace            = 25 * time.Second     // for work in flight at a stop
	DefaultRetainRaw        = 14 * 24 * time.Hour  // after the last need
	DefaultRetainIdentities = 400 * 24 * time.Hour // after an event was last seen

	// UrgentLink is how little life a link must have left to use the slot
	// that is kept free for such links.
	UrgentLink = 10 * time.Minute
)

// ErrStopping is the cause of contexts that end because the process stops. It
// says nothing about the work: that is given back and goes on next time.
var ErrStopping = errors.New("finrelay is stopping")

// Config is what a Relay works by. Zero values take the defaults.
type Config struct {
	// Environments by name. Empty means that any name is taken, with default
	// settings: what runs without a configuration file.
	Environments map[string]Environment
	Flows        []Flow
	MatchAll     bool // every flow that fits takes an export, not only the first
	Outputs      map[string]outputs.Output
	Queues       []Queue
	Projects     []Project
	Polling      bool // Run polls queues, runs projects and watches cadences by their schedules
	FieldNames   dmf.FieldNames

	Fetchers         int // downloads at once; one slot is kept for urgent links
	Deliverers       int // conversions at once; default the number of cores
	Grace            time.Duration
	RetainRaw        time.Duration
	RetainIdentities time.Duration
	Limits           unpack.Limits

	Logger *slog.Logger
	// Trace, if set, is called with the name of each step just before it is
	// taken, on the goroutine that takes it. Tests end the process there.
	Trace func(step string)
}

// Environment is one FinOps instance.
type Environment struct {
	Link     fetch.ClientOptions
	FinOps   *dmf.Client // nil without sign-in: events only
	Fetchers int         // downloads at once from this environment; 0 is no limit of its own
	// ProofAfter is how far apart two downloads of a queue's file must be whose
	// equal bytes prove that there are no others; 0 is DefaultProofAfter.
	ProofAfter time.Duration
}

// Relay does the work. Create it with New, run it with Run; its other methods
// may be called at any time, from many goroutines, also while it does not run.
type Relay struct {
	cfg   Config
	db    *state.DB
	log   *slog.Logger
	flows map[string]*Flow
	most  map[string]int // downloads at once, by environment

	polling sync.Map       // queue -> *sync.Mutex
	placing sync.Map       // output -> *sync.Mutex
	asking  chan struct{}  // questions to FinOps' history about silent flows
	resting sync.WaitGroup // openings that keep their claim for a while
	refused refusals       // events that doors turned away
	ready   readiness      // whether events can be accepted

	mu       sync.Mutex
	clients  map[string]*fetch.Client
	running  map[string]int          // downloads now, by environment
	polls    map[string]PollProgress // of polls at work, by queue
	renewing map[string]bool         // expired shipments that are at work on, by id
	openings map[string]int          // failed openings of raw files that cannot be read, by shipment
}

// New checks the configuration against itself and compiles its conditions.
func New(db *state.DB, cfg Config) (*Relay, error) {
	setDefaults(&cfg)
	r := &Relay{
		cfg: cfg, db: db, log: cfg.Logger,
		asking:   make(chan struct{}, askers),
		refused:  refusals{kept: map[refusalKind]state.Refusal{}, added: make(chan struct{}, 1)},
		flows:    map[string]*Flow{},
		most:     map[string]int{},
		clients:  map[string]*fetch.Client{},
		running:  map[string]int{},
		polls:    map[string]PollProgress{},
		renewing: map[string]bool{},
		openings: map[string]int{},
	}
	for i := range cfg.Flows {
		f := &cfg.Flows[i]
		if err := f.compile(); err != nil {
			return nil, err
		}
		for _, o := range f.Outputs {
			if cfg.Outputs[o] == nil {
				return nil, fmt.Errorf("flow %s: no output is called %q", f.Name, o)
			}
		}
		r.flows[f.Name] = f
	}
	for name, e := range cfg.Environments {
		if e.Fetchers > 0 {
			r.most[name] = e.Fetchers
		}
	}
	return r, nil
}

func setDefaults(cfg *Config) {
	if cfg.Fetchers <= 0 {
		cfg.Fetchers = DefaultFetchers
	}
	if cfg.Deliverers <= 0 {
		cfg.Deliverers = runtime.GOMAXPROCS(0)
	}
	if cfg.Grace <= 0 {
		cfg.Grace = DefaultGrace
	}
	if cfg.RetainRaw <= 0 {
		cfg.RetainRaw = DefaultRetainRaw
	}
	if cfg.RetainIdentities <= 0 {
		cfg.RetainIdentities = DefaultRetainIdentities
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Trace == nil {
		cfg.Trace = func(string) {}
	}
	cfg.FieldNames = dmf.DefaultFieldNames().Merge(cfg.FieldNames)
}

// Keys of log lines.
const (
	keyEnvironment = "environment"
	keyEntity      = "entity"
	keyLegalEntity = "legal_entity"
	keyShipment    = "shipment"
	keyExport      = "export"
	keyOutput      = "output"
	keyFlow        = "flow"
	keyReason      = "reason"
	keyRows        = "rows"
	keyBytes       = "bytes"
	keyTook        = "took"
	keyError       = "error"
)

// KnowsEnvironment says whether events for this environment are taken.
func (r *Relay) KnowsEnvironment(name string) bool {
	if len(r.cfg.Environments) == 0 {
		return ValidEnvironment(name)
	}
	_, ok := r.cfg.Environments[name]
	return ok
}

// ValidEnvironment: letters, digits, "-" and "_", beginning with a letter or
// digit, at most 64: it becomes part of paths and URLs.
func ValidEnvironment(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for i, c := range name {
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return true
}

// FieldNames are the JSON names under which events carry their fields.
func (r *Relay) FieldNames() dmf.FieldNames { return r.cfg.FieldNames }

// client gives the environment's download client, made at first use.
func (r *Relay) client(environment string) *fetch.Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.clients[environment]
	if c == nil {
		opt := r.cfg.Environments[environment].Link
		opt.Logger = r.log
		c = fetch.NewClient(opt)
		r.clients[environment] = c
	}
	return c
}

func (r *Relay) closeClients() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, c := range r.clients {
		c.Close()
		delete(r.clients, name)
	}
}

// rawFolder holds raw files, named by shipment.
const rawFolder = "raw"

// rawFile is where a shipment's raw file is, below the state folder.
func rawFile(shipmentID string) string { return filepath.Join(rawFolder, shipmentID) }

func (r *Relay) inFolder(file string) string { return filepath.Join(r.db.Folder(), file) }

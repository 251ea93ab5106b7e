package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/flows"
	"finrelay/flows/doors"
	"finrelay/state"
	"finrelay/web"
)

func (a *app) serve() *cobra.Command {
	var listen, logLevel, logFormat, outFolder string
	var insecure bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Receive events and land their exports until stopped",
		Long: `serve receives events at POST /in/finops/ENVIRONMENT, downloads each file at once and
lands its rows in the outputs that the flows name.

Without a configuration file it listens on 127.0.0.1:8686, keeps its ledger in
./data and writes to ./out; the key that senders need is generated and stands in
the file that is named at the start. It then follows links to this machine too, as
finrelay sim makes them, unless --listen lets other machines in.

SIGINT or SIGTERM stops it: no new work is begun, work in flight may finish
within shutdown.grace, what does not is given back and goes on next time. Events
are stored until then, so that a restart costs none. A second signal ends it at once; nothing is lost by that either.

SIGHUP, like finrelay reload, has it read the configuration again.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			load := func() (*config.Config, error) {
				cfg, err := a.load()
				if err != nil {
					return nil, err
				}
				override(&cfg.Listen, listen)
				override(&cfg.Log.Level, logLevel)
				override(&cfg.Log.Format, logFormat)
				cfg.Insecure = cfg.Insecure || insecure
				if outFolder != "" {
					if err := overrideFolder(cfg, outFolder); err != nil {
						return nil, err
					}
				}
				// Flags may have changed what the file said.
				return cfg, usage(refuseUnsafe(cfg))
			}
			return a.runServer(c.Context(), load, a.logger, nil)
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "address and port, instead of the configuration's")
	c.Flags().StringVar(&outFolder, "out", "", "folder of the only output, instead of the configuration's")
	c.Flags().StringVar(&logLevel, "log-level", "", "debug, info, warn or error")
	c.Flags().StringVar(&logFormat, "log-format", "", "text or json")
	c.Flags().BoolVar(&insecure, "insecure", false, "allow a listener that others can reach without TLS")
	return c
}

// refuseUnsafe checks the configuration in force, and stops what lint calls an
// error: it would lose or overwrite data.
func refuseUnsafe(cfg *config.Config) error {
	errs := []error{cfg.Validate()}
	for _, f := range config.Lint(cfg, config.Facts{}) {
		if f.Level == config.LevelError {
			errs = append(errs, fmt.Errorf("%s: %s\n    %s", f.Field, f.Message, f.Hint))
		}
	}
	return errors.Join(errs...)
}

func override(setting *string, flag string) {
	if flag != "" {
		*setting = flag
	}
}

func overrideFolder(cfg *config.Config, folder string) error {
	if len(cfg.Outputs) != 1 {
		return usage(fmt.Errorf("--out needs a configuration with one output; this one has %d", len(cfg.Outputs)))
	}
	for name, o := range cfg.Outputs {
		o.Folder = absolute(folder)
		cfg.Outputs[name] = o
	}
	return nil
}

// listening is told when a server can be reached.
type listening struct {
	Door string // URL, without path
	Key  string // of the environment that was generated for, "" when configured
}

// drain bounds how long requests that are being answered may take at a stop.
const drain = 10 * time.Second

// runServer serves until ctx ends. The order of the end is: no more claims,
// then the grace time for work, then no more requests, and the ledger last.
//
// The door is open for as long as work may finish. FinOps tries an event three
// times in three seconds and then gives up: a door that is shut while a long
// download ends costs events, and to store them costs that download nothing.
//
// load gives the configuration, at the start and at each reload; logger is told
// the first one.
func (a *app) runServer(ctx context.Context, load func() (*config.Config, error), logger func(*config.Config) (*slog.Logger, error), ready func(listening)) (err error) {
	hup, ignore := catchHangups()
	defer ignore()
	cfg, err := load()
	if err != nil {
		return err
	}
	log, err := logger(cfg)
	if err != nil {
		return err
	}
	db, err := state.OpenLedger(ctx, cfg.State, state.Options{})
	if errors.Is(err, state.ErrLocked) {
		return &codedError{exitFailed, fmt.Errorf("%w: is another server running? (finrelay status asks it)", err)}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a.polling = true
	s := &server{app: a, db: db, log: log, load: load, hup: hup}
	first, err := s.build(cfg, nil)
	if err != nil {
		return err
	}
	s.now.Store(first)
	if s.control, err = web.Listen(db.Folder()); err != nil {
		return fmt.Errorf("listen on the control socket: %w", err)
	}
	if s.doors, err = s.listen(cfg); err != nil {
		return errors.Join(err, s.control.Close())
	}
	a.announce(cfg, s.doors.Addr(), first.generated, log)
	if ready != nil {
		ready(listening{Door: doorURL(cfg, s.doors.Addr()), Key: first.generated})
	}
	err = s.run(ctx)
	a.saveRefusals(s.now.Load().relay, log)
	log.Info("stopped", "commits", db.Commits())
	return err
}

// saveRefusals writes down what the door turned away while it was closing, if
// the ledger takes it soon.
func (a *app) saveRefusals(relay *flows.Relay, log *slog.Logger) {
	ctx, done := context.WithTimeout(context.Background(), drain)
	defer done()
	if err := relay.SaveRefusals(ctx); err != nil {
		log.Warn("refused events not noted in the ledger", "error", err)
	}
}

func (s *server) listen(cfg *config.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", cfg.Listen)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // it names the address again
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	if cfg.TLS.Certificate == "" {
		return l, nil
	}
	certificate := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.now.Load().certificate, nil }
	// FinOps needs TLS 1.2; nothing older is offered.
	return tls.NewListener(l, &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), nil
}

func doorURL(cfg *config.Config, addr net.Addr) string {
	scheme := "http"
	if cfg.TLS.Certificate != "" {
		scheme = "https"
	}
	return scheme + "://" + addr.String()
}

func (a *app) announce(cfg *config.Config, addr net.Addr, generated string, log *slog.Logger) {
	environment := "ENVIRONMENT"
	if len(cfg.Environments) == 1 {
		for name := range cfg.Environments {
			environment = name
		}
	}
	if generated != "" {
		log.Info("no key is configured; senders need the generated one", "key_file", generated)
	}
	for _, out := range cfg.Outputs {
		if cfg.AnyEnvironment().LoopbackLinks { // no file, and so one output
			log.Info("no configuration file: links to this machine are followed, as those of finrelay sim", "exports_land_in", out.Folder)
		}
	}
	log.Info("listening", "events", doorURL(cfg, addr)+"/in/finops/"+environment, "state", cfg.State, "version", version())
}

func doorMux(relay *flows.Relay, keys func(string) doors.Keys, cfg *config.Config, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(doors.Pattern, &doors.FinOps{Relay: relay, Keys: keys, MaxBody: int64(cfg.Doors.FinOps.MaxBody), Logger: log})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }) // alive, whatever else
	mux.Handle("GET /readyz", web.Ready(relay))
	return mux
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // a sender that drips a body holds a connection no longer
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // clients' handshakes and hang-ups
	}
}

// server is what runs between announce and the end.
type server struct {
	app            *app
	db             *state.DB
	log            *slog.Logger
	load           func() (*config.Config, error)
	doors, control net.Listener
	hup            chan os.Signal

	now       atomic.Pointer[setup]
	reloading sync.Mutex
}

func (s *server) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var errs [3]error
	// Each request is answered by the configuration that is in force when it comes.
	doorServer := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.now.Load().door.ServeHTTP(w, r) }), s.log)
	controlServer := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.now.Load().control.ServeHTTP(w, r) }), s.log)
	// A poll that a person waits for cannot end when the work has: it is told so.
	asked, endAsked := context.WithCancelCause(context.Background())
	defer endAsked(nil)
	controlServer.BaseContext = func(net.Listener) context.Context { return asked }
	serveOn := func(srv *http.Server, l net.Listener) error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
			return err
		}
		return nil
	}
	all.Go(func() { errs[0] = serveOn(doorServer, s.doors) })
	all.Go(func() { errs[1] = serveOn(controlServer, s.control) })
	all.Go(func() { s.reloadOnSignal(ctx) })
	workDone := make(chan struct{})
	all.Go(func() {
		defer close(workDone)
		err := s.now.Load().relay.Run(ctx)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return // stopped before it had begun, which is no failure
		}
		if errs[2] = err; err != nil {
			cancel(err)
		}
	})
	<-ctx.Done()
	s.log.Info("stopping: no new work; work in flight may finish")
	<-workDone
	endAsked(flows.ErrStopping)
	stop, done := context.WithTimeout(context.Background(), drain)
	defer done()
	stopErr := errors.Join(doorServer.Shutdown(stop), controlServer.Shutdown(stop))
	if errors.Is(stopErr, context.DeadlineExceeded) {
		// A client that never ends its request must not keep us from closing.
		stopErr = errors.Join(doorServer.Close(), controlServer.Close())
	}
	all.Wait()
	return errors.Join(errs[0], errs[1], errs[2], stopErr)
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
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
the file that is named at the start.

SIGINT or SIGTERM stops it: no new work is begun, work in flight may finish
within shutdown.grace, what does not is given back and goes on next time. Events
are stored until then, so that a restart costs none. A second signal ends it at once; nothing is lost by that either.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			override(&cfg.Listen, listen)
			override(&cfg.Log.Level, logLevel)
			override(&cfg.Log.Format, logFormat)
			cfg.Insecure = cfg.Insecure || insecure
			if outFolder != "" {
				if err := overrideFolder(cfg, outFolder); err != nil {
					return err
				}
			}
			// Flags may have changed what the file said.
			if err := refuseUnsafe(cfg); err != nil {
				return usage(err)
			}
			log, err := a.logger(cfg)
			if err != nil {
				return err
			}
			return a.runServer(c.Context(), cfg, log, nil)
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
func (a *app) runServer(ctx context.Context, cfg *config.Config, log *slog.Logger, ready func(listening)) (err error) {
	db, err := state.OpenLedger(ctx, cfg.State, state.Options{})
	if errors.Is(err, state.ErrLocked) {
		return &codedError{exitFailed, fmt.Errorf("%w: is another server running? (finrelay status asks it)", err)}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a.polling = true
	relay, err := a.buildRelay(db, cfg, log)
	if err != nil {
		return usage(err)
	}
	keys, generated, err := doorKeys(cfg)
	if err != nil {
		return err
	}
	control, err := web.Listen(db.Folder())
	if err != nil {
		return fmt.Errorf("listen on the control socket: %w", err)
	}
	l, err := listen(cfg)
	if err != nil {
		return errors.Join(err, control.Close())
	}
	s := &server{
		relay: relay, log: log, doors: l, control: control,
		doorServer:    newHTTPServer(doorMux(relay, keys, cfg, log), log),
		controlServer: newHTTPServer((&web.API{DB: db, Relay: relay, Version: version(), Serving: true, AlertOn: alertOn(cfg)}).Handler(), log),
	}
	a.announce(cfg, l.Addr(), generated, log)
	if ready != nil {
		ready(listening{Door: doorURL(cfg, l.Addr()), Key: generated})
	}
	err = s.run(ctx)
	a.saveRefusals(relay, log)
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

func listen(cfg *config.Config) (net.Listener, error) {
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
	cert, err := tls.LoadX509KeyPair(cfg.TLS.Certificate, cfg.TLS.Key)
	if err != nil {
		return nil, errors.Join(usage(fmt.Errorf("tls: %w", err)), l.Close())
	}
	// FinOps needs TLS 1.2; nothing older is offered.
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), nil
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
	relay                     *flows.Relay
	log                       *slog.Logger
	doors, control            net.Listener
	doorServer, controlServer *http.Server
}

func (s *server) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var errs [3]error
	// A poll that a person waits for cannot end when the work has: it is told so.
	asked, endAsked := context.WithCancelCause(context.Background())
	defer endAsked(nil)
	s.controlServer.BaseContext = func(net.Listener) context.Context { return asked }
	serveOn := func(srv *http.Server, l net.Listener) error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
			return err
		}
		return nil
	}
	all.Go(func() { errs[0] = serveOn(s.doorServer, s.doors) })
	all.Go(func() { errs[1] = serveOn(s.controlServer, s.control) })
	workDone := make(chan struct{})
	all.Go(func() {
		defer close(workDone)
		err := s.relay.Run(ctx)
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
	stopErr := errors.Join(s.doorServer.Shutdown(stop), s.controlServer.Shutdown(stop))
	if errors.Is(stopErr, context.DeadlineExceeded) {
		// A client that never ends its request must not keep us from closing.
		stopErr = errors.Join(s.doorServer.Close(), s.controlServer.Close())
	}
	all.Wait()
	return errors.Join(errs[0], errs[1], errs[2], stopErr)
}

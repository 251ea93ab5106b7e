package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/flows"
	"finrelay/web"
)

func (a *app) reload() *cobra.Command {
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the running server read its configuration again",
		Long: `reload has the server read its configuration file again, with the flags that it was
started with. The whole file is checked and everything that it needs is made before
anything changes: when something is wrong, it is said, and the server goes on as it was.

What is in work ends by the configuration that it began with; what is begun from now
on goes by the new one. A drain of a queue goes on with it after the message that it
has. Exports on their way to an output that is gone wait until it is back.

state, listen, log.format, and whether there is TLS, stay until a restart; a
certificate's files are read again. Values of environment variables are those of the
server's start; files that they or the configuration name are read again.

SIGHUP does the same, and says what it did in the log.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.look()
			if err != nil {
				return fmt.Errorf("nothing is changed: %w", err)
			}
			s, err := askServer(c.Context(), cfg.State)
			if err != nil {
				return err
			}
			if s == nil {
				return &codedError{exitFailed, fmt.Errorf("no server runs with the state folder %s: finrelay serve reads the configuration at its start (where state was changed in the file, --state-folder names the server's)", cfg.State)}
			}
			res, err := s.Reload(c.Context())
			if refused, ok := errors.AsType[*web.RequestError](err); ok && refused.Status == http.StatusUnprocessableEntity {
				return usage(fmt.Errorf("nothing is changed: %w", err))
			}
			if err != nil {
				return errors.Join(err, s.close())
			}
			return errors.Join(a.print(res, func() error { return a.drawReloaded(res) }), s.close())
		},
	}
	a.addOutput(c)
	return c
}

func (a *app) drawReloaded(res web.Reloaded) error {
	switch {
	case len(res.Changed) > 0:
		fmt.Fprintln(a.stdout, "in force now:", strings.Join(res.Changed, ", "))
	case len(res.NeedRestart) == 0:
		fmt.Fprintln(a.stdout, "read again; no setting has changed")
	}
	for _, field := range res.NeedRestart {
		fmt.Fprintln(a.stdout, field, "stays as it was until the server is restarted")
	}
	if res.TriedNow > 0 {
		fmt.Fprintln(a.stdout, "tried now:", plural(int64(res.TriedNow), "export", "exports"), "that waited for an output that is back")
	}
	return nil
}

// setup is one configuration in force, with all that is made of it.
type setup struct {
	cfg           *config.Config
	relay         *flows.Relay
	door, control http.Handler
	certificate   *tls.Certificate // nil without TLS
	generated     string           // file of the key that was made because none is configured
}

// build makes all of a setup, and changes nothing that is in force. before is
// nil at the start.
func (s *server) build(cfg *config.Config, before *setup) (*setup, error) {
	next := &setup{cfg: cfg}
	fc, err := s.app.relayConfig(cfg, s.log)
	if err != nil {
		return nil, usage(err)
	}
	if before == nil {
		next.relay, err = flows.New(s.db, fc)
	} else {
		next.relay, err = before.relay.Reconfigured(fc)
	}
	if err != nil {
		return nil, usage(err)
	}
	if cfg.TLS.Certificate != "" {
		cert, err := tls.LoadX509KeyPair(cfg.TLS.Certificate, cfg.TLS.Key)
		if err != nil {
			return nil, usage(fmt.Errorf("tls: %w", err))
		}
		next.certificate = &cert
	}
	keys, generated, err := doorKeys(cfg)
	if err != nil {
		return nil, err
	}
	next.generated = generated
	next.door = doorMux(next.relay, keys, cfg, s.log)
	api := localAPI(s.db, next.relay, cfg)
	api.Serving, api.Reload = true, s.reload
	next.control = api.Handler()
	return next, nil
}

// reload puts in force what the file says now. On an error nothing has changed.
func (s *server) reload(ctx context.Context) (web.Reloaded, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	before := s.now.Load()
	cfg, err := s.load()
	if err != nil {
		return web.Reloaded{}, &web.NotReloadedError{Err: err}
	}
	if lost := cfg.Lost(before.cfg); len(lost) > 0 {
		return web.Reloaded{}, &web.NotReloadedError{Err: fmt.Errorf("the file has no %s any more, or is not there: an empty part says that on purpose, as in %s: {}", strings.Join(lost, ", "), lost[0])}
	}
	res := web.Reloaded{NeedRestart: cfg.KeepFixed(before.cfg)}
	res.Changed = config.Changed(before.cfg, cfg)
	next, err := s.build(cfg, before)
	if err != nil {
		return web.Reloaded{}, &web.NotReloadedError{Err: err}
	}
	if next.certificate != nil && before.certificate != nil && !slices.EqualFunc(next.certificate.Certificate, before.certificate.Certificate, bytes.Equal) {
		res.Changed = append(res.Changed, "the certificate")
	}
	if err := s.app.setLevel(cfg); err != nil {
		return web.Reloaded{}, &web.NotReloadedError{Err: err}
	}
	next.relay.PutInForce()
	s.now.Store(next)
	if next.generated != "" && before.generated == "" {
		s.log.Info("no key is configured any more; senders need the generated one", "key_file", next.generated)
	}
	s.log.Info("configuration read again", "changed", strings.Join(res.Changed, ", "), "needs_restart", strings.Join(res.NeedRestart, ", "))
	res.TriedNow, err = next.relay.RetryReturned(context.WithoutCancel(ctx), before.relay, "a reload")
	if err != nil {
		s.log.Error("what waited for outputs that are back is not tried at once", "error", err) // it is at its time
	}
	return res, nil
}

// catchHangups has SIGHUP end nothing from here until stop is called.
func catchHangups() (hup chan os.Signal, stop func()) {
	hup = make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	return hup, func() { signal.Stop(hup) }
}

// reloadOnSignal reloads at each SIGHUP, one that came before too, until ctx
// ends.
func (s *server) reloadOnSignal(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.hup:
			if _, err := s.reload(ctx); err != nil {
				s.log.Error("configuration not read again; nothing is changed", "error", err)
			}
		}
	}
}

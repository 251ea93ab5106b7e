package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"finrelay/cmd/finrelay/config"
	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

// session is a command's way to the ledger: through the running server, or
// with the ledger opened here.
type session struct {
	*web.Client
	relay *flows.Relay // nil when a server runs
	close func() error
}

// patience is how long a command waits while somebody else holds the folder
// without answering: another command that is done in a moment, or a server
// that starts or stops.
const patience = 5 * time.Second

// connect finds the way. When no server runs and there is no ledger yet, it
// says so instead of making one.
func (a *app) connect(ctx context.Context) (*session, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(cfg.State, state.File)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no ledger in %s: finrelay serve makes one (or name another folder with --state-folder or --config)", cfg.State)
	}
	deadline := time.Now().Add(patience)
	for {
		s, err := a.tryConnect(ctx, cfg)
		if err == nil || !errors.Is(err, state.ErrLocked) {
			return s, err
		}
		if time.Now().After(deadline) {
			return nil, &codedError{exitUnreachable, fmt.Errorf("%w and does not answer on %s", err, filepath.Join(cfg.State, web.SocketFile))}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (a *app) tryConnect(ctx context.Context, cfg *config.Config) (*session, error) {
	db, err := state.OpenLedger(ctx, cfg.State, state.Options{})
	if errors.Is(err, state.ErrLocked) {
		socket, pathErr := web.SocketPath(cfg.State)
		if pathErr != nil {
			return nil, pathErr
		}
		client := web.Dial(socket)
		if _, pingErr := client.Stats(ctx); pingErr != nil {
			return nil, err
		}
		return &session{Client: client, close: func() error { return nil }}, nil
	}
	if err != nil {
		return nil, err
	}
	relay, err := a.buildRelay(db, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, errors.Join(usage(err), db.Close())
	}
	api := &web.API{DB: db, Relay: relay, Version: version(), AlertOn: alertOn(cfg)}
	return &session{Client: web.Local(api.Handler()), relay: relay, close: db.Close}, nil
}

// withLedger is with for a command that may be the first one of all: it makes
// the ledger when there is none.
func (a *app) withLedger(ctx context.Context, do func(*session) error) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(cfg.State, state.File)); errors.Is(err, fs.ErrNotExist) {
		s, err := a.tryConnect(ctx, cfg)
		if err != nil {
			return err
		}
		return errors.Join(do(s), s.close())
	}
	return a.with(ctx, do)
}

// work starts the relay in this process when no server does the work, and
// returns what ends it.
func (s *session) work(ctx context.Context) (end func()) {
	if s.relay == nil {
		return func() {}
	}
	work, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.relay.Run(work) }()
	return func() { stop(); <-done }
}

// with runs do with a session and closes it.
func (a *app) with(ctx context.Context, do func(*session) error) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.close())
}

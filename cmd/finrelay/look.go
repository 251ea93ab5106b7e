package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"finrelay/cmd/finrelay/config"
	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

// withLook is with for a command that only looks. It needs no secret, changes no
// file and takes no lock: a running server is asked, else the ledger is read
// where it lies, with what the configuration says of flows, and of the parts of
// it that are named.
func (a *app) withLook(ctx context.Context, do func(*session) error, parts ...string) error {
	s, err := a.connectToLook(ctx, parts...)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.close())
}

func (a *app) connectToLook(ctx context.Context, parts ...string) (*session, error) {
	cfg, err := a.look()
	if err != nil {
		return nil, err
	}
	if s, err := askServer(ctx, cfg.State); s != nil || err != nil {
		return s, err
	}
	if err := usage(cfg.Unset(append(parts, "match", "flows", "alert_on")...)); err != nil {
		return nil, err // what is said of rows, queues and silence would be wrong
	}
	var relay *flows.Relay
	looking, err := web.NewLooking(func() (api *web.API, err error) {
		var db *state.DB
		if db, relay, err = a.openToLook(ctx, cfg); err != nil {
			return nil, err
		}
		return localAPI(db, relay, cfg), nil
	})
	if err != nil {
		return nil, err
	}
	return &session{Client: web.Local(looking), relay: relay, close: looking.Close}, nil
}

// openToLook opens the ledger, and makes the relay that knows what to say of it.
func (a *app) openToLook(ctx context.Context, cfg *config.Config) (*state.DB, *flows.Relay, error) {
	db, err := state.OpenToLook(ctx, cfg.State, state.Options{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, noLedger(cfg.State)
	case errors.Is(err, fs.ErrPermission):
		return nil, nil, denied(cfg.State, err)
	case err != nil:
		return nil, nil, err
	}
	relay, err := a.buildRelay(db, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, errors.Join(usage(err), db.Close())
	}
	return db, relay, nil
}

// askServer gives the way to the server of a state folder; nil when none
// answers.
func askServer(ctx context.Context, folder string) (*session, error) {
	socket, err := web.SocketPath(folder)
	if err != nil {
		if _, statErr := os.Stat(filepath.Join(folder, web.SocketFile)); statErr == nil {
			return nil, err // a server that was started in the folder itself
		}
		return nil, nil // too long for a server to listen there
	}
	client := web.Dial(socket)
	if _, err := client.Stats(ctx); err != nil {
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, fs.ErrPermission):
			return nil, denied(folder, err)
		}
		return nil, nil
	}
	return &session{Client: client, close: func() error { return nil }}, nil
}

// errNoLedger: no command that makes a ledger has run on the state folder.
var errNoLedger = errors.New("no ledger")

func noLedger(folder string) error {
	return fmt.Errorf("%w in %s: finrelay serve makes one (or name another folder with --state-folder or --config)", errNoLedger, folder)
}

// denied says who may do what this user may not.
func denied(folder string, err error) error {
	if lost, ok := errors.AsType[*web.LostError](err); ok {
		err = lost.Err // no server went away
	}
	owner := "somebody else"
	if info, statErr := os.Stat(folder); statErr == nil {
		if at, ok := info.Sys().(*syscall.Stat_t); ok {
			owner = userName(at.Uid)
		}
	}
	return fmt.Errorf("state folder %s belongs to %s, and this user may not read it: run the command as its owner does (sudo -u %s …), "+
		"or name another folder with --state-folder: %w", folder, owner, owner, err)
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "#" + id // as sudo takes it
}

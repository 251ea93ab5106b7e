package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finrelay/flows"
	"finrelay/state"
)

// examineMachine looks at what no environment has for itself. It comes first:
// the ledger remembers what the other checks want to know.
func (d *doctor) examineMachine(ctx context.Context, a *app) {
	d.folder("state folder", d.cfg.State, true)
	d.ledger(ctx, a)
	for _, name := range slices.Sorted(maps.Keys(d.cfg.Outputs)) {
		d.output(name, d.cfg.Outputs[name].Folder)
	}
	d.listenerKey()
}

// output checks an output's place. One that is not there is not written to, not
// even to try.
func (d *doctor) output(name, folder string) {
	for _, o := range d.outputs {
		if o.Output == name && o.Place == folder && o.Stands == flows.PlaceMissing {
			d.fail(machine, "output "+name, o.Detail, o.Next, exitFailed)
			return
		}
	}
	d.folder("output "+name, folder, false)
}

// ledger checks the ledger, here or in the server that holds it, and reads
// what it remembers.
func (d *doctor) ledger(ctx context.Context, a *app) {
	if _, err := os.Stat(filepath.Join(d.cfg.State, state.File)); errors.Is(err, fs.ErrNotExist) {
		d.ok(machine, "ledger", "none yet in "+d.cfg.State+": the first finrelay serve or poll makes it")
		return
	}
	s, err := a.connect(ctx)
	if err != nil {
		d.fail(machine, "ledger", err.Error(), ledgerRemedy(err), exitFailed)
		return
	}
	defer s.close()
	if s.relay == nil {
		d.ok(machine, "server", "running, answers on its socket")
	} else {
		d.warn(machine, "server", "none runs on this state folder", "finrelay serve receives, polls and lands")
	}
	switch result, err := s.Check(ctx); {
	case err != nil:
		d.warn(machine, "ledger", "not checked: "+err.Error(), "a running server of an older version cannot check it: restart it with this version")
	case result.Problem != "":
		d.fail(machine, "ledger", result.Problem, "stop the server, keep a copy of "+d.cfg.State+", and restore the ledger from a backup; landed files stay as they are", exitFailed)
	default:
		d.ok(machine, "ledger", "sound")
	}
	d.hosts, err = s.Hosts(ctx)
	if err == nil {
		err = d.rememberQueues(ctx, s)
	}
	if err == nil {
		d.outputs, err = s.Outputs(ctx)
	}
	if err != nil {
		d.warn(machine, "ledger", "not read: "+err.Error(), "")
	}
}

func (d *doctor) rememberQueues(ctx context.Context, s *session) error {
	views, err := s.Queues(ctx)
	d.queues = map[string]state.Queue{}
	for _, v := range views {
		d.queues[v.Flow] = v.Queue
	}
	return err
}

func ledgerRemedy(err error) string {
	var network *state.FilesystemError
	var coded *codedError
	switch {
	case errors.As(err, &network):
		return "move the state folder to a local disk"
	case errors.Is(err, state.ErrLocked):
		return "another process holds the folder and does not answer: look for a finrelay that hangs, or is being stopped"
	case errors.Is(err, state.ErrNewerLedger):
		return "use the finrelay that wrote it, or a newer one"
	case state.DiskFull(err):
		return "the disk of the state folder is full: free space"
	case errors.As(err, &coded) && coded.code == exitUsage:
		return "correct the configuration; finrelay config lint says more"
	}
	return "look at the folder's owner and permissions; the user that runs finrelay must own it"
}

// listenerKey tells what lets an event in, without the key.
func (d *doctor) listenerKey() {
	generated := filepath.Join(d.cfg.State, keyFile)
	_, err := os.Stat(generated)
	switch {
	case d.cfg.HasKeys():
		d.ok(machine, "listener key", "configured")
	case err == nil:
		d.ok(machine, "listener key", "generated, in "+generated)
	case !d.expectsEvents():
		d.ok(machine, "listener key", "none is configured, and no flow waits for events: all are polled or run")
	default:
		d.warn(machine, "listener key", "none is configured", "set doors.finops.keys, or let finrelay serve make one in "+generated)
	}
}

// expectsEvents says whether any environment's exports may come by event.
func (d *doctor) expectsEvents() bool {
	for name := range d.cfg.Environments {
		if d.cfg.ExpectsEvents(name) {
			return true
		}
	}
	return len(d.cfg.Environments) == 0
}

func joined(names []string) string { return strings.Join(names, ", ") }

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"finrelay/dmf/sim"
	"finrelay/flows/doors"
	"finrelay/web"
)

// lineage is a server and its successors: whenever one is killed, the next is
// started in the same folder on the same address.
type lineage struct {
	folder string
	env    [][]string // of the first, the second, ...; later ones get none
	under  []string   // a program with arguments that starts the server, strace
	now    *serveProcess
	ids    []string // our id of each event sent
	starts int
	deaths int
	client *web.Client
}

// longest bounds every wait of the crash tests.
const longest = 60 * time.Second

// lookAgain is between two looks at a status, which costs a server more than
// many a step that a test waits for.
const lookAgain = 25 * time.Millisecond

func (l *lineage) start() error {
	var env []string
	if l.starts < len(l.env) {
		env = l.env[l.starts]
	}
	l.starts++
	args := []string{"-c", defaultFile}
	if l.now != nil {
		args = append(args, "--listen", strings.TrimPrefix(l.now.Door, "http://"))
	}
	start := startServe
	if len(l.under) > 0 {
		start = l.startUnder
	}
	p, err := start(l.folder, append(os.Environ(), env...), args...)
	if err != nil && len(env) > 0 { // it died while we waited for its first words
		l.deaths++
		return l.start()
	}
	if err != nil {
		return err
	}
	l.now = p
	if l.client == nil {
		socket, err := web.SocketPath(filepath.Join(l.folder, crashState))
		if err != nil {
			return err
		}
		l.client = web.Dial(socket)
	}
	return nil
}

// startUnder is startServe with a program that runs the server.
func (l *lineage) startUnder(folder string, env []string, args ...string) (*serveProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &serveProcess{done: make(chan struct{})}
	p.cmd = exec.Command(l.under[0], slices.Concat(l.under[1:], []string{self, "serve", "--log-format", "json"}, args)...)
	p.cmd.Dir, p.cmd.Env = folder, append(env, asFinrelay+"=1")
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go p.read(stderr, ready)
	select {
	case <-ready:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("serve under %s ended with %s:\n%s", l.under[0], p.cmd.ProcessState, p.Log())
	}
}

// succeed waits a moment for the server's death and starts the next one.
func (l *lineage) succeed(moment time.Duration) error {
	select {
	case <-l.now.done:
	case <-time.After(moment):
		return nil
	}
	if status, ok := l.now.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("serve ended with %s:\n%s", l.now.cmd.ProcessState, l.now.Log())
	}
	l.deaths++
	return l.start()
}

// send posts each body as FinOps does: again a moment after a try without 2xx,
// three tries in all. Between two tries the lineage goes on.
func (l *lineage) send(ctx context.Context, bodies [][]byte) error {
	finops := sim.New(sim.Options{Retry: sim.RetryOptions{Sleep: func(context.Context, time.Duration) error {
		return l.succeed(time.Second)
	}}})
	defer finops.Close()
	for _, body := range bodies {
		d := finops.Send(ctx, l.now.Door+"/in/finops/prod?code="+crashKey, body)
		if !d.Delivered {
			return fmt.Errorf("event given up: %s\n%s", d, l.now.Log())
		}
		var answer doors.Answer
		if err := json.Unmarshal([]byte(d.Tries[len(d.Tries)-1].Answer), &answer); err != nil || len(answer.Events) != 1 {
			return fmt.Errorf("answer of %d events, %w", len(answer.Events), err)
		}
		l.ids = append(l.ids, answer.Events[0].ID)
	}
	return nil
}

// rest waits until nothing is on its way, starts successors where it must, and
// gives what the ledger says then.
func (l *lineage) rest(ctx context.Context, deaths int) (aftermath, error) {
	until := time.Now().Add(longest)
	for {
		if err := l.succeed(lookAgain); err != nil {
			return nil, err
		}
		status, err := l.client.Status(ctx, "")
		if err == nil && status.OnTheWay == 0 && l.deaths >= deaths {
			if o, err := ledgerAftermath(ctx, l.client); err == nil {
				return o, nil
			}
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("no rest after %s: %d on the way, %d deaths of %d, %w\n%s", longest, status.OnTheWay, l.deaths, deaths, err, l.now.Log())
		}
	}
}

// runLineage sends the workload to a server that may be killed on the way, and
// gives what is there when all is done and the last server has stopped.
func runLineage(ctx context.Context, w *crashWorkload, l *lineage, deaths int) (o aftermath, err error) {
	if err := l.start(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.now.Kill()) }()
	if err := l.send(ctx, w.bodies); err != nil {
		return nil, err
	}
	if o, err = l.rest(ctx, deaths); err != nil {
		return nil, err
	}
	if code, err := l.now.Stop(); code != exitDone || err != nil {
		return nil, fmt.Errorf("stop: exit code %d, %w\n%s", code, err, l.now.Log())
	}
	if err := o.addFiles(l.folder); err != nil {
		return nil, err
	}
	return o, checkLedgerFile(l.folder, w.signatures())
}

// undisturbed runs the workload without a crash and counts the steps taken.
func undisturbed(t *testing.T, w *crashWorkload) (aftermath, map[string]int) {
	t.Helper()
	steps := filepath.Join(t.TempDir(), "steps")
	l := &lineage{folder: w.folder(t, "10s"), env: [][]string{{stepsTo + "=" + steps}}}
	o, err := runLineage(t.Context(), w, l, 0)
	if err != nil {
		t.Fatalf("undisturbed run: %v", err)
	}
	lines, err := os.ReadFile(steps)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, step := range strings.Fields(string(lines)) {
		counts[step]++
	}
	return o, counts
}

package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/flows"
	"finrelay/state"
)

// The levels of a finding.
const (
	levelOK   = "ok"
	levelWarn = "warn"
	levelFail = "fail"
)

// finding is what one check came to, a line of doctor's output.
type finding struct {
	Level string `json:"level"`
	Where string `json:"where"` // machine, or an environment's name
	Check string `json:"check"`
	Seen  string `json:"seen"`
	Do    string `json:"do,omitempty"`

	code int // exit code of a fail when no fail has another
}

// machine is the Where of what concerns no environment.
const machine = "machine"

// doctor looks at one installation. It asks and never takes: no message is
// dequeued, nothing in FinOps or in the ledger changes.
type doctor struct {
	cfg    *config.Config
	report func(finding)
	found  []finding
	// variables gives the proxy that the process's environment names.
	variables func(*http.Request) (*url.URL, error)

	// What the ledger remembers; empty when it could not be asked.
	hosts   state.Hosts            // of links, by environment
	queues  map[string]state.Queue // by flow
	outputs []flows.OutputStand    // how each place stands
}

func (a *app) doctor() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor [ENVIRONMENT]",
		Short: "Check machine, network, sign-in and queues, and say what to do",
		Long: `doctor looks at what finrelay needs and prints a line for each thing: ok, warn or
fail, what was looked at, what was seen and what to do. It changes nothing: no
message is taken from a queue, and files it writes to try a folder are removed.

What needs a secret that this shell does not have is not tried, and said.

It exits with 0 when nothing fails. When something does, it exits with 1; with 4
when sign-in is all that fails, with 5 when reaching a server is.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := a.lookAtFile()
			if err != nil {
				return err
			}
			names, err := doctorEnvironments(cfg, args)
			if err != nil {
				return usage(err)
			}
			return a.examine(c.Context(), cfg, names)
		},
	}
	a.addOutput(c)
	return c
}

// doctorEnvironments gives the environments to look at.
func doctorEnvironments(cfg *config.Config, args []string) ([]string, error) {
	names := slices.Sorted(maps.Keys(cfg.Environments))
	if len(args) == 0 {
		return names, nil
	}
	if !slices.Contains(names, args[0]) {
		return nil, fmt.Errorf("no environment %q in the configuration; there are: %s", args[0], dash(joined(names)))
	}
	return args, nil
}

func (a *app) examine(ctx context.Context, cfg *config.Config, environments []string) error {
	d := &doctor{cfg: cfg, found: []finding{}, report: func(finding) {}, variables: http.ProxyFromEnvironment}
	if a.output != "json" {
		// As they come: a server that does not answer takes a while.
		d.report = func(f finding) { fmt.Fprintln(a.stdout, f.line()) }
	}
	d.examineMachine(ctx, a)
	for _, name := range environments {
		d.examineEnvironment(ctx, name)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := a.print(d.found, func() error { return nil }); err != nil {
		return err
	}
	if code := exitOf(d.found); code != exitDone {
		return &codedError{code: code}
	}
	return nil
}

// line is a finding on one line, whatever a server has put into it.
func (f finding) line() string {
	text := fmt.Sprintf("%-4s  %s: %s: %s", f.Level, f.Where, f.Check, f.Seen)
	if f.Do != "" {
		text += " -> " + f.Do
	}
	return oneLine(text)
}

// exitOf is the code that all failures agree on, else exitFailed.
func exitOf(found []finding) int {
	code := exitDone
	for _, f := range found {
		switch {
		case f.Level != levelFail || f.code == code:
		case code == exitDone:
			code = f.code
		default:
			return exitFailed
		}
	}
	return code
}

func (d *doctor) add(f finding) {
	if f.Level == levelFail && f.code == exitDone {
		f.code = exitFailed
	}
	d.found = append(d.found, f)
	d.report(f)
}

func (d *doctor) ok(where, check, seen string) {
	d.add(finding{Level: levelOK, Where: where, Check: check, Seen: seen})
}

func (d *doctor) warn(where, check, seen, do string) {
	d.add(finding{Level: levelWarn, Where: where, Check: check, Seen: seen, Do: do})
}

func (d *doctor) fail(where, check, seen, do string, code int) {
	d.add(finding{Level: levelFail, Where: where, Check: check, Seen: seen, Do: do, code: code})
}

// doctorPatience bounds one question to a server.
const doctorPatience = 30 * time.Second

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/state"
	"finrelay/web"
)

// Exit codes, published in --help and README.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitParked      = 3
	exitSignIn      = 4
	exitUnreachable = 5
	exitOpen        = 7
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done
  1    failed, or refused with nothing done
  2    usage or configuration
  3    done, with some items parked or refused, or rows set aside
  4    sign-in to FinOps refused
  5    server unreachable, or throttled
  7    something needs a person (status --check, reconcile)
  130  interrupted
`

// defaultFile is the configuration that is read when it exists and no other is
// named, by the flag or else by the variable.
const (
	defaultFile    = "finrelay.yaml"
	configVariable = "FINRELAY_CONFIG"
)

// app is one run of the command.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	configFile  string
	stateFolder string
	output      string // table or json
	advice      advice
	flush       func() error // of standard output; nil when nothing is held back
	level       *slog.LevelVar
	polling     bool // queues are polled by their schedules: only a server does
}

// codedError carries an exit code. A nil error inside prints nothing: the
// command has said all.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *codedError) Unwrap() error { return e.err }

// usage gives an error the code of a wrong use; nil stays nil.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &codedError{exitUsage, err}
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "finrelay",
		Short: "Land every file that Dynamics 365 Finance & Operations exports, once, complete, in time",
		Long: `finrelay receives FinOps' export events, downloads each file before its link dies,
unpacks it, turns its rows into JSON and keeps a ledger of where every export is.

Begin with "finrelay demo", then "finrelay serve". When something is wrong,
"finrelay status" says where the rows are and what to do next.

The configuration is read from the file that -c names, else from the one that the
variable FINRELAY_CONFIG names, else from finrelay.yaml in this folder if there is
one. Without any, built-in defaults hold. Commands that only look need no secret.`,
		Version:       version(), // as a flag, too
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	group(root)
	root.PersistentPreRun = func(c *cobra.Command, _ []string) { a.advise(c) }
	root.SetVersionTemplate(versionLine())
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.PersistentFlags().StringVarP(&a.configFile, "config", "c", "", `configuration file (default $`+configVariable+`, else "`+defaultFile+`" if it exists, else built-in defaults)`)
	root.PersistentFlags().StringVar(&a.stateFolder, "state-folder", "", "state folder, instead of the configuration's")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w\nsee %s --help", err, c.CommandPath()))
	})
	root.SetUsageTemplate(root.UsageTemplate() + "\n" + exitCodes)
	root.AddCommand(a.serve(), a.reload(), a.status(), a.events(), a.shipments(), a.exports(), a.checkpoints(), a.tail(),
		a.poll(), a.export(), a.executions(), a.reconcile(), a.rerun(), a.retry(), a.outputs(), a.skip(), a.ack(), a.seen(), a.inspect(), a.convert(), a.environment(), a.config(), a.doctor(), a.importFrom(), a.sim(), a.demo(), a.version())
	root.InitDefaultCompletionCmd() // now, so that its arguments are checked as all others
	argsAreUsage(root)
	return root
}

// group makes a command that only holds others: alone it prints its help, and
// a word it does not know is an error, which cobra would pass over.
func group(c *cobra.Command) *cobra.Command {
	c.Args = knownWord
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return c
}

// knownWord refuses what is no command's name, and says which may be meant.
func knownWord(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2 // letters; cobra's own default
	err := fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return err
}

// argsAreUsage makes a wrong number of arguments exit with the usage code.
func argsAreUsage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage(fmt.Errorf("%w\nsee %s --help", err, c.CommandPath()))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		argsAreUsage(sub)
	}
}

// exit prints an error and gives its code: the one place where errors become codes.
func (a *app) exit(ctx context.Context, err error) int {
	if a.flush != nil {
		err = errors.Join(err, a.flush())
	}
	var coded *codedError
	var configError *config.Error
	var request *web.RequestError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		if coded.err != nil {
			a.complain(err) // the whole, with what is joined to it
		}
		return coded.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(a.stderr, "finrelay: interrupted")
		return exitInterrupted
	}
	var lost *web.LostError
	if errors.As(err, &lost) {
		err = fmt.Errorf("the server went away (%w): what it had taken is in the ledger, and nothing is lost. "+
			"Start it again with finrelay serve; finrelay status says how things stand", err)
	}
	a.complain(err)
	switch {
	case lost != nil:
		return exitUnreachable
	case errors.As(err, &configError):
		return exitUsage
	case errors.As(err, &request) && request.Reason == state.ReasonSignIn:
		return exitSignIn
	case errors.As(err, &request) && request.Reason == state.ReasonNetwork:
		return exitUnreachable
	case errors.As(err, &request), errors.Is(err, state.ErrLocked):
		return exitFailed
	}
	return exitFailed
}

// complain says what went wrong, with commands that work when they are pasted.
func (a *app) complain(err error) {
	fmt.Fprintln(a.stderr, "finrelay:", a.advice.complete(err.Error()))
}

// load reads the configuration and applies the flags that all commands share.
func (a *app) load() (*config.Config, error) { return a.loadWith(config.Load) }

// look is load for a command that asks the server, or looks at the ledger: it
// needs no secret, and of other variables only that of the state folder.
func (a *app) look() (*config.Config, error) {
	cfg, err := a.loadWith(config.LoadToLook)
	if err == nil && a.stateFolder == "" {
		err = usage(cfg.Unset("state"))
	}
	return cfg, err
}

// lookAtFile is load for a command that is about what the file says, in some of
// its parts or in all, and needs no secret.
func (a *app) lookAtFile(parts ...string) (*config.Config, error) {
	cfg, err := a.loadWith(config.LoadToLook)
	if err == nil {
		err = usage(cfg.Unset(parts...))
	}
	return cfg, err
}

func (a *app) loadWith(read func(string, func(string) (string, bool)) (*config.Config, error)) (*config.Config, error) {
	cfg, err := a.loadFile(read)
	if err != nil {
		return nil, usage(err)
	}
	if a.stateFolder != "" {
		cfg.State = a.stateFolder
	}
	// What is shown and stored can then be found from any folder.
	cfg.State = absolute(cfg.State)
	for name, o := range cfg.Outputs {
		if o.Folder == "" {
			o.Folder = unknownFolder
		} else {
			o.Folder = absolute(o.Folder)
		}
		cfg.Outputs[name] = o
	}
	return cfg, nil
}

// unknownFolder stands for an output's folder for those who look, when the
// variable that names it is not set. Nobody writes to it.
const unknownFolder = "a folder that is not known here: its variable is not set"

// absolute names a path so that it can be found from any folder.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (a *app) loadFile(read func(string, func(string) (string, bool)) (*config.Config, error)) (*config.Config, error) {
	file := cmp.Or(a.configFile, os.Getenv(configVariable))
	if file == "" {
		if _, err := os.Stat(defaultFile); errors.Is(err, fs.ErrNotExist) {
			cfg := config.Default()
			return &cfg, nil
		}
		file = defaultFile
	}
	return read(file, os.LookupEnv)
}

func (a *app) logger(cfg *config.Config) (*slog.Logger, error) {
	if err := a.setLevel(cfg); err != nil {
		return nil, err
	}
	opt := &slog.HandlerOptions{Level: a.level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(a.stderr, opt)), nil
	}
	return slog.New(slog.NewTextHandler(a.stderr, opt)), nil
}

// setLevel changes what is logged from now on.
func (a *app) setLevel(cfg *config.Config) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return usage(fmt.Errorf("log level: %w", err))
	}
	if a.level == nil {
		a.level = new(slog.LevelVar)
	}
	a.level.Set(level)
	return nil
}

// complete offers the values of a flag to the shell.
func complete(c *cobra.Command, flag string, values ...string) {
	// The error is about a flag that does not exist, or is completed twice.
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

// addOutput gives a command the choice between a table and JSON.
func (a *app) addOutput(c *cobra.Command) {
	c.Flags().StringVarP(&a.output, "output", "o", "table", "table or json")
	complete(c, "output", "table", "json")
	check := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if a.output != "table" && a.output != "json" {
			return usage(fmt.Errorf("--output is table or json, not %q", a.output))
		}
		if check != nil {
			return check(c, args)
		}
		return nil
	}
}

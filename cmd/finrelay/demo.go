package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/dmf/sim"
	"finrelay/web"
)

// demoLimit ends a demo that hangs; a good one takes a second or two.
const demoLimit = 30 * time.Second

// demoEnvironment is the environment that the simulated FinOps is.
const demoEnvironment = "contoso"

// demo shows the whole road with a FinOps of its own, and proves each outcome.
func (a *app) demo() *cobra.Command {
	d := &demo{app: a, cases: demoCases()}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show exports land, with a simulated FinOps on this machine",
		Long: `demo starts a simulated FinOps and a real finrelay on free ports of this machine,
lets the one send events to the other as FinOps does, shows each export land, and
checks every outcome: each value that landed against what was sent, each file
against its manifest, and the ledger's own numbers.

Among the exports are some that go wrong on purpose: a link that is dead, a bad
row, an entity that no flow takes. They must end where a person finds them.

It exits with 0 only if everything is as expected. The folder stays, for a look
around; the next demo replaces it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	c.Flags().StringVar(&d.dir, "dir", "demo", "folder for all the demo writes; it is replaced if an earlier demo made it")
	return c
}

// demo is one run of the command. Its files, in the order of a run: folder (a
// fresh one, and the configuration), cases (what is sent and what must become
// of it), play and watch (post, follow the journal), check with files, proofs
// and totals (compare), report with table and screen (draw).
type demo struct {
	app   *app
	dir   string
	cases []demoCase

	began  time.Time
	screen *demoScreen
	log    *slog.Logger
	sim    *sim.Sim
	door   string // URL to post to, with the key: never print it
	client *web.Client
	watch  *demoWatch
}

// run plays all cases and checks them. The server and the simulator are gone
// when it returns; their files stay.
func (d *demo) run(ctx context.Context) (err error) {
	d.began = time.Now()
	d.screen = newDemoScreen(d.app.stdout)
	cfg, err := d.prepare()
	if err != nil {
		return err
	}
	logFile, err := os.OpenFile(d.path("finrelay.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	d.log = slog.New(slog.NewTextHandler(logFile, &slog.HandlerOptions{Level: slog.LevelDebug}))

	late := fmt.Errorf("the demo did not end within %v: see %s", demoLimit, d.path("finrelay.log"))
	limited, cancel := context.WithTimeoutCause(ctx, demoLimit, late)
	defer cancel()
	results, err := d.playAndCheck(limited, cfg)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // interrupted: what else went wrong came of that
	case limited.Err() != nil:
		return context.Cause(limited)
	case err != nil:
		return err
	}
	return d.report(results)
}

// playAndCheck has server and simulator running around the cases.
func (d *demo) playAndCheck(ctx context.Context, cfg *config.Config) (results demoResults, err error) {
	// FinOps' ids and data come of the seed: they are the same in each demo.
	d.sim = sim.New(sim.Options{Seed: 1, Logger: d.log.With("from", "simulator")})
	blobs, err := d.sim.Start("")
	if err != nil {
		return results, err
	}
	defer func() { err = errors.Join(err, d.sim.Close()) }()
	stop, address, err := d.serve(ctx, cfg)
	if err != nil {
		return results, err
	}
	d.screen.intro(d.dir, blobs, address)
	results, err = d.play(ctx)
	// The log is looked at too, so the server must have written its last line.
	if err = errors.Join(err, stop()); err != nil {
		return results, err
	}
	results.problems = append(results.problems, d.checkSecrets()...)
	return results, nil
}

// play posts the cases, follows them to their rest, and checks them while the
// server can still be asked.
func (d *demo) play(ctx context.Context) (demoResults, error) {
	d.watch = newDemoWatch(d)
	stop := d.watch.start(ctx)
	defer stop()
	parcels := d.pack()
	for i := range parcels {
		if err := d.post(ctx, parcels, i); err != nil {
			return demoResults{}, err
		}
	}
	for i := range parcels {
		if err := d.watch.rest(ctx, parcels[i].shipment); err != nil {
			return demoResults{}, err
		}
	}
	if err := d.watch.catchUp(ctx); err != nil {
		return demoResults{}, err
	}
	return d.check(ctx, parcels)
}

// serve starts a real server on a free port and returns how to stop it and
// where it listens.
func (d *demo) serve(ctx context.Context, cfg *config.Config) (stop func() error, address string, err error) {
	// The file keeps the usual port, for people who serve the folder later.
	cfg.Listen = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(ctx)
	ready := make(chan listening, 1)
	ended := make(chan error, 1)
	load := func() (*config.Config, error) { return cfg, nil }
	logger := func(*config.Config) (*slog.Logger, error) { return d.log, nil }
	go func() { ended <- d.app.runServer(ctx, load, logger, func(l listening) { ready <- l }) }()
	select {
	case err := <-ended:
		cancel()
		return nil, "", errors.Join(err, ctx.Err())
	case l := <-ready:
		stop := func() error {
			cancel()
			return <-ended
		}
		if err := d.connect(cfg, l.Door); err != nil {
			return nil, "", errors.Join(err, stop())
		}
		return stop, l.Door, nil
	}
}

// connect learns the way to the server's door and to its control socket.
func (d *demo) connect(cfg *config.Config, door string) error {
	key, _, err := config.EnsureKey(filepath.Join(cfg.State, keyFile))
	if err != nil {
		return err
	}
	d.door = endpoint(door+"/in/finops/"+demoEnvironment, key.Reveal())
	socket, err := web.SocketPath(cfg.State)
	if err != nil {
		return err
	}
	d.client = web.Dial(socket)
	return nil
}

// path is a place in the demo's folder, as it is named to people.
func (d *demo) path(elements ...string) string {
	return filepath.Join(append([]string{d.dir}, elements...)...)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"finrelay/bench/figures"
	"finrelay/bench/load"
	"finrelay/bench/target"
	"finrelay/state"
)

// A contestant starts a server on an empty database below folder.
type contestant struct {
	name  string
	start func(ctx context.Context, folder string, strace bool) (*target.Process, string, error) // and its database file
}

func contestants(finrelay, express, schema string) []contestant {
	return []contestant{
		{"finrelay", func(ctx context.Context, folder string, strace bool) (*target.Process, string, error) {
			f := target.Finrelay{Bin: finrelay, Folder: folder, Strace: strace}
			p, err := f.Start(ctx)
			return p, filepath.Join(f.State(), state.File), err
		}},
		{"express", func(ctx context.Context, folder string, _ bool) (*target.Process, string, error) {
			e := target.Express{Home: express, Schema: schema, Folder: folder}
			p, err := e.Start(ctx)
			return p, e.Database(), err
		}},
	}
}

// how says what is special about a round.
type how struct {
	strace bool // count syncs
	kill   bool // end the server under load
}

// sample is what one round of one contestant gave.
type sample struct {
	perSecond   float64
	p50, p99    time.Duration
	cpuPerEvent time.Duration
	events      int64
	commits     int64 // 0 when the server does not say
	syncs       int64 // 0 when not counted
}

// round starts the server, loads it, ends it, and looks into its database.
func (l *lab) round(ctx context.Context, c contestant, connections int, h how) (s sample, err error) {
	folder, err := os.MkdirTemp(l.work, c.name)
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(folder)
	server, database, err := c.start(ctx, folder, h.strace)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	plan := load.Plan{
		Door:        server.Door(),
		Connections: connections,
		For:         l.seconds,
		Max:         maxEvents,
		MayDie:      h.kill,
		Events: load.Events{
			Link: load.SignedLinks(l.blobs.URL, ".csv", time.Now()),
			At:   time.Now(),
			Rows: 7,
		},
	}
	// A short run first: node compiles what is hot, caches fill.
	warm := plan
	warm.For = min(time.Second, l.seconds)
	warmed, err := load.Run(ctx, warm)
	if err != nil {
		return s, err
	}
	plan.First = maxEvents
	if h.kill {
		timer := time.AfterFunc(l.seconds/2, func() { _ = server.Kill() })
		defer timer.Stop()
	}
	before, err := server.CPU()
	if err != nil {
		return s, err
	}
	result, err := load.Run(ctx, plan)
	if err != nil {
		return s, fmt.Errorf("%s at %d connections: %w", c.name, connections, err)
	}
	after, _ := server.CPU() // gone after a kill
	if !h.kill {
		if err := server.Stop(); err != nil {
			return s, err
		}
	}
	k, err := inspect(database, append(result.Acked, warmed.Acked...))
	if err == nil {
		err = k.check()
	}
	if err != nil {
		return s, fmt.Errorf("%s at %d connections: %w", c.name, connections, err)
	}
	if len(result.Acked) == 0 {
		return s, fmt.Errorf("%s at %d connections took no event; answers %v", c.name, connections, result.Statuses)
	}
	s = sample{
		perSecond:   result.PerSecond(),
		p50:         figures.Percentile(result.Latencies, 50),
		p99:         figures.Percentile(result.Latencies, 99),
		cpuPerEvent: (after - before) / time.Duration(len(result.Acked)),
		events:      k.Events,
	}
	if c.name == "finrelay" && !h.kill {
		if s.commits, err = server.LogNumber("commits"); err != nil {
			return s, err
		}
	}
	if h.strace {
		if s.syncs, err = target.Syncs(target.Finrelay{Folder: folder}.SyncCount()); err != nil {
			return s, err
		}
	}
	return s, nil
}

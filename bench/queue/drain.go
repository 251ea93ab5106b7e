//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"finrelay/bench/figures"
	"finrelay/bench/target"
	"finrelay/dmf/sim"
)

// backlog is what a round begins with.
type backlog struct {
	messages int
	delays   bool // of the scenario
	traced   bool // count fsyncs
}

// drained is what a round gave.
type drained struct {
	messages  int
	rows      int
	wall      time.Duration // from the first dequeue to the end of the last ack
	latencies time.Duration // of all calls to the queue in that time
	cpu       time.Duration
	anon      int64 // bytes, the highest sample
	syncs     int64 // traced rounds only
	syncing   time.Duration
}

// drainWait bounds a round: so much for a start, and so much a message.
const (
	drainWait   = time.Minute
	messageWait = time.Second
)

// drain lets a finrelay just started drain a queue.
func drain(ctx context.Context, opt options, b backlog) (d drained, err error) {
	fmt.Fprintf(os.Stderr, "%d messages, traced: %t\n", b.messages, b.traced)
	sc, err := scenario(opt.scenario, b)
	if err != nil {
		return d, err
	}
	f, err := startFinOps(ctx, sc)
	if err != nil {
		return d, err
	}
	defer f.close()
	folder, err := os.MkdirTemp(opt.work, "round")
	if err != nil {
		return d, err
	}
	defer os.RemoveAll(folder)
	activity := sc.Activities[0].ID
	relay := target.Finrelay{Bin: opt.finrelay, Folder: folder, Strace: b.traced, Queue: &target.Queue{
		URL: f.sim.BaseURL(), Tenant: sim.DefaultTenant, ClientID: sim.DefaultClientID, Secret: sim.DefaultSecret, Activity: activity,
	}}
	server, err := relay.Start(ctx) // polls at once
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	peak := server.WatchAnon()
	err = f.awaitDrained(ctx, activity, drainWait+time.Duration(b.messages)*messageWait)
	d.anon = peak()
	if err != nil {
		return d, err
	}
	if d.cpu, err = server.CPU(); err != nil {
		return d, err
	}
	if err := server.Stop(); err != nil {
		return d, err
	}
	d.messages, d.rows = b.messages, f.rows
	d.wall, d.latencies = f.times()
	if b.traced {
		if d.syncs, d.syncing, err = target.SyncTime(relay.SyncCount()); err != nil {
			return d, err
		}
	}
	return d, errors.Join(f.check(activity), checkLanded(relay.Out(), b.messages, f.rows))
}

// scenario reads the scenario and fits it to a round.
func scenario(file string, b backlog) (sim.Scenario, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return sim.Scenario{}, err
	}
	sc, err := sim.LoadScenario(text)
	if err != nil {
		return sc, fmt.Errorf("%s: %w", file, err)
	}
	sc.Seed = 1
	sc.Timeline[0].Times = b.messages
	if !b.delays {
		sc.Faults = nil
	}
	return sc, nil
}

// probe is what an fsync of 4 KB takes in a folder: the median of some.
func probe(folder string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(folder, "probe"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var took []time.Duration
	for range probes {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	return figures.Median(took), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"finrelay/bench/blobs"
	"finrelay/bench/customers"
	"finrelay/bench/figures"
	"finrelay/bench/load"
	"finrelay/bench/target"
	"finrelay/state"
)

const (
	listCalls   = 200
	connections = 64
)

// lists times what people and pages ask for, in both ledgers in turns.
func lists(ctx context.Context, _ options, small, large ledger, table *figures.Table) error {
	var open [2]*state.DB
	for i, l := range []ledger{small, large} {
		db, err := state.OpenLedger(ctx, l.relay.State(), state.Options{})
		if err != nil {
			return err
		}
		defer db.Close()
		open[i] = db
	}
	day := time.Now().Add(-24 * time.Hour)
	landed := []state.State{state.Landed}
	for _, list := range []struct {
		name string
		read func(db *state.DB) error
	}{
		{"50 newest exports", func(db *state.DB) error {
			_, err := db.Exports(ctx, state.Filter{Limit: 50, States: landed})
			return err
		}},
		{"exports of an entity", func(db *state.DB) error {
			_, err := db.Exports(ctx, state.Filter{Entity: customers.Entity + " 7", Limit: 2, States: landed})
			return err
		}},
		{"open exports", func(db *state.DB) error {
			_, err := db.Exports(ctx, state.Filter{States: []state.State{state.Open, state.Parked}})
			return err
		}},
		{"shipments of the last day", func(db *state.DB) error {
			_, err := db.Shipments(ctx, state.Filter{Since: day, Limit: 1})
			return err
		}},
		{"exports since now, of which there are none", func(db *state.DB) error {
			_, err := db.Exports(ctx, state.Filter{Since: time.Now(), States: landed})
			return err
		}},
		{"50 newest events", func(db *state.DB) error {
			_, err := db.Events(ctx, state.Filter{Limit: 50})
			return err
		}},
		{"status", func(db *state.DB) error { _, err := db.Status(ctx, ""); return err }},
		{"checkpoints", func(db *state.DB) error { _, err := db.Checkpoints(ctx, state.Filter{}); return err }},
	} {
		var times [2][]time.Duration
		for call := range listCalls + 10 {
			for i, db := range open {
				began := time.Now()
				if err := list.read(db); err != nil {
					return fmt.Errorf("%s: %w", list.name, err)
				}
				if call >= 10 { // statements and pages are warm by then
					times[i] = append(times[i], time.Since(began))
				}
			}
		}
		s, l := figures.Median(times[0]), figures.Median(times[1])
		ratio := float64(l) / float64(s)
		table.Add(list.name+", p50", micros(s), micros(l), fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≤ %.2f: %s", 1+goalShare, figures.Met(ratio <= 1+goalShare)))
	}
	return nil
}

func micros(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

// starts times how long the server takes to answer.
func starts(ctx context.Context, opt options, small, large ledger, table *figures.Table) error {
	var times [2][]time.Duration
	for range opt.rounds {
		for i, l := range []ledger{small, large} {
			server, err := l.relay.Start(ctx)
			if err != nil {
				return err
			}
			times[i] = append(times[i], server.Started)
			if err := errors.Join(server.Stop(), server.Kill()); err != nil {
				return err
			}
		}
	}
	s, l := figures.Median(times[0]), figures.Median(times[1])
	table.Add("start-up", figures.Ms(s), figures.Ms(l), fmt.Sprintf("%.2f", float64(l)/float64(s)),
		fmt.Sprintf("< %s: %s", goalStart, figures.Met(l < goalStart)))
	return nil
}

// intake loads a fresh copy of each ledger in turns, so that no round pays for
// what an earlier one left behind.
func intake(ctx context.Context, opt options, small, large ledger, table *figures.Table) error {
	silent, err := blobs.Silent()
	if err != nil {
		return err
	}
	defer silent.Close()
	both := []ledger{small, large}
	rates := map[string][]float64{}
	for i := range opt.rounds {
		for j := range both {
			l := both[(i+j)%len(both)]
			fmt.Fprintf(os.Stderr, "intake, round %d of %d: %s\n", i+1, opt.rounds, l.name)
			rate, err := loadCopy(ctx, opt, l, silent.URL)
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			rates[l.name] = append(rates[l.name], rate)
		}
	}
	ratios := figures.Ratios(rates[large.name], rates[small.name])
	table.Add(fmt.Sprintf("events/s at %d connections", connections),
		figures.Thousands(figures.Median(rates[small.name])), figures.Thousands(figures.Median(rates[large.name])), figures.Spread(ratios),
		fmt.Sprintf("≥ %.2f: %s", 1-goalShare, figures.Met(figures.Median(ratios) >= 1-goalShare)))
	return nil
}

func loadCopy(ctx context.Context, opt options, l ledger, blobs string) (rate float64, err error) {
	relay := target.Finrelay{Bin: opt.finrelay, Folder: filepath.Join(opt.work, "copy")}
	defer os.RemoveAll(relay.Folder)
	if err := os.MkdirAll(relay.State(), 0o700); err != nil {
		return 0, err
	}
	// Synced, so that writing the copy back does not fall into the measured time.
	copied := exec.CommandContext(ctx, "sh", "-c", `cp "$1" "$2" && sync`, "sh", filepath.Join(l.relay.State(), state.File), relay.State())
	if out, err := copied.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("copy the ledger: %w\n%s", err, out)
	}
	server, err := relay.Start(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	plan := load.Plan{
		Door:        server.Door(),
		Connections: connections,
		For:         time.Second,
		Events:      load.Events{Link: load.SignedLinks(blobs, ".csv", time.Now()), At: time.Now(), Rows: 7},
	}
	warm, err := load.Run(ctx, plan)
	if err != nil {
		return 0, err
	}
	plan.For, plan.First = opt.seconds, 1<<32
	result, err := load.Run(ctx, plan)
	if err != nil {
		return 0, err
	}
	if len(warm.Acked) == 0 || len(result.Acked) == 0 {
		return 0, fmt.Errorf("no event was taken; answers %v", result.Statuses)
	}
	return result.PerSecond(), server.Stop()
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"finrelay/bench/blobs"
	"finrelay/bench/customers"
	"finrelay/bench/figures"
	"finrelay/bench/load"
	"finrelay/bench/target"
)

const (
	warmups    = 5
	landWait   = 30 * time.Second // for one file of 1 MB
	goalFsyncs = 8
	goalSlack  = 10 * time.Millisecond
)

// turn is what one event's round gave.
type turn struct {
	landing  time.Duration // from the 2xx to the manifest
	curl     time.Duration // the whole command, without an fsync
	transfer time.Duration // what curl says the transfer alone took
	fsync    time.Duration // of 4 KB appended to a file
}

func latency(ctx context.Context, opt options, text *strings.Builder) error {
	csv := filepath.Join(opt.work, "small.csv")
	rows, err := writeFile(csv, func(f *os.File) (int, error) { return customers.Write(f, customers.CSV, 1e6, 1) })
	if err != nil {
		return err
	}
	store, err := blobs.File(csv)
	if err != nil {
		return err
	}
	defer store.Close()
	relay := target.Finrelay{Bin: opt.finrelay, Folder: filepath.Join(opt.work, "latency")}
	server, err := relay.Start(ctx)
	if err != nil {
		return err
	}
	turns, err := takeTurns(ctx, opt, server, relay, load.Events{
		Link: load.SignedLinks(store.URL, ".csv", time.Now()), At: time.Now(), Rows: int64(rows), Entity: customers.Entity,
	})
	if err := errors.Join(err, server.Stop(), server.Kill()); err != nil {
		return err
	}
	describe(turns, text)
	return nil
}

func takeTurns(ctx context.Context, opt options, server *target.Process, relay target.Finrelay, events load.Events) ([]turn, error) {
	if err := load.One(ctx, server.Door(), events, 0); err != nil {
		return nil, err
	}
	first, cancel := context.WithTimeout(ctx, landWait)
	defer cancel()
	manifest, err := awaitManifest(first, relay.Out())
	if err != nil {
		return nil, err
	}
	// All events have one time, entity and company, so all land in this folder.
	w, err := newWatch(filepath.Dir(manifest))
	if err != nil {
		return nil, err
	}
	defer w.Close()
	probe, err := os.Create(filepath.Join(opt.work, "probe"))
	if err != nil {
		return nil, err
	}
	defer probe.Close()
	var turns []turn
	for n := range int64(warmups + opt.events) {
		var t turn
		link := events.Link(n + 1)
		if t.curl, t.transfer, err = curl(ctx, link, filepath.Join(opt.work, "curl.csv")); err != nil {
			return nil, err
		}
		if t.fsync, err = fsync(probe); err != nil {
			return nil, err
		}
		if err := load.One(ctx, server.Door(), events, n+1); err != nil {
			return nil, err
		}
		answered := time.Now()
		if err := w.next(landWait); err != nil {
			return nil, err
		}
		t.landing = time.Since(answered)
		if n >= warmups {
			turns = append(turns, t)
		}
	}
	return turns, nil
}

func curl(ctx context.Context, link, out string) (whole, transfer time.Duration, err error) {
	began := time.Now()
	said, err := exec.CommandContext(ctx, "curl", "-sSf", "-o", out, "-w", "%{time_total}", link).Output()
	whole = time.Since(began)
	if err != nil {
		return 0, 0, fmt.Errorf("curl: %w", err)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(said)), 64)
	return whole, time.Duration(seconds * float64(time.Second)), err
}

func fsync(f *os.File) (time.Duration, error) {
	if _, err := f.Write(make([]byte, 4096)); err != nil {
		return 0, err
	}
	began := time.Now()
	err := f.Sync()
	return time.Since(began), err
}

func describe(turns []turn, text *strings.Builder) {
	column := func(pick func(turn) time.Duration) (all []time.Duration) {
		for _, t := range turns {
			all = append(all, pick(t))
		}
		return all
	}
	landing := column(func(t turn) time.Duration { return t.landing })
	whole := column(func(t turn) time.Duration { return t.curl })
	transfer := column(func(t turn) time.Duration { return t.transfer })
	syncs := column(func(t turn) time.Duration { return t.fsync })
	goal := figures.Median(whole) + goalFsyncs*figures.Median(syncs) + goalSlack
	table := figures.Table{Head: []string{"", "p50", "p99"}}
	for _, line := range []struct {
		name   string
		values []time.Duration
	}{
		{"2xx to landed", landing},
		{"`curl -o` of the same file", whole},
		{"the transfer alone, as curl says", transfer},
		{"fsync of 4 KB", syncs},
	} {
		table.Add(line.name, figures.Ms(figures.Median(line.values)), figures.Ms(figures.Percentile(line.values, 99)))
	}
	fmt.Fprintf(text, "From the 2xx to the landed file, 1 MB of CSV on loopback, %d events one by one:\n\n%s\n"+
		"Goal: p50 at most curl + %d fsyncs + %s = %s: %s.\n\n",
		len(turns), &table, goalFsyncs, goalSlack, figures.Ms(goal), figures.Met(figures.Median(landing) <= goal))
}

//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"finrelay/bench/figures"
)

const (
	goalRatio = 1.2
	goalAnon  = 48 << 20 // bytes
	traced    = 100      // messages of the round that counts fsyncs
	probes    = 200      // fsyncs of 4 KB
)

type options struct {
	finrelay, out, work, scenario string
	messages                      int
}

func main() {
	var opt options
	flag.StringVar(&opt.finrelay, "finrelay", "bin/finrelay", "the program to measure")
	flag.StringVar(&opt.out, "o", "", "Markdown file to put the section into")
	flag.StringVar(&opt.work, "work", "", "folder for all files, on the disk to measure; needs 1 MB a message (default: a temporary one)")
	flag.StringVar(&opt.scenario, "scenario", "testdata/scenarios/backlog-2000.yaml", "what waits in the queue, and how slow its calls are")
	flag.IntVar(&opt.messages, "messages", 100, "messages that wait")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "queue:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opt options) (err error) {
	if opt.work, err = os.MkdirTemp(opt.work, "finrelay-queue"); err != nil {
		return err
	}
	defer os.RemoveAll(opt.work)
	fsync, err := probe(opt.work)
	if err != nil {
		return err
	}
	small, err := drain(ctx, opt, backlog{messages: min(opt.messages, traced), traced: true})
	if err != nil {
		return fmt.Errorf("count fsyncs: %w", err)
	}
	round, err := drain(ctx, opt, backlog{messages: opt.messages, delays: true})
	if err != nil {
		return err
	}
	return figures.Publish(opt.out, figures.Section{Name: "Queue", Text: describe(round, small, fsync)})
}

// describe tells the figures and whether the goals were met.
func describe(round, small drained, fsync time.Duration) string {
	syncs := float64(small.syncs) / float64(small.messages)
	syncing := time.Duration(syncs * float64(round.messages) * float64(fsync))
	own := round.wall - round.latencies - syncing
	ratio := round.wall.Seconds() / (round.latencies + syncing).Seconds()
	table := figures.Table{Head: []string{"", "in all", "a message"}}
	add := func(name string, d time.Duration) {
		table.Add(name, d.Round(10*time.Millisecond).String(), figures.Ms(d/time.Duration(round.messages)))
	}
	add("from the first dequeue to the last ack", round.wall)
	add("latencies of the queue's calls, as the simulator saw them", round.latencies)
	add(fmt.Sprintf("fsyncs: %.1f a message, %s each", syncs, figures.Ms(fsync)), syncing)
	add("the rest: converting, the ledger's work, waiting", own)
	add("CPU of finrelay", round.cpu)
	var text strings.Builder
	fmt.Fprintf(&text, "%s messages of 200 KB (%s rows) wait in a queue whose calls take 50 ms; each is dequeued, downloaded, landed and acked before the next:\n\n%s\n",
		figures.Thousands(float64(round.messages)), figures.Thousands(float64(round.rows)), &table)
	fmt.Fprintf(&text, "All were acked, downloaded once, and every row was found in the output.\n"+
		"Under strace, without delays, %d messages took %d fsyncs of %s each, the start included.\n\n",
		small.messages, small.syncs, figures.Ms(small.syncing/time.Duration(max(1, small.syncs))))
	fmt.Fprintf(&text, "Goal: at most %.1f × (latencies + fsyncs): %.3f: %s.\n", goalRatio, ratio, figures.Met(ratio <= goalRatio))
	fmt.Fprintf(&text, "Goal: anonymous memory ≤ 48 MiB: %.1f MiB at its peak: %s.\n", float64(round.anon)/(1<<20), figures.Met(round.anon <= goalAnon))
	return text.String()
}

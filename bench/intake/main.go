package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"finrelay/bench/blobs"
	"finrelay/bench/figures"
	"finrelay/bench/peers"
)

// maxEvents bounds a run; it is far above what a second can bring.
const maxEvents = 5_000_000

// Goals, and the number of connections they are set for.
const (
	goalRatio           = 3.0 // events a second, times the peer's, at 64 connections
	goalEventsPerCommit = 16  // at 256 connections
)

var connectionCounts = []int{1, 64, 256}

// lab is what all rounds share.
type lab struct {
	work    string // folder for databases, on the disk that is measured
	seconds time.Duration
	rounds  int
	blobs   *blobs.Server
}

func main() {
	finrelay := flag.String("finrelay", "bin/finrelay", "the program to measure")
	out := flag.String("o", "", "Markdown file to put the section into")
	work := flag.String("work", "", "folder for the databases, on the disk to measure (default: a temporary one)")
	rounds := flag.Int("rounds", 5, "rounds of each server at each number of connections")
	seconds := flag.Duration("for", 4*time.Second, "time of one round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *finrelay, *out, *work, *rounds, *seconds); err != nil {
		fmt.Fprintln(os.Stderr, "intake:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, finrelay, out, work string, rounds int, seconds time.Duration) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	express, err := peers.Install(ctx, "bench/peers/express", filepath.Join(cache, "finrelay-bench"))
	if err != nil {
		return err
	}
	schema, err := filepath.Abs("state/migrations")
	if err != nil {
		return err
	}
	if work, err = os.MkdirTemp(work, "finrelay-intake"); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	silent, err := blobs.Silent()
	if err != nil {
		return err
	}
	defer silent.Close()
	l := &lab{work: work, seconds: seconds, rounds: rounds, blobs: silent}
	both := contestants(finrelay, express, schema)
	var text strings.Builder
	if err := l.compare(ctx, both, &text); err != nil {
		return err
	}
	if err := l.costs(ctx, both[0], &text); err != nil {
		return err
	}
	if err := l.killed(ctx, both, &text); err != nil {
		return err
	}
	return figures.Publish(out, figures.Section{Name: "Intake", Text: text.String()})
}

// compare runs the servers in turns and writes rates and ratios.
func (l *lab) compare(ctx context.Context, both []contestant, text *strings.Builder) error {
	table := figures.Table{Head: []string{"connections", "server", "events/s, median (range)", "p50", "p99", "CPU an event", "events a commit", "finrelay ÷ express, round by round", "goal"}}
	for _, connections := range connectionCounts {
		samples := map[string][]sample{}
		for i := range l.rounds {
			for j := range both {
				c := both[(i+j)%len(both)] // who goes first changes
				fmt.Fprintf(os.Stderr, "%d connections, round %d of %d: %s\n", connections, i+1, l.rounds, c.name)
				s, err := l.round(ctx, c, connections, how{})
				if err != nil {
					return err
				}
				samples[c.name] = append(samples[c.name], s)
			}
		}
		ratios := figures.Ratios(rates(samples["finrelay"]), rates(samples["express"]))
		for _, c := range both {
			table.Add(l.row(connections, c.name, samples[c.name], ratios)...)
		}
	}
	fmt.Fprintf(text, "Events a second, durable before the answer; each server stores the same rows for an event\n"+
		"(%s, journal). Every 2xx of every round was found in the database.\n\n%s\n", strings.Join(acceptTables, ", "), &table)
	return nil
}

func rates(samples []sample) []float64 {
	var r []float64
	for _, s := range samples {
		r = append(r, s.perSecond)
	}
	return r
}

func (l *lab) row(connections int, name string, samples []sample, ratios []float64) []string {
	var p50, p99, cpu []time.Duration
	var events, commits int64
	for _, s := range samples {
		p50, p99, cpu = append(p50, s.p50), append(p99, s.p99), append(cpu, s.cpuPerEvent)
		events, commits = events+s.events, commits+s.commits
	}
	perCommit, ratio, goal := "1", "", ""
	if name == "finrelay" {
		grouped := float64(events) / float64(max(commits, 1))
		perCommit, ratio = fmt.Sprintf("%.1f", grouped), figures.Spread(ratios)
		switch connections {
		case 64:
			goal = fmt.Sprintf("ratio ≥ %.0f: %s", goalRatio, figures.Met(figures.Median(ratios) >= goalRatio))
		case 256:
			goal = fmt.Sprintf("≥ %d events a commit: %s", goalEventsPerCommit, figures.Met(grouped >= goalEventsPerCommit))
		}
	}
	r := rates(samples)
	return []string{
		fmt.Sprint(connections), name,
		fmt.Sprintf("%s (%s-%s)", figures.Thousands(figures.Median(r)), figures.Thousands(figures.Percentile(r, 0)), figures.Thousands(figures.Percentile(r, 100))),
		figures.Ms(figures.Median(p50)), figures.Ms(figures.Median(p99)),
		fmt.Sprintf("%d µs", figures.Median(cpu).Microseconds()),
		perCommit, ratio, goal,
	}
}

// costs counts finrelay's syncs, in rounds whose rates do not count.
func (l *lab) costs(ctx context.Context, finrelay contestant, text *strings.Builder) error {
	if _, err := exec.LookPath("strace"); err != nil {
		text.WriteString("Syncs were not counted: strace is not installed.\n\n")
		return nil
	}
	table := figures.Table{Head: []string{"connections", "events", "commits", "syncs", "syncs a commit", "syncs an event"}}
	for _, connections := range connectionCounts {
		fmt.Fprintf(os.Stderr, "%d connections: counting syncs\n", connections)
		s, err := l.round(ctx, finrelay, connections, how{strace: true})
		if err != nil {
			return err
		}
		table.Add(fmt.Sprint(connections), figures.Thousands(float64(s.events)), figures.Thousands(float64(s.commits)), figures.Thousands(float64(s.syncs)),
			fmt.Sprintf("%.2f", float64(s.syncs)/float64(max(s.commits, 1))), fmt.Sprintf("%.3f", float64(s.syncs)/float64(max(s.events, 1))))
	}
	fmt.Fprintf(text, "What a round costs in commits (SQLite's commit hook) and in fsync and fdatasync (strace, in rounds of their own; the start counts too):\n\n%s\n", &table)
	return nil
}

// killed ends each server with SIGKILL under load and looks for broken promises.
func (l *lab) killed(ctx context.Context, both []contestant, text *strings.Builder) error {
	for _, c := range both {
		fmt.Fprintf(os.Stderr, "64 connections, killed under load: %s\n", c.name)
		s, err := l.round(ctx, c, 64, how{kill: true})
		if err != nil {
			return err
		}
		fmt.Fprintf(text, "Killed under load at 64 connections, %s had %s events and had lost none that it had answered with a 2xx.\n", c.name, figures.Thousands(float64(s.events)))
	}
	return nil
}

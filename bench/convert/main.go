package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"finrelay/bench/customers"
	"finrelay/bench/figures"
)

type options struct {
	finrelay, out, work string
	format              customers.Format
	size                figures.Bytes
	rounds              int
	bound               float64
}

func main() {
	opt := options{size: 100e6}
	flag.StringVar(&opt.finrelay, "finrelay", "bin/finrelay", "the program to measure")
	flag.StringVar(&opt.out, "o", "", "Markdown file to put the section into")
	flag.StringVar(&opt.work, "work", "", "folder for the files, on the disk to measure (default: a temporary one)")
	flag.Var(&opt.size, "size", "bytes of the data file")
	format := flag.String("format", string(customers.CSV), "csv, xml-element or xml-attribute")
	flag.IntVar(&opt.rounds, "rounds", 5, "rounds")
	flag.Float64Var(&opt.bound, "bound", 0, "fail when finrelay takes more than this times the obvious program's time; 0 = never")
	quick := flag.Bool("quick", false, "20 MB, 3 rounds, bound 0.5, for continuous integration")
	flag.Parse()
	opt.format = customers.Format(*format)
	if *quick {
		opt.size, opt.rounds, opt.bound = 20e6, 3, 0.5
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "convert:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opt options) error {
	work, err := os.MkdirTemp(opt.work, "finrelay-convert")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	in := filepath.Join(work, opt.format.FileName())
	rows, err := writeData(in, opt)
	if err != nil {
		return err
	}
	obvious := filepath.Join(work, "obvious")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", obvious, "./bench/obvious").CombinedOutput(); err != nil {
		return fmt.Errorf("build the obvious program: %w\n%s", err, text)
	}
	both := []contestant{
		{"finrelay", func(in, out string) []string { return []string{opt.finrelay, "convert", in, "-o", out} }},
		{"obvious", func(in, out string) []string { return []string{obvious, in, out} }},
	}
	out := filepath.Join(work, "out.jsonl")
	if err := equal(ctx, both, in, out, rows); err != nil {
		return err
	}
	costs := map[string][]cost{}
	for i := range opt.rounds {
		for j := range both {
			c := both[(i+j)%len(both)]
			spent, err := c.run(ctx, in, out)
			if err != nil {
				return err
			}
			costs[c.name] = append(costs[c.name], spent)
		}
	}
	return report(opt, rows, costs)
}

func writeData(name string, opt options) (rows int, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return customers.Write(f, opt.format, int64(opt.size), 1)
}

// equal runs each contestant once and wants the same rows from all.
func equal(ctx context.Context, all []contestant, in, out string, wantRows int) error {
	var first string
	for _, c := range all {
		if _, err := c.run(ctx, in, out); err != nil {
			return err
		}
		rows, sum, err := fingerprint(out)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if rows != wantRows {
			return fmt.Errorf("%s wrote %d rows of %d; its speed counts for nothing", c.name, rows, wantRows)
		}
		if first == "" {
			first = sum
		}
		if sum != first {
			return fmt.Errorf("%s wrote other values than %s; its speed counts for nothing", c.name, all[0].name)
		}
	}
	return nil
}

func report(opt options, rows int, costs map[string][]cost) error {
	wall := func(name string) (seconds []float64) {
		for _, c := range costs[name] {
			seconds = append(seconds, c.wall.Seconds())
		}
		return seconds
	}
	ratios := figures.Ratios(wall("finrelay"), wall("obvious"))
	table := figures.Table{Head: []string{"program", "wall s", "CPU s", "rows/s", "peak resident", "÷ obvious, round by round"}}
	for _, name := range []string{"finrelay", "obvious"} {
		var cpu []float64
		var peak int64
		for _, c := range costs[name] {
			cpu, peak = append(cpu, c.cpu.Seconds()), max(peak, c.peak)
		}
		ratio := ""
		if name == "finrelay" {
			ratio = figures.Spread(ratios)
		}
		table.Add(name, figures.Spread(wall(name)), figures.Spread(cpu),
			figures.Thousands(float64(rows)/figures.Median(wall(name))), fmt.Sprintf("%d MiB", peak>>20), ratio)
	}
	text := fmt.Sprintf("%s of %s (%s rows, 60 columns) to durable JSON Lines, %d rounds; equal in every value.\n\n%s",
		opt.size, opt.format, figures.Thousands(float64(rows)), opt.rounds, &table)
	name := fmt.Sprintf("Convert %s %s", opt.size, opt.format)
	if err := figures.Publish(opt.out, figures.Section{Name: name, Text: text}); err != nil {
		return err
	}
	if median := figures.Median(ratios); opt.bound > 0 && median > opt.bound {
		return fmt.Errorf("finrelay took %.2f times the obvious program's time, the bound is %.2f", median, opt.bound)
	}
	return nil
}

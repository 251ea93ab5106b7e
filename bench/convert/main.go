//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"finrelay/bench/customers"
	"finrelay/bench/figures"
)

type options struct {
	finrelay, out, work, peers string
	format                     customers.Format
	small, large, huge         figures.Bytes // of -full
	rounds, largeRounds        int
	bound                      float64
	full, quick                bool
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == inProcessWord {
		os.Exit(inProcess(os.Args[2:]))
	}
	opt := parseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "convert:", err)
		os.Exit(1)
	}
}

func parseFlags() options {
	opt := options{small: 100e6, large: 1e9}
	flag.StringVar(&opt.finrelay, "finrelay", "bin/finrelay", "the program to measure")
	flag.StringVar(&opt.out, "o", "", "Markdown file to put the section into, with a picture beside it")
	flag.StringVar(&opt.work, "work", "", "folder for the files, on the disk to measure (default: a temporary one)")
	flag.StringVar(&opt.peers, "peers", "all", "all, or obvious for the obvious Go program alone")
	flag.Var(&opt.small, "size", "bytes of the data file, before packing")
	flag.Var(&opt.large, "large", "bytes of the large data file of -full")
	flag.Var(&opt.huge, "huge", "bytes of a CSV file that finrelay alone converts once, beside the others; needs 5 times that on the disk")
	format := flag.String("format", string(customers.CSV), "csv, xml-element or xml-attribute; -full and -quick take all")
	flag.IntVar(&opt.rounds, "rounds", 5, "rounds")
	flag.IntVar(&opt.largeRounds, "large-rounds", 3, "rounds with the large data file, and with many packages")
	flag.Float64Var(&opt.bound, "bound", 0, "fail when finrelay takes more than this times the obvious program's time; 0 = never")
	flag.BoolVar(&opt.full, "full", false, "every format, two sizes, several data files, a thousand packages, a profile; judges the goals")
	flag.BoolVar(&opt.quick, "quick", false, "every format, 20 MB, 3 rounds, the obvious program alone, bound 0.5, for continuous integration")
	flag.Parse()
	opt.format = customers.Format(*format)
	if opt.quick {
		opt.small, opt.rounds, opt.bound, opt.peers = 20e6, 3, 0.5, "obvious"
	}
	return opt
}

func run(ctx context.Context, opt options) error {
	began := time.Now()
	l, err := newLab(ctx, opt)
	if err != nil {
		return err
	}
	defer os.RemoveAll(l.work)
	var all []*result
	for _, t := range plan(opt) {
		r, err := l.measure(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.title, err)
		}
		all = append(all, r)
	}
	text := report(l.contestants, all)
	if opt.full {
		text = judged(all) + text
	}
	text += fmt.Sprintf("\nThe whole run took %s.\n", time.Since(began).Round(time.Second))
	if opt.out != "" {
		picture := filepath.Join(filepath.Dir(opt.out), "convert.svg")
		if err := os.WriteFile(picture, []byte(chart(all).SVG()), 0o644); err != nil {
			return err
		}
		text = "![Wall time of each contestant, in times of the best peer's](convert.svg)\n\n" + text
	}
	if err := figures.Publish(opt.out, figures.Section{Name: "Convert", Text: text}); err != nil {
		return err
	}
	return withinBound(all, opt.bound)
}

// withinBound wants finrelay within bound times the obvious program's time, in
// every case.
func withinBound(all []*result, bound float64) error {
	for _, r := range all {
		if median := figures.Median(r.ratios(obvious)); bound > 0 && median > bound {
			return fmt.Errorf("%s: finrelay took %.2f times the obvious program's time, the bound is %.2f", r.title, median, bound)
		}
	}
	return nil
}

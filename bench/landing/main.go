//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"finrelay/bench/figures"
)

type options struct {
	finrelay, out, work string
	events              int
	small, large        figures.Bytes
}

func main() {
	opt := options{small: 100e6, large: 1e9}
	flag.StringVar(&opt.finrelay, "finrelay", "bin/finrelay", "the program to measure")
	flag.StringVar(&opt.out, "o", "", "Markdown file to put the section into")
	flag.StringVar(&opt.work, "work", "", "folder for all files, on the disk to measure; needs 5 times -large (default: a temporary one)")
	flag.IntVar(&opt.events, "events", 60, "events whose landing is timed")
	flag.Var(&opt.small, "small", "bytes of CSV in the smaller package")
	flag.Var(&opt.large, "large", "bytes of CSV in the larger package")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opt); err != nil {
		fmt.Fprintln(os.Stderr, "landing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opt options) (err error) {
	if opt.work, err = os.MkdirTemp(opt.work, "finrelay-landing"); err != nil {
		return err
	}
	defer os.RemoveAll(opt.work)
	var text strings.Builder
	if err := latency(ctx, opt, &text); err != nil {
		return err
	}
	if err := memory(ctx, opt, &text); err != nil {
		return err
	}
	return figures.Publish(opt.out, figures.Section{Name: "Landing", Text: text.String()})
}

// writeFile creates a file and gives what write returns about it.
func writeFile(name string, write func(*os.File) (int, error)) (rows int, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}

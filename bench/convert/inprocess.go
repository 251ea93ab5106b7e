//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"finrelay/exporter/convert"
	"finrelay/exporter/unpack"
)

// inProcessWord as first argument makes this program convert packages itself,
// with finrelay's packages, as the server does: many in one process, or one
// under the profiler.
const inProcessWord = "in-process"

// tally is what such a process tells of itself.
type tally struct {
	Rows    int64
	Mallocs uint64 // heap allocations while converting
	Seconds float64
	Syncing float64 // seconds of these that fsync took
}

// profileFor is how long a profile must be, since the profiler looks a hundred
// times a second: a package is converted again until then.
const profileFor = 3 * time.Second

func inProcess(args []string) int {
	flags := flag.NewFlagSet(inProcessWord, flag.ExitOnError)
	out := flags.String("o", "", "file to write; with several packages a folder")
	profile := flags.String("profile", "", "file for a CPU profile")
	_ = flags.Parse(args)
	t, err := convertAll(flags.Args(), *out, *profile)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(t)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func convertAll(packages []string, out, profile string) (t tally, err error) {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return t, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return t, err
		}
		defer pprof.StopCPUProfile()
	}
	sink := &rowSink{w: bufio.NewWriterSize(nil, 256<<10)}
	began := time.Now()
	t, err = sink.convert(packages, out)
	for err == nil && profile != "" && time.Since(began) < profileFor {
		_, err = sink.convert(packages, out)
	}
	return t, err
}

// convert converts all packages once.
func (s *rowSink) convert(packages []string, out string) (tally, error) {
	s.rows, s.syncing = 0, 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for i, name := range packages {
		to := out
		if len(packages) > 1 {
			to = filepath.Join(out, packageOutput(i))
		}
		if err := s.convertPackage(name, to); err != nil {
			return tally{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	return tally{
		Rows: s.rows, Mallocs: after.Mallocs - before.Mallocs,
		Seconds: took.Seconds(), Syncing: s.syncing.Seconds(),
	}, nil
}

// convertPackage writes the rows of all data files of a package to one durable
// file.
func (s *rowSink) convertPackage(name, out string) (err error) {
	contents, err := unpack.Open(name, unpack.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, contents.Close()) }()
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	s.w.Reset(f)
	for _, m := range contents.Members {
		r, err := contents.Open(m)
		if err != nil {
			return err
		}
		_, err = convert.Convert(context.Background(), r, m.Name, convert.Options{}, s)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	began := time.Now()
	defer func() { s.syncing += time.Since(began) }()
	return f.Sync()
}

// rowSink writes rows as they come, and counts.
type rowSink struct {
	w       *bufio.Writer
	rows    int64
	syncing time.Duration
}

func (s *rowSink) Block(lines []byte, rows int) error {
	s.rows += int64(rows)
	_, err := s.w.Write(lines)
	return err
}

func (s *rowSink) BadRow(b convert.BadRow) error {
	return fmt.Errorf("line %d, column %d: %w", b.Line, b.Column, b.Err)
}

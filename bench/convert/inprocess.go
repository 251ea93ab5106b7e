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
	GCs     uint32
}

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
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sink := &rowSink{w: bufio.NewWriterSize(nil, 256<<10)}
	for i, name := range packages {
		to := out
		if len(packages) > 1 {
			to = filepath.Join(out, packageOutput(i))
		}
		if err := convertPackage(name, to, sink); err != nil {
			return t, fmt.Errorf("%s: %w", name, err)
		}
	}
	runtime.ReadMemStats(&after)
	return tally{Rows: sink.rows, Mallocs: after.Mallocs - before.Mallocs, GCs: after.NumGC - before.NumGC}, nil
}

// convertPackage writes the rows of all data files of a package to one durable
// file.
func convertPackage(name, out string, sink *rowSink) (err error) {
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
	sink.w.Reset(f)
	for _, m := range contents.Members {
		r, err := contents.Open(m)
		if err != nil {
			return err
		}
		_, err = convert.Convert(context.Background(), r, m.Name, convert.Options{}, sink)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	return errors.Join(sink.w.Flush(), f.Sync())
}

type rowSink struct {
	w    *bufio.Writer
	rows int64
}

func (s *rowSink) Block(lines []byte, rows int) error {
	s.rows += int64(rows)
	_, err := s.w.Write(lines)
	return err
}

func (s *rowSink) BadRow(b convert.BadRow) error {
	return fmt.Errorf("line %d, column %d: %w", b.Line, b.Column, b.Err)
}

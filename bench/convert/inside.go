//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"finrelay/bench/figures"
)

// inside is what one conversion in process told.
type inside struct {
	tally
	profiled bool
	inflate  float64 // share of the CPU time below the inflater, 0 to 1
}

// inflateFrames are the functions that inflate, with what they call: reading the
// compressed bytes is in it, checking and converting the others is not.
const inflateFrames = `(^|[./])(compress/flate|inflate)\.`

// lookInside converts the task's packages in a process of their own, with
// finrelay's packages and, when it is one, under the CPU profiler.
func (l *lab) lookInside(ctx context.Context, t *task) (*inside, error) {
	fmt.Fprintf(os.Stderr, "%s: a look inside\n", t.title)
	if err := l.prepare(t); err != nil {
		return nil, err
	}
	profile := filepath.Join(l.work, "cpu.pprof")
	args := append([]string{inProcessWord, "-o", l.out}, t.inputs...)
	if t.role != many {
		args = slices.Insert(args, 1, "-profile", profile)
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, l.tools.self, args...)
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("convert in process: %w\n%s", err, said.String())
	}
	var in inside
	if err := json.Unmarshal(text, &in.tally); err != nil {
		return nil, err
	}
	if in.Rows != int64(t.rows) {
		return nil, fmt.Errorf("convert in process: %d rows of %d", in.Rows, t.rows)
	}
	if in.profiled = t.role != many; !in.profiled {
		return &in, nil
	}
	top := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-nodecount=100000", "-nodefraction=0", "-focus="+inflateFrames, l.tools.self, profile)
	top.Env = append(os.Environ(), "PPROF_TMPDIR="+l.work)
	text, err = top.CombinedOutput()
	if err == nil {
		in.inflate, err = focusShare(string(text))
	}
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w\n%s", err, text)
	}
	return &in, nil
}

var focusPart = regexp.MustCompile(`accounting for [^,]+, ([\d.]+)% of`)

// focusShare reads the share that pprof's focus left, out of its first lines.
func focusShare(text string) (float64, error) {
	if strings.Contains(text, "matched no samples") {
		return 0, nil
	}
	found := focusPart.FindStringSubmatch(text)
	if found == nil {
		return 0, errors.New("it names no share")
	}
	percent, err := strconv.ParseFloat(found[1], 64)
	return percent / 100, err
}

func (in *inside) String() string {
	if !in.profiled {
		return fmt.Sprintf("fsync took %.2f of %.2f s; %s heap allocations", in.Syncing, in.Seconds, figures.Thousands(float64(in.Mallocs)))
	}
	return fmt.Sprintf("inflating takes %.0f %% of the CPU time (profile); %s heap allocations", 100*in.inflate, figures.Thousands(float64(in.Mallocs)))
}

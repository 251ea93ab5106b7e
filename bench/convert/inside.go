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
	"strconv"
	"strings"
)

// inside is what one conversion in process told.
type inside struct {
	tally
	inflate float64 // share of the CPU time below the inflater, 0 to 1
}

// inflateFrames are the functions that inflate, with what they call: reading the
// compressed bytes is in it, checking and converting the others is not.
const inflateFrames = `(^|[./])(compress/flate|inflate)\.`

// lookInside converts the task's package in a process of its own, with
// finrelay's packages and under the CPU profiler.
func (l *lab) lookInside(ctx context.Context, t *task) (*inside, error) {
	fmt.Fprintf(os.Stderr, "%s: profile\n", t.title)
	profile := filepath.Join(l.work, "cpu.pprof")
	var said strings.Builder
	cmd := exec.CommandContext(ctx, l.tools.self, inProcessWord, "-profile", profile, "-o", l.out, t.inputs[0])
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

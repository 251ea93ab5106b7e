package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A contestant is a command that turns in into out.
type contestant struct {
	name string
	args func(in, out string) []string
}

// cost is what one run took.
type cost struct {
	wall time.Duration // with out durable
	cpu  time.Duration // user and system, all threads
	peak int64         // bytes resident at most
}

// run measures one conversion. The fsync at its end is a formality for a
// contestant that has made out durable itself, and levels those that have not.
func (c contestant) run(ctx context.Context, in, out string) (cost, error) {
	if err := os.Remove(out); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cost{}, err
	}
	syscall.Sync()
	args := c.args(in, out)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	began := time.Now()
	if text, err := cmd.CombinedOutput(); err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", c.name, err, text)
	}
	if err := syncFile(out); err != nil {
		return cost{}, fmt.Errorf("%s: %w", c.name, err)
	}
	spent := cost{wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		spent.peak = usage.Maxrss << 10
	}
	return spent, nil
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

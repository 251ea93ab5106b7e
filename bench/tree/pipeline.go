//go:build linux

package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Pipeline is one or more commands, each reading what the one before writes.
type Pipeline struct {
	Commands [][]string // program first
	To       string     // file for what the last one writes; "" = thrown away
}

// String writes the pipeline as one would type it.
func (p Pipeline) String() string {
	var commands []string
	for _, args := range p.Commands {
		var words []string
		for _, arg := range args {
			if arg == "" || strings.ContainsAny(arg, " *'\"|&;()<>$\\") {
				arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
			}
			words = append(words, arg)
		}
		commands = append(commands, strings.Join(words, " "))
	}
	text := strings.Join(commands, " | ")
	if p.To != "" {
		text += " > " + p.To
	}
	return text
}

// Cost is what a run took.
type Cost struct {
	Wall     time.Duration
	CPU      time.Duration // user and system
	Anon     int64         // bytes of anonymous memory, at most, all processes together
	Resident int64         // bytes resident, at most, all processes together; shared pages count in each
	Mark     int64         // bytes resident, at most, of the last command of a pipeline alone (VmHWM)
}

// Run runs the pipelines one after the other and then finish, which belongs to
// the measured time. Each command must end with status 0; the error of one that
// does not holds the end of what it wrote to standard error.
func Run(ctx context.Context, steps []Pipeline, finish func() error) (Cost, error) {
	var cost Cost
	w := startWatch()
	began := time.Now()
	err := func() error {
		for _, step := range steps {
			cpu, err := step.run(ctx, w)
			cost.CPU += cpu
			if err != nil {
				return err
			}
		}
		return finish()
	}()
	cost.Wall = time.Since(began)
	cost.Anon, cost.Resident, cost.Mark = w.stop()
	return cost, err
}

func (p Pipeline) run(ctx context.Context, w *watch) (cpu time.Duration, err error) {
	var last *os.File
	if p.To != "" {
		if last, err = os.Create(p.To); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, last.Close()) }()
	}
	running, err := p.start(ctx, last, w)
	var pids []int
	for _, c := range running {
		err = errors.Join(err, c.wait())
		cpu += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		pids = append(pids, c.Process.Pid)
	}
	w.remove(pids)
	return cpu, err
}

// start starts the commands from the last to the first, so that nobody writes
// before there is a reader. When one cannot be started, those that run are
// given back with the error: their input has ended.
func (p Pipeline) start(ctx context.Context, to *os.File, w *watch) (running []*command, err error) {
	stdout := to
	for i := len(p.Commands) - 1; i >= 0; i-- {
		c := &command{Cmd: exec.CommandContext(ctx, p.Commands[i][0], p.Commands[i][1:]...)}
		c.Stderr = &c.said
		if stdout != nil {
			c.Stdout = stdout
		}
		var stdin, next *os.File
		if i > 0 {
			if stdin, next, err = os.Pipe(); err != nil {
				return running, err
			}
			c.Stdin = stdin
		}
		err = c.Start()
		if stdin != nil {
			err = errors.Join(err, stdin.Close())
		}
		if stdout != nil && stdout != to {
			err = errors.Join(err, stdout.Close())
		}
		if err != nil {
			if next != nil {
				_ = next.Close()
			}
			return running, err
		}
		w.add(c.Process.Pid, i == len(p.Commands)-1)
		running, stdout = append(running, c), next
	}
	return running, nil
}

type command struct {
	*exec.Cmd
	said tail
}

func (c *command) wait() error {
	if err := c.Wait(); err != nil {
		return fmt.Errorf("%s: %w%s", filepath.Base(c.Path), err, c.said.String())
	}
	return nil
}

// tail keeps the last of what is written to it.
type tail struct{ b []byte }

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > tailSize {
		t.b = append(t.b[:0], t.b[len(t.b)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	if text := bytes.TrimSpace(t.b); len(text) > 0 {
		return "\n" + string(text)
	}
	return ""
}

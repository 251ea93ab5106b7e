//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"finrelay/bench/peers"
	"finrelay/bench/tree"
)

// lab is where the contestants run.
type lab struct {
	work        string // folder; removed at the end
	out         string // what each contestant writes
	aside       string // folder for what earlier runs wrote; "" removes it
	kept        int    // of these
	tools       tools
	contestants []contestant
}

func newLab(ctx context.Context, opt options) (l *lab, err error) {
	work, err := os.MkdirTemp(opt.work, "finrelay-convert")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(work))
		}
	}()
	l = &lab{work: work, out: filepath.Join(work, "out"), tools: tools{
		finrelay: opt.finrelay, obvious: filepath.Join(work, "obvious"), peers: map[string]string{},
	}}
	if l.tools.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", l.tools.obvious, "./bench/obvious").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the obvious program: %w\n%s", err, text)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	for _, c := range contestants() {
		if opt.peers == "obvious" && c.name != ours && c.name != obvious && c.name != unzip {
			continue
		}
		l.find(ctx, &c, filepath.Join(cache, "finrelay-bench"))
		l.contestants = append(l.contestants, c)
	}
	return l, nil
}

// find looks whether a contestant can run, installs it if npm has it, and notes
// its version.
func (l *lab) find(ctx context.Context, c *contestant, cache string) {
	n := c.needs
	switch {
	case c.name == ours, c.name == together:
		c.version = firstLine(ctx, l.tools.finrelay, "version")
	case n.program == "":
		c.version = "of this tree"
	case !onPath(n.program):
		c.absent = "needs " + n.program
		if n.debian != "" {
			c.absent += " (Debian: " + n.debian + ")"
		}
	case n.peer != "":
		if !onPath("npm") {
			c.absent = "needs npm to install " + n.module
			return
		}
		fmt.Fprintf(os.Stderr, "installing %s, if it is not there\n", n.module)
		home, err := peers.Install(ctx, filepath.Join("bench", "peers", n.peer), cache)
		if err != nil {
			fmt.Fprintln(os.Stderr, err) // with folders and hosts that are nobody else's business
			c.absent = "npm could not install " + n.module
			return
		}
		l.tools.peers[n.peer] = home
		c.version = fmt.Sprintf("%s, node %s", peers.Version(home, n.module), firstLine(ctx, "node", "--version"))
	default:
		c.version = firstLine(ctx, n.program, n.version...)
	}
	if n.program == python.program && c.absent == "" {
		// What is called python3 may be a script that looks for Python.
		l.tools.python = firstLine(ctx, "python3", "-c", "import sys; print(sys.executable)")
	}
}

// public takes the folders of this machine out of a text for the report.
func (l *lab) public(text string) string {
	pairs := []string{l.work, "DIR"}
	for folder, home := range l.tools.peers {
		pairs = append(pairs, home, "bench/peers/"+folder)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// firstLine is how programs tell their version: some on standard error.
func firstLine(ctx context.Context, name string, args ...string) string {
	text, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line
}

// run measures one conversion of all of the task's packages. One package goes
// to the file out, or, when it holds several data files, wherever the contestant
// puts them; many go to as many files in the folder out.
func (l *lab) run(ctx context.Context, c contestant, t *task) (tree.Cost, error) {
	if err := l.prepare(t); err != nil {
		return tree.Cost{}, err
	}
	var inputs []input
	for _, zip := range t.inputs {
		inputs = append(inputs, input{zip: zip, member: t.format.FileName(), temp: l.temp()})
	}
	cost, err := tree.Run(ctx, l.steps(c, t, inputs), func() error {
		if c.floor {
			return nil
		}
		return syncAll(l.out)
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return cost, err
}

func (l *lab) steps(c contestant, t *task, inputs []input) (steps []tree.Pipeline) {
	if c.all != nil {
		return c.all(l.tools, inputs, l.out)
	}
	for i, in := range inputs {
		out := l.out
		if t.role == many {
			out = filepath.Join(l.out, packageOutput(i))
		}
		steps = append(steps, c.steps(l.tools, in, out)...)
	}
	return steps
}

// packageOutput names the file that the package at place i is converted to.
func packageOutput(i int) string { return fmt.Sprintf("%04d.jsonl", i+1) }

// prepare removes what the last run has left and lets the disk come to rest.
func (l *lab) prepare(t *task) error {
	err := l.clean()
	if err == nil && t.role == many {
		err = os.Mkdir(l.out, 0o755)
	}
	syscall.Sync()
	return err
}

// clean removes what the last run has left, or puts it aside.
func (l *lab) clean() error {
	if _, err := os.Lstat(l.out); err == nil && l.aside != "" {
		l.kept++
		return os.Rename(l.out, filepath.Join(l.aside, strconv.Itoa(l.kept)))
	}
	return errors.Join(os.RemoveAll(l.out), os.RemoveAll(l.temp()))
}

// keepOutputs puts outputs aside until forget is called. Before ext4 gives out an
// inode it looks whether that was freed in the last minutes, one by one: with a
// thousand files of the round before removed, that is half of the time.
func (l *lab) keepOutputs() (forget func() error, err error) {
	l.aside = filepath.Join(l.work, "aside")
	return func() error {
		err := os.RemoveAll(l.aside)
		l.aside = ""
		return err
	}, os.Mkdir(l.aside, 0o755)
}

// temp is where a contestant puts the data file that it cannot take from a pipe.
func (l *lab) temp() string { return filepath.Join(l.work, "temp.csv") }

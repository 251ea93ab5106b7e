//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"finrelay/bench/customers"
	"finrelay/bench/figures"
)

// role says what a task's figures are used for beyond its own table.
type role int

const (
	plain   role = iota
	small        // of the pair that growth is read from
	large        // of that pair; the goals are about it
	huge         // for that too, of finrelay alone, run once
	several      // data files in one package
	many         // packages
)

const (
	severalOf = 4    // data files
	manyOf    = 1000 // packages
)

// task is one set of data to convert.
type task struct {
	title  string
	format customers.Format
	size   figures.Bytes // of all data, before packing
	role   role
	rounds int
	again  int // times that a round may be run again, at most
	count  int // packages

	// Known when the data have been made.
	inputs []string // packages
	rows   int
	zipped int64
	sum    string // SHA-256 of all packages, one after the other
}

// labels are the formats as FinOps' people call them.
var labels = map[customers.Format]string{customers.CSV: "CSV", customers.XMLElement: "XML-Element", customers.XMLAttribute: "XML-Attribute"}

// plan gives the tasks in the order in which they are measured.
func plan(opt options) []*task {
	formats := []customers.Format{customers.CSV, customers.XMLElement, customers.XMLAttribute}
	if !opt.full && !opt.quick {
		formats = []customers.Format{opt.format}
	}
	var tasks []*task
	add := func(format customers.Format, size figures.Bytes, role role, rounds int, note string) {
		t := &task{title: fmt.Sprintf("%s %s%s", labels[format], size, note), format: format, size: size, role: role, rounds: rounds, again: mostRepeats, count: 1}
		if role == many {
			t.count = manyOf
		}
		if opt.quick {
			t.again = 0 // a short probe strays on any machine, and the bound is loose
		}
		tasks = append(tasks, t)
	}
	for _, format := range formats {
		r := plain
		if opt.full {
			r = small
		}
		add(format, opt.small, r, opt.rounds, "")
	}
	if opt.full {
		add(customers.CSV, opt.small, several, opt.rounds, fmt.Sprintf(" in %d data files of one package", severalOf))
		add(customers.CSV, opt.small, many, opt.largeRounds, fmt.Sprintf(" in %s packages", figures.Thousands(manyOf)))
		add(customers.CSV, opt.large, large, opt.largeRounds, "")
		add(customers.XMLElement, opt.large, large, opt.largeRounds, "")
		add(customers.XMLAttribute, opt.large, large, opt.largeRounds, "")
	}
	if opt.huge > 0 {
		add(customers.CSV, opt.huge, huge, 1, ", once")
	}
	return tasks
}

// oneFile says whether the task is one package with one data file, as most
// contestants want it.
func (t *task) oneFile() bool { return t.role != several && t.role != many }

// make writes the packages into the folder.
func (t *task) make(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	all := sha256.New()
	for i := range t.count {
		name := filepath.Join(folder, fmt.Sprintf("%04d.zip", i+1))
		if err := t.makePackage(name, uint64(i+1), int64(t.size)/int64(t.count), all); err != nil {
			return fmt.Errorf("make %s: %w", filepath.Base(name), err)
		}
		t.inputs = append(t.inputs, name)
	}
	t.sum = hex.EncodeToString(all.Sum(nil))
	return nil
}

func (t *task) makePackage(name string, seed uint64, size int64, all hash.Hash) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	both := &counter{w: io.MultiWriter(f, all)}
	var rows int
	if t.role == several {
		rows, err = customers.WriteSeveral(both, t.format, severalOf, size/severalOf, seed)
	} else {
		rows, err = customers.WritePackage(both, t.format, size, seed)
	}
	t.rows, t.zipped = t.rows+rows, t.zipped+both.n
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// describe says what the data are.
func (t *task) describe() string {
	return fmt.Sprintf("%s rows of %d columns, %s of %s in %s of zip (SHA-256 %s…), %s.",
		figures.Thousands(float64(t.rows)), len(customers.Columns()), t.size, labels[t.format], megabytes(t.zipped), t.sum[:12], rounds(t.rounds))
}

func megabytes(n int64) string {
	switch {
	case n < 10e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

func mebibytes(n int64) string {
	if n < 100<<20 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

func rounds(n int) string {
	if n == 1 {
		return "1 round"
	}
	return fmt.Sprintf("%d rounds", n)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/exporter/outputs"
	"finrelay/exporter/unpack"
	"finrelay/flows"
)

// flowSays are the flags for what a flow says itself.
var flowSays = []string{
	"read", "sheet", "delimiter", "quote", "encoding", "child", "no-header", "replace-undecodable", "strict", "select", "schema",
}

// useFlow has the run try a flow of the configuration.
func (cv *conversion) useFlow(c *cobra.Command) error {
	for _, name := range flowSays {
		if c.Flags().Changed(name) {
			return usage(fmt.Errorf("--%s and --flow are two ways to say one thing: the flow says how its files are read and what becomes of their rows", name))
		}
	}
	cfg, err := cv.app.lookAtFile("flows")
	if err != nil {
		return err
	}
	relay, err := cv.app.buildRelay(nil, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return usage(err)
	}
	if names := relay.FlowNames(); !slices.Contains(names, cv.flow) {
		return usage(fmt.Errorf("no flow %q in the configuration; there are: %s", cv.flow, dash(joined(names))))
	}
	cv.trying = relay
	return nil
}

// takenBy keeps the data files of a package that the flow takes by their entity,
// and names the others.
func (cv *conversion) takenBy(members []unpack.Member, name string) []unpack.Member {
	return slices.DeleteFunc(members, func(m unpack.Member) bool {
		if m.Name == "" {
			return false // a bare file does not tell its entity
		}
		why := cv.trying.FlowTakes(cv.flow, m.Entity, m.TargetEntity)
		if why != "" {
			cv.note(fmt.Sprintf("%s: %s is left out, flow %s does not take it: %s", name, m.Name, cv.flow, why))
		}
		return why != ""
	})
}

// try takes one data file the way of a delivery. What would be parked is not
// written anywhere.
func (cv *conversion) try(ctx context.Context, from data, out string) error {
	facts := newFacts(from)
	defer cv.progress.clear()
	to := cmp.Or(out, "standard output")
	trial, err := cv.trying.Try(ctx, cv.flow, flows.TrialFile{
		Name: from.name, Entity: from.entity, TargetEntity: from.target, TempFolder: os.TempDir(),
		Open: func() (io.ReadCloser, error) {
			r, err := from.again()
			if err != nil {
				return nil, err
			}
			return watchedFile{cv.progress.watch(r), r}, nil
		},
		To: to, Begin: func() (outputs.Writer, error) { return cv.beginTrial(out) },
	})
	if err != nil {
		return err
	}
	for _, place := range trial.Places {
		cv.showBad(place)
	}
	if trial.Reason != "" {
		why, _, _ := strings.Cut(trial.Detail, ":\n") // the places are said
		return fmt.Errorf("%s: flow %s would park it (%s): %s", from.name, cv.flow, trial.Reason, why)
	}
	if trial.Notes != "" {
		cv.note(from.name + ": " + trial.Notes)
	}
	cv.badRows += trial.BadRows
	f := facts.done(trial.Result, nil)
	f.Rows, f.BadRows, f.Columns = trial.Rows, trial.BadRows, append([]string{}, trial.Columns...)
	cv.files = append(cv.files, f)
	return nil
}

// watchedFile counts what is read of a file.
type watchedFile struct {
	io.Reader
	io.Closer
}

// beginTrial keeps the rows in a temporary file, beside the one that they will
// be if there is to be one: nobody sees those of a file that would be parked.
func (cv *conversion) beginTrial(out string) (outputs.Writer, error) {
	w := &trialWriter{cv: cv, out: out}
	var err error
	if becomesFile(out) {
		w.file, err = os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*.tmp")
	} else {
		w.file, _, err = tempFile()
	}
	if err != nil {
		return nil, err
	}
	w.rows = newRowWriter(w.file, cv.target.format == "json")
	return w, nil
}

// trialWriter takes the rows of one data file to where convert puts them, once
// they would land.
type trialWriter struct {
	cv   *conversion
	out  string   // file; "" is standard output
	file *os.File // nil after the end
	rows *rowWriter
}

func (w *trialWriter) Block(lines []byte, rows int) error {
	w.cv.progress.add(0, int64(rows))
	return w.rows.Block(lines, rows)
}

// BadRow writes nothing: what is set aside is named.
func (w *trialWriter) BadRow([]byte) error { return nil }

func (w *trialWriter) Commit(context.Context, outputs.Facts) (outputs.Receipt, error) {
	if err := w.rows.end(); err != nil {
		return outputs.Receipt{}, err
	}
	if becomesFile(w.out) {
		err := errors.Join(w.file.Sync(), w.file.Chmod(0o644), os.Rename(w.file.Name(), w.out))
		return outputs.Receipt{Path: w.out}, err
	}
	if _, err := w.file.Seek(0, io.SeekStart); err != nil {
		return outputs.Receipt{}, err
	}
	return outputs.Receipt{}, w.copyOut()
}

// copyOut gives the rows to standard output, or to a pipe or device.
func (w *trialWriter) copyOut() error {
	w.cv.progress.clear()
	if w.out == "" {
		_, err := io.Copy(w.cv.app.stdout, w.file)
		return err
	}
	to, err := os.OpenFile(w.out, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, w.file)
	return errors.Join(err, to.Close())
}

// Abort removes the temporary file, unless it has taken its place.
func (w *trialWriter) Abort() error {
	if w.file == nil {
		return nil
	}
	w.rows.release()
	err := w.file.Close()
	_ = os.Remove(w.file.Name()) // gone when the rows are in their place, or never had a name
	w.file = nil
	return err
}

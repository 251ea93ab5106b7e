package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/cmd/finrelay/ris"
)

func (a *app) importFrom() *cobra.Command {
	c := group(&cobra.Command{Use: "import", Short: "Make a configuration from another program's"})
	c.AddCommand(a.importRIS())
	return c
}

func (a *app) importRIS() *cobra.Command {
	var target string
	c := &cobra.Command{
		Use:   "ris SCHEDULE.XML",
		Short: "Move in from Microsoft's Recurring Integrations Scheduler",
		Long: `ris reads the scheduler's Schedule.xml and writes a configuration: each download
job becomes a flow that polls the same queue by the same schedule, and what
export jobs run becomes flows that run the same data projects. Nothing is asked
of FinOps. Secrets cannot move; what else needs a person is listed on standard
error and at the end of the configuration.

Do not let both programs poll one queue or run one data project:
docs/import-ris.md says how to compare them side by side.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.runImportRIS(args[0], target) },
	}
	c.Flags().StringVarP(&target, "output", "o", "", "write the configuration to this file, which must not exist yet (default standard output)")
	return c
}

func (a *app) runImportRIS(path, target string) error {
	res, err := readRIS(path)
	if err != nil {
		return err
	}
	if target == "" {
		_, err = a.stdout.Write(res.YAML)
	} else {
		err = writeNew(target, res.YAML)
	}
	if err != nil {
		return err
	}
	for _, n := range res.Notes {
		fmt.Fprintln(a.stderr, "for a person:", printable(n))
	}
	if res.Flows == 0 {
		return fmt.Errorf("%s: no download or export job in it that finrelay can take over", path)
	}
	return nil
}

// readRIS converts a schedule and makes sure that what comes out is a
// configuration.
func readRIS(path string) (ris.Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return ris.Result{}, err
	}
	defer f.Close()
	res, err := ris.Convert(io.Reader(f), filepath.Base(path))
	if err != nil {
		return res, fmt.Errorf("read %s: %w", path, err)
	}
	secrets := func(name string) (string, bool) { return "not known yet", slices.Contains(res.Variables, name) }
	if _, err := config.Parse(defaultFile, res.YAML, secrets); err != nil {
		return res, fmt.Errorf("%s holds something that this version cannot write as a configuration; please report it with the file, secrets removed: %w", path, err)
	}
	return res, nil
}

// writeNew writes a file that is not there yet: a configuration that somebody
// has worked on is not overwritten.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage(fmt.Errorf("%s exists already: name another file with -o, or move it away", path))
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/web"
)

func (a *app) outputs() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "output",
		Short: "Where rows go: how each place stands, and a new place for an output",
		Long: `An output's folder is known by the marker in it, a file .finrelay-output-NAME that is
written before the first export lands. Where the disk is not mounted an empty folder has
the same path: without the marker nothing is written or removed there, and exports wait
(output_missing) until the folder is back.`,
	})
	c.AddCommand(a.outputList(), a.outputAdopt())
	return c
}

func (a *app) outputList() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List outputs with their places: there, new, or missing",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(s *session) error {
				all, err := s.Outputs(c.Context())
				if err != nil {
					return err
				}
				return a.print(all, func() error { return a.drawOutputs(all) })
			})
		},
	}
	a.addOutput(c)
	return c
}

func (a *app) drawOutputs(all []flows.OutputStand) error {
	var rows [][]string
	for _, o := range all {
		rows = append(rows, []string{o.Output, o.Place, o.Stands, ago(o.Since)})
	}
	if err := table(a.stdout, []string{"OUTPUT", "PLACE", "STANDS", "SINCE"}, rows); err != nil {
		return err
	}
	for _, o := range all {
		if o.Detail != "" {
			fmt.Fprintf(a.stdout, "\noutput %s: %s\n    next: %s\n", o.Output, oneLine(o.Detail), oneLine(o.Next))
		}
	}
	return nil
}

func (a *app) outputAdopt() *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use:   "adopt OUTPUT",
		Short: "Accept the folder that is there now as an output's place",
		Long: `adopt is for a place that is another one on purpose: a replaced disk under the same path,
a folder whose marker was lost, or one that another installation had. The marker that is in
the folder counts from now on; where there is none, one is written. The journal has who
said so. When only a mount is missing, mount it instead: what waits goes on by itself.

A folder that does not exist is refused. What waits for the output is tried at once, and
adopt looks for a while at what comes of it, as finrelay retry does. It exits with 3 when
something waits again, with 1 when it was refused.`,
		Example: "  finrelay output adopt lake",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(s *session) error {
				adopted, err := s.AdoptOutput(c.Context(), web.AdoptRequest{Output: args[0]})
				if err != nil {
					return err
				}
				if err := a.print(adopted, func() error { return a.drawAdoption(adopted) }); err != nil {
					return err
				}
				return a.finishRetry(c.Context(), s, adopted.Retry, wait)
			})
		},
	}
	c.Flags().DurationVar(&wait, "wait", retryWait, "look this long at what a running server makes of it; 0 does not look")
	a.addOutput(c)
	return c
}

func (a *app) drawAdoption(o flows.Adoption) error {
	switch {
	case o.Was == o.Marker:
		fmt.Fprintf(a.stdout, "%s is the place of output %s already: its marker is there\n", oneLine(o.Place), o.Output)
	case o.Found:
		fmt.Fprintf(a.stdout, "%s is the place of output %s from now on: the marker that was there counts\n", oneLine(o.Place), o.Output)
	default:
		fmt.Fprintf(a.stdout, "%s is the place of output %s from now on: its marker was written\n", oneLine(o.Place), o.Output)
	}
	if o.Was != "" && o.Was != o.Marker {
		fmt.Fprintln(a.stdout, "what landed in the old place stays there; finrelay rerun lands an export again, here")
	}
	return a.drawRetry(o.Retry)
}

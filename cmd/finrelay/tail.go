package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/state"
)

// tailEvery is how often the journal is asked for more.
const tailEvery = 300 * time.Millisecond

func (a *app) tail() *cobra.Command {
	var fromStart bool
	c := &cobra.Command{
		Use:   "tail",
		Short: "Follow the journal: every step of every export as it happens",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withLook(c.Context(), func(s *session) error {
				after := int64(0)
				if !fromStart {
					last, err := s.LastEntry(c.Context())
					if err != nil {
						return err
					}
					after = last
				}
				var failed error
				err := s.Follow(c.Context(), after, tailEvery, func(e state.JournalEntry) bool {
					failed = a.tailLine(e)
					return failed == nil
				})
				if c.Context().Err() != nil {
					return nil // the way to end it
				}
				if failed != nil {
					return failed
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&fromStart, "all", false, "begin with the first entry, not with the next")
	a.addOutput(c)
	return c
}

func (a *app) tailLine(e state.JournalEntry) error {
	if a.output == "json" {
		return printJSON(a.stdout, e)
	}
	row := storyRow(e)
	for i := range row {
		row[i] = oneLine(row[i])
	}
	_, err := a.stdout.Write([]byte(strings.Join(row, "  ") + "\n"))
	return err
}

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/state"
)

// tailEvery is how often the journal is asked for more.
const tailEvery = 300 * time.Millisecond

func (a *app) tail() *cobra.Command {
	var f state.JournalFilter
	var kinds []string
	var fromStart bool
	c := &cobra.Command{
		Use:   "tail",
		Short: "Follow the journal: every step of every export as it happens",
		Long: `tail prints each step as it happens, with time, kind, id, the states before and
after, reason and detail. --output json gives one object a line.

What a package holds is known when it is opened: its steps before that are of no
entity and no flow.`,
		Example: `  finrelay tail --all --entity "Cust*" --kind export,delivery
  finrelay tail -o json | jq 'select(.reason)'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, k := range kinds {
				if !slices.Contains(state.Kinds, state.Kind(k)) {
					return usage(fmt.Errorf("--kind %q: it is one of %s", k, kindNames()))
				}
				f.Kinds = append(f.Kinds, state.Kind(k))
			}
			return a.withLook(c.Context(), func(s *session) error {
				if err := a.sayNoEntity(c.Context(), s, "nothing so far", f.Entity); err != nil {
					return err
				}
				after := int64(0)
				if !fromStart {
					last, err := s.LastEntry(c.Context())
					if err != nil {
						return err
					}
					after = last
				}
				var failed error
				err := s.FollowOf(c.Context(), f, after, tailEvery, func(e state.JournalEntry) bool {
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
	c.Flags().StringVar(&f.Environment, "environment", "", "only this environment")
	c.Flags().StringVar(&f.Entity, "entity", "", entityFlag)
	c.Flags().StringVar(&f.Flow, "flow", "", "only what this flow takes")
	c.Flags().StringSliceVar(&kinds, "kind", nil, "only these kinds, by comma: "+kindNames())
	complete(c, "kind", strings.Split(kindNames(), ", ")...)
	a.addOutput(c)
	return c
}

func kindNames() string {
	names := make([]string, len(state.Kinds))
	for i, k := range state.Kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

func (a *app) tailLine(e state.JournalEntry) error {
	if a.output == "json" {
		lines := json.NewEncoder(a.stdout)
		lines.SetEscapeHTML(false)
		return lines.Encode(e)
	}
	row := storyRow(e)
	for i := range row {
		row[i] = oneLine(row[i])
	}
	_, err := a.stdout.Write([]byte(strings.Join(row, "  ") + "\n"))
	return err
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

func (a *app) skip() *cobra.Command {
	var f filterFlags
	var why string
	var dry bool
	c := &cobra.Command{
		Use:   "skip ID... | --entity NAME | --environment NAME | --reason REASON | --state STATE, --why TEXT",
		Short: "Take something off the list: its rows are not needed or came another way",
		Long: `skip closes parked exports, parked or expired shipments, unreadable events, and
failed or stuck runs of data projects. Nothing is deleted; who skipped it and why
stays in its story.

Without ids it takes what the flags find, as rerun does; at least one of --entity,
--environment, --state and --reason is needed. See first with --dry-run.

It exits with 3 when some were refused and others skipped; with 1 when all were
refused and nothing was done.`,
		Example: `  finrelay skip ex_1a2b3c4d5e6f7g8h --why "came with the full push"
  finrelay skip --reason possible_duplicate --entity "Cust*" --since 2026-11-30 --dry-run`,
		RunE: func(c *cobra.Command, args []string) error {
			selected, err := f.selection("skip", args)
			if err != nil {
				return err
			}
			if strings.TrimSpace(why) == "" && !dry {
				return usage(errors.New("say why with --why: the next person will ask"))
			}
			return a.with(c.Context(), func(s *session) error {
				done, err := s.Skip(c.Context(), web.SkipRequest{Selection: selected, Why: why, DryRun: dry})
				if err == nil && len(done) == 0 {
					err = a.sayNoEntity(c.Context(), s, "nothing", f.entity)
				}
				if err != nil {
					return err
				}
				if err := a.print(done, func() error { return a.drawSkipped(done, len(args) > 0, dry) }); err != nil {
					return err
				}
				refused := 0
				for _, d := range done {
					if !d.Skipped {
						refused++
					}
				}
				return refusals(len(done)-refused, refused)
			})
		},
	}
	f.add(c, state.Parked, state.Expired, state.Unreadable, state.Failed, state.Stuck)
	c.Flags().StringVar(&why, "why", "", "the reason, kept in the story")
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would be skipped and change nothing")
	a.addOutput(c)
	return c
}

// drawSkipped says what was done: of named things a line each, what was refused
// on standard error.
func (a *app) drawSkipped(done []flows.Skipping, named, dry bool) error {
	if len(done) == 0 {
		_, err := fmt.Fprintln(a.stdout, "nothing to skip")
		return err
	}
	skipped := "skipped"
	if dry {
		skipped = "would be skipped"
	}
	var rows [][]string
	for _, d := range done {
		switch {
		case named && d.Skipped:
			fmt.Fprintln(a.stdout, d.ID, skipped)
		case named:
			a.complain(errors.New(d.Refusal))
		case d.Skipped:
			rows = append(rows, []string{d.ID, dash(d.Entity), string(d.Was), dash(string(d.Reason)), skipped})
		default:
			rows = append(rows, []string{d.ID, dash(d.Entity), string(d.Was), dash(string(d.Reason)), "refused: " + d.Refusal})
		}
	}
	if named {
		return nil
	}
	return table(a.stdout, []string{"ID", "ENTITY", "WAS", "REASON", "RESULT"}, rows)
}

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

func (a *app) seen() *cobra.Command {
	var q web.SeenRequest
	var remark string
	c := &cobra.Command{
		Use:   "seen ID... | --remark WORD",
		Short: "Say that you have looked at what exports landed with",
		Long: `An export may land and still have something to tell: FinOps announced another number
of rows, rows were set aside, an encoding was guessed. finrelay status lists such
remarks until a person has looked; seen says that you have. Nothing else changes: the
remark stays with the export, and its story tells who looked. When the export lands
again, by finrelay rerun, what is still so is listed again.

With --remark it is said of all exports that have it; of the other remarks that such
an export may have nothing is said.`,
		Example: `  finrelay seen ex_1a2b3c4d5e6f7g8h
  finrelay seen --remark row_mismatch --entity "Customer groups"`,
		RunE: func(c *cobra.Command, args []string) error {
			q.IDs, q.Remark = args, state.Remark(remark)
			narrowed := q.Environment != "" || q.Entity != ""
			switch {
			case (remark == "") == (len(args) == 0), len(args) > 0 && narrowed:
				return usage(errors.New("name ids of exports, or a remark with --remark (--environment and --entity leave out some)"))
			case remark != "":
				if err := knownRemark(remark); err != nil {
					return err
				}
			}
			return a.with(c.Context(), func(s *session) error {
				all, err := s.Seen(c.Context(), q)
				if err == nil && len(all) == 0 {
					err = a.sayNoEntity(c.Context(), s, "nothing", q.Entity)
				}
				if err != nil {
					return err
				}
				if err := a.print(all, func() error { return a.drawSeen(all) }); err != nil {
					return err
				}
				refused := 0
				for _, one := range all {
					if one.Refusal != "" {
						refused++
					}
				}
				return refusals(len(all)-refused, refused)
			})
		},
	}
	c.Flags().StringVar(&remark, "remark", "", "all exports that landed with this remark: "+strings.Join(remarkWords(), ", "))
	complete(c, "remark", remarkWords()...)
	c.Flags().StringVar(&q.Environment, "environment", "", "with --remark: only this environment")
	c.Flags().StringVar(&q.Entity, "entity", "", "with --remark: "+entityFlag)
	a.addOutput(c)
	return c
}

func (a *app) drawSeen(all []flows.Seen) error {
	if len(all) == 0 {
		fmt.Fprintln(a.stdout, "no landed export has it that nobody has looked at")
	}
	for _, s := range all {
		result := "looked at: " + strings.ReplaceAll(s.Remarks.String(), " ", ", ")
		if s.Refusal != "" {
			result = s.Refusal
		}
		fmt.Fprintf(a.stdout, "%s  %s  %s\n", s.ID, oneLine(dash(s.Entity)), oneLine(result))
	}
	return nil
}

// drawRemarks says, once for each remark, what landed with it and what to press.
func (a *app) drawRemarks(remarks []web.RemarkView) {
	for _, r := range remarks {
		quiet := ""
		if !r.Alerts {
			quiet = "; not counted by --check (alert_on)"
		}
		fmt.Fprintf(a.stdout, "\nlanded with a remark: %s: %s, since %s (%s)%s\n", r.Remark, plural(r.Exports, "export", "exports"), ago(r.Since), showTime(r.Since), quiet)
		fmt.Fprintf(a.stdout, "    next: %s\n", oneLine(r.Next))
		fmt.Fprintf(a.stdout, "    each: finrelay exports --unseen --remark %s\n", r.Remark)
		fmt.Fprintf(a.stdout, "    looked at: finrelay seen --remark %s\n", r.Remark)
	}
}

// remarksText gives an export's remarks, and those that are still to be looked at.
func remarksText(e state.Export) string {
	text := strings.ReplaceAll(e.Remarks.String(), " ", ", ")
	switch {
	case len(e.Unseen) == 0:
		return text
	case len(e.Unseen) == len(e.Remarks):
		return text + "; nobody has looked"
	}
	return text + "; nobody has looked at " + strings.ReplaceAll(e.Unseen.String(), " ", ", ")
}

func remarkWords() []string { return strings.Fields(state.AllRemarks().String()) }

// knownRemark refuses a word that is no remark.
func knownRemark(word string) error {
	if slices.Contains(remarkWords(), word) {
		return nil
	}
	return usage(fmt.Errorf("--remark %q: it is one of %s", word, strings.Join(remarkWords(), ", ")))
}

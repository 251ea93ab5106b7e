package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"finrelay/web"
)

func (a *app) environment() *cobra.Command {
	c := group(&cobra.Command{Use: "environment", Short: "What concerns a whole FinOps instance"})
	reset := &cobra.Command{
		Use:   "reset ENVIRONMENT",
		Short: "Start a new epoch after a database refresh",
		Long: `After a FinOps database was restored or refreshed, its event ids and counters may
repeat for different exports. reset starts a new epoch: what was seen before does
not make a duplicate any more. Nothing that is stored or landed is touched. It says
how much that is, or that there was nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(s *session) error {
				e, err := s.ResetEnvironment(c.Context(), args[0], "")
				if err != nil {
					return err
				}
				return a.print(e, func() error { return a.drawReset(e) })
			})
		},
	}
	a.addOutput(reset)
	c.AddCommand(reset)
	return c
}

// drawReset says what the reset made forgotten, and what it did not touch.
func (a *app) drawReset(e web.Epoch) error {
	was := e.Forgotten
	fmt.Fprintf(a.stdout, "%s is in epoch %d: ids that FinOps sends from now on are new ones\n", e.Environment, e.Epoch)
	if was.Events+was.Messages == 0 {
		since := ""
		if !was.Since.IsZero() {
			since = fmt.Sprintf(", which began %s", agoOrNever(was.Since))
		}
		_, err := fmt.Fprintf(a.stdout, "nothing was seen of it in epoch %d%s: there was nothing to forget\n", was.Epoch, since)
		return err
	}
	fmt.Fprintf(a.stdout, "of epoch %d make no duplicate any more: %s", was.Epoch, plural(was.Events, "event", "events"))
	if was.Events > 0 {
		fmt.Fprintf(a.stdout, " (the last seen %s)", agoOrNever(was.LastSeen))
	}
	fmt.Fprintf(a.stdout, ", %s\n", plural(was.Messages, "queue message", "queue messages"))
	if was.Unacked > 0 {
		fmt.Fprintf(a.stdout, "not acknowledged yet: %d of these; if FinOps hands them out again, they land a second time\n", was.Unacked)
	}
	_, err := fmt.Fprintln(a.stdout, "untouched: all that is stored, landed or on the list; checkpoints; a queue's backlog decision")
	return err
}

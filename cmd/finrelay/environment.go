package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/web"
)

func (a *app) environment() *cobra.Command {
	c := group(&cobra.Command{Use: "environment", Short: "What concerns a whole FinOps instance"})
	var yes bool
	reset := &cobra.Command{
		Use:   "reset ENVIRONMENT",
		Short: "Start a new epoch after a database refresh",
		Long: `After a FinOps database was restored or refreshed, its event ids and counters may
repeat for different exports. reset starts a new epoch: what was seen before does
not make a duplicate any more. Nothing that is stored or landed is touched. It says
how much that is, or that there was nothing.

It cannot be taken back, so it asks first on a terminal, and elsewhere needs --yes.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(s *session) error {
				if !yes {
					if err := a.confirmReset(c.Context(), s, args[0]); err != nil {
						return err
					}
				}
				e, err := s.ResetEnvironment(c.Context(), args[0], "")
				if err != nil {
					return err
				}
				return a.print(e, func() error {
					fmt.Fprintf(a.stdout, "%s is in epoch %d: ids that FinOps sends from now on are new ones\n", e.Environment, e.Epoch)
					if !yes {
						return nil // the rest was said before
					}
					drawForgotten(a.stdout, e, "make no duplicate any more", "there was nothing to forget")
					return nil
				})
			})
		},
	}
	reset.Flags().BoolVar(&yes, "yes", false, "do not ask")
	a.addOutput(reset)
	c.AddCommand(reset)
	return c
}

// confirmReset shows what a reset makes forgotten and asks; where nobody can
// answer, the word must be given by a flag.
func (a *app) confirmReset(ctx context.Context, s *session, name string) error {
	e, err := s.Epoch(ctx, name)
	if err != nil {
		return err
	}
	drawForgotten(a.stderr, e, "will make no duplicate any more", "there is nothing to forget")
	if !isTerminal(a.stdin) {
		return usage(fmt.Errorf("nothing was changed: say that this is wanted with finrelay environment reset %s --yes", name))
	}
	fmt.Fprintf(a.stderr, "FinOps' database of %s was restored or refreshed, and a new epoch shall begin? Type yes: ", name)
	answer, err := answerOf(ctx, a.stdin)
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

// answerOf reads up to the end of a line, or until ctx ends: the read goes on
// then, but the process does not.
func answerOf(ctx context.Context, r io.Reader) (string, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(r).ReadString('\n') // cut short is no yes
		line <- text
	}()
	select {
	case text := <-line:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// drawForgotten says what a reset makes forgotten, and what it does not touch.
func drawForgotten(w io.Writer, e web.Epoch, makeNone, nothing string) {
	was := e.Forgotten
	if was.Events+was.Messages == 0 {
		since := ""
		if !was.Since.IsZero() {
			since = fmt.Sprintf(", which began %s", agoOrNever(was.Since))
		}
		fmt.Fprintf(w, "nothing was seen of it in epoch %d%s: %s\n", was.Epoch, since, nothing)
		return
	}
	fmt.Fprintf(w, "of epoch %d %s: %s", was.Epoch, makeNone, plural(was.Events, "event", "events"))
	if was.Events > 0 {
		fmt.Fprintf(w, " (the last seen %s)", agoOrNever(was.LastSeen))
	}
	fmt.Fprintf(w, ", %s\n", plural(was.Messages, "queue message", "queue messages"))
	if was.Unacked > 0 {
		fmt.Fprintf(w, "not acknowledged yet: %d of these; if FinOps hands them out again, they land a second time\n", was.Unacked)
	}
	fmt.Fprintln(w, "untouched: all that is stored, landed or on the list; checkpoints; a queue's backlog decision")
}

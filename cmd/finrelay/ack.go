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

func (a *app) ack() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use:   "ack MESSAGE --why TEXT",
		Short: "Take what came of a queue's message for all of it, and let FinOps forget the message",
		Long: `finrelay acknowledges a message of a queue when its file is proved to be the export,
whole. What is not proved is downloaded again and again, and FinOps keeps it for seven
days. ack is for a person who knows better:

  - What came may be the export, and is kept ("finrelay shipments show" names the file):
    it is opened as it is, and its rows land.
  - Only a page or an error document came, or nothing: the message is closed, and its
    rows come again with a full push only.

Either way FinOps is told with the first receipt that counts: at once, or when the
queue hands the message out again, within half an hour of the last time. Who said so
and why stays in the story.

MESSAGE is the id of its shipment (sh_...) or its correlation id as FinOps shows it.
For a link whose file is kept and in doubt, ack takes the file; there is no message.`,
		Example: `  finrelay ack sh_1a2b3c4d5e6f7g8h --why "compared with FinOps: the file ends there"
  finrelay ack 7d9a2f10-5f0e-4b43-9a0c-0305e82c3301 --why "full push at 03:40"`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(why) == "" {
				return usage(errors.New("say why with --why: once FinOps is told, nobody has the file any more but you"))
			}
			return a.with(c.Context(), func(s *session) error {
				taken, err := s.Ack(c.Context(), web.AckRequest{Message: args[0], Why: why})
				if err != nil {
					return err
				}
				if err := a.print(taken, func() error { return a.drawTaken(taken, s.relay == nil) }); err != nil {
					return err
				}
				return a.finish(c.Context(), s, []flows.Rerun{{ID: taken.Shipment, Queued: true}}, 0)
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, kept in the story")
	a.addOutput(c)
	return c
}

// drawTaken says what was done. served: a server runs, which sends the ack.
func (a *app) drawTaken(t flows.Taken, served bool) error {
	what := "closed: nothing that may be the export is here"
	if t.File != "" {
		what = "taken as it is: " + t.File
	}
	switch t.Message {
	case "":
	case state.Held:
		what += "\nFinOps is told when its exports are at rest"
	case state.Due:
		what += "\nFinOps is told now"
		if !served {
			what = strings.TrimSuffix(what, "now") + "when finrelay runs the next time, as serve or poll"
		}
	case state.Acked, state.Assumed:
		what += "\nFinOps has been told before"
	default:
		what += "\nFinOps is told when its queue hands the message out again, within half an hour of the last time"
	}
	_, err := fmt.Fprintf(a.stdout, "%s %s\n", t.Shipment, what)
	return err
}

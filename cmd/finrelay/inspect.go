package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
)

func (a *app) inspect() *cobra.Command {
	var environment string
	c := &cobra.Command{
		Use:   "inspect FILE|-",
		Short: "Say what is understood of an event body, which flow takes it, and why",
		Long: `inspect reads a body as the door would, stores nothing and contacts nobody. It shows
each field as it was understood, the identity that makes a duplicate, whether the
link's host is allowed, and each flow's answer. Of an event in which no link is found
it names the fields that look like one, and the setting that names them.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			body, err := a.readBody(args[0])
			if err != nil {
				return err
			}
			all, err := a.inspectBody(c.Context(), environment, body)
			if err != nil {
				return err
			}
			if err := a.print(all, func() error { return a.drawInspections(all) }); err != nil {
				return err
			}
			for _, i := range all {
				if !i.Readable {
					return &codedError{code: exitFailed}
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&environment, "environment", "", "the environment it would be sent to (default: the only one configured, else \"prod\")")
	a.addOutput(c)
	return c
}

func (a *app) readBody(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.stdin)
	}
	return os.ReadFile(name)
}

// inspectBody needs the configuration only; an empty ledger in a folder of its
// own serves, so that a running server is not asked and nothing is left behind.
func (a *app) inspectBody(ctx context.Context, environment string, body []byte) (all []flows.Inspection, err error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	if environment == "" {
		environment = "prod"
		if len(cfg.Environments) == 1 {
			for name := range cfg.Environments {
				environment = name
			}
		}
	}
	folder, err := os.MkdirTemp("", "finrelay-inspect-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	db, err := state.OpenLedger(ctx, folder, state.Options{AnyFilesystem: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	relay, err := a.buildRelay(db, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, usage(err)
	}
	if !relay.KnowsEnvironment(environment) {
		return nil, usage(fmt.Errorf("environment %q is not configured", environment))
	}
	return relay.Inspect(ctx, environment, body), nil
}

// drawLinkFields says where the link may be of an event in which none was found.
func (a *app) drawLinkFields(i flows.Inspection) {
	var places []string
	for _, f := range i.LinkFields {
		places = append(places, f.Path+" ("+f.Host+")")
	}
	a.field("like a link", strings.Join(places, "\n"))
	a.field("next", i.Next)
}

func (a *app) drawInspections(all []flows.Inspection) error {
	for n, i := range all {
		if n > 0 {
			fmt.Fprintln(a.stdout)
		}
		if !i.Readable {
			a.field("unreadable", i.Problem)
			a.field("would be", "stored, answered with 202 and put on the list as unreadable")
			a.drawLinkFields(i)
			continue
		}
		a.field("kind", string(i.Kind))
		a.field("would be", strings.TrimSpace(i.State+" "+i.Reason))
		a.field("entity", i.Entity)
		a.field("company", i.LegalEntity)
		a.field("class", i.BusinessID)
		a.field("event id", i.EventID)
		a.field("control no", number(i.Control))
		a.field("rec id", number(i.RecID))
		a.field("event time", showTime(i.EventTime))
		a.field("announced", number(i.Rows))
		a.field("execution", i.Execution)
		a.field("project", i.Project)
		a.field("link", i.Link)
		a.field("link from", showTime(i.LinkFrom))
		a.field("link until", showTime(i.LinkUntil))
		a.field("link refused", i.LinkRefusal)
		a.drawLinkFields(i)
		a.field("identity", i.Identity)
		a.field("warnings", strings.Join(i.Warnings, "\n"))
		a.field("condition", i.ConditionErr)
		for _, f := range i.Flows {
			verdict := "no:  "
			if f.Takes {
				verdict = "yes: "
			}
			a.field("flow "+f.Flow, verdict+f.Why)
		}
		if i.State == string(state.Accepted) && len(i.TakenBy) == 0 {
			a.field("taken by", "no flow: its file would be fetched, kept and put on the list")
		}
	}
	return nil
}

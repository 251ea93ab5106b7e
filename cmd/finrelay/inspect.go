package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
		Use:   "inspect FILE|-|EVENT-ID",
		Short: "Say what is understood of an event body, which flow takes it, and why",
		Long: `inspect reads a body as the door would, stores nothing and contacts nobody. It shows
each field as it was understood, the identity that makes a duplicate, whether the
link's host is allowed, and each flow's answer. Of an event in which no link is found
it names the fields that look like one, and the setting that names them.

Of an event (ev_…, the start of the id is enough) it reads the body that the ledger
keeps, with the configuration as the file has it now, whatever a running server
still goes by.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := a.inspectWhat(c.Context(), environment, args[0])
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

// inspectWhat reads an event of the ledger, unless a file has its name.
func (a *app) inspectWhat(ctx context.Context, environment, what string) ([]flows.Inspection, error) {
	if _, err := os.Stat(what); errors.Is(err, fs.ErrNotExist) && state.KindOf(what) == state.KindEvent {
		return a.inspectEvent(ctx, environment, what)
	}
	body, err := a.readBody(what)
	if err != nil {
		return nil, err
	}
	return a.inspectBody(ctx, environment, body)
}

func (a *app) inspectEvent(ctx context.Context, environment, id string) (all []flows.Inspection, err error) {
	if environment != "" {
		return nil, usage(errors.New("--environment is for a file; an event is read for the environment that it came to"))
	}
	cfg, err := a.lookAtFile("match", "doors", "environments", "flows")
	if err != nil {
		return nil, err
	}
	db, relay, err := a.openToLook(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	e, all, err := relay.InspectEvent(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.output != "json" {
		a.field("event", e.ID)
		a.field("environment", e.Environment)
		a.field("is", stateAndReason(e.State, e.Reason))
		a.field("next", relay.EventWhereabouts(e).Next)
		fmt.Fprintln(a.stdout)
	}
	return all, nil
}

func (a *app) readBody(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.stdin)
	}
	return os.ReadFile(name)
}

// inspectBody needs the configuration only, and no ledger.
func (a *app) inspectBody(ctx context.Context, environment string, body []byte) ([]flows.Inspection, error) {
	cfg, err := a.lookAtFile("match", "doors", "environments", "flows")
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
	relay, err := a.buildRelay(nil, cfg, slog.New(slog.DiscardHandler))
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

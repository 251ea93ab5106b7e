package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

func (a *app) export() *cobra.Command {
	var q flows.ExportRequest
	var wait time.Duration
	c := &cobra.Command{
		Use:   "export PROJECT",
		Short: "Have FinOps run an export data project, and land its package",
		Long: `export asks FinOps, through its package API, to run a data project: once for each
company, one after the other, because FinOps cannot run one project twice at a
time. The package is fetched and its entities are routed like any others.

The execution id is chosen and stored before FinOps is called; after a lost answer
FinOps is asked about it, and never is a run started blindly twice. A run of an
incremental project moves FinOps' marker: its rows do not come again.

With a running server the work is done there; without one it is done here before
the command ends. A sign-in that FinOps refuses ends the wait at once, with exit code 4;
the run stays among finrelay executions and goes on when sign_in is corrected.`,
		Example: `  finrelay export "Nightly customers" --environment prod --legal-entity usmf --legal-entity demf`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			q.Project = args[0]
			return a.withLedger(c.Context(), func(s *session) error { return a.runExport(c.Context(), s, q, wait) })
		},
	}
	c.Flags().StringVar(&q.Environment, "environment", "", "the environment to ask; may be left out for a project that a flow names")
	c.Flags().StringArrayVar(&q.LegalEntities, "legal-entity", nil, "company, may be given more than once; default those that the flow names")
	c.Flags().BoolVar(&q.LandPartial, "land-partial", false, "land what a partly succeeded run gives; else it is parked, or as the flow says")
	c.Flags().DurationVar(&wait, "wait", 0, "wait up to this long for the results of a running server")
	a.addOutput(c)
	return c
}

func (a *app) runExport(ctx context.Context, s *session, q flows.ExportRequest, wait time.Duration) error {
	asked, err := s.RunExport(ctx, q)
	if err != nil {
		return err
	}
	if s.relay != nil {
		wait = max(wait, flows.MaxExecutionAge)
	}
	if wait > 0 {
		defer s.work(ctx)()
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		err = a.executionsEnd(ctx, s, asked.IDs)
	}
	var views []web.ExecutionView
	needed := false
	for _, id := range asked.IDs {
		v, showErr := s.Execution(context.WithoutCancel(ctx), id)
		if showErr != nil {
			return errors.Join(err, showErr)
		}
		views = append(views, v)
		needed = needed || v.State == state.Failed || v.State == state.Stuck
	}
	if err := errors.Join(err, a.print(views, func() error { return a.executionTable(views) })); err != nil {
		return err
	}
	if needed {
		return &codedError{code: exitParked}
	}
	return nil
}

// executionsEnd waits until each run has ended and its package has come to
// rest, and says what is new meanwhile.
func (a *app) executionsEnd(ctx context.Context, s *session, ids []string) error {
	for _, id := range ids {
		for said := ""; ; {
			v, err := s.Execution(ctx, id)
			if err != nil {
				return err
			}
			if err := s.refusedSignIn(ctx, v); err != nil {
				return err
			}
			if now := strings.Join(strings.Fields(fmt.Sprintf("%s: %s %s %s", id, v.State, v.Status, v.Detail)), " "); now != said {
				said = now
				fmt.Fprintln(a.stderr, "finrelay:", oneLine(said))
			}
			if v.State == state.Done {
				if _, err := s.rest(ctx, v.ShipmentID); err != nil {
					return err
				}
			}
			if v.State == state.Done || v.State == state.Failed || v.State == state.Stuck {
				break
			}
			select {
			case <-ctx.Done():
				if s.relay == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
					return fmt.Errorf("%s is still %s; it goes on in the server: finrelay executions show %s", id, v.State, id)
				}
				return fmt.Errorf("%s: still %s: %w", id, v.State, ctx.Err())
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}

// refusedSignIn says that a run goes no further because FinOps lets nobody in:
// it, or the one that it waits for.
func (s *session) refusedSignIn(ctx context.Context, v web.ExecutionView) error {
	if v.State == state.Queued {
		held, err := s.Executions(ctx, state.Filter{Environment: v.Environment, States: []state.State{state.Starting, state.Running}, Limit: -1})
		if err != nil {
			return err
		}
		for _, x := range held {
			if strings.EqualFold(x.Project, v.Project) && x.Reason == state.ReasonSignIn {
				v = x
			}
		}
	}
	if v.Reason != state.ReasonSignIn {
		return nil
	}
	return &codedError{exitSignIn, fmt.Errorf("%s is %s and goes no further: %s. Next: %s (finrelay executions show %s)", v.ID, v.State, v.Detail, v.Next, v.ID)}
}

func (a *app) executions() *cobra.Command {
	var f filterFlags
	c := lister(a, &f, &cobra.Command{
		Use:   "executions",
		Short: "List runs of data projects that finrelay asked FinOps for",
		Args:  knownWord,
	}, (*session).Executions, a.executionTable)
	c.Flags().StringVar(&f.environment, "environment", "", "only this environment")
	f.addStates(c, web.ExecutionStates)
	f.addLimit(c)
	c.AddCommand(a.show("execution", func(s *session, c *cobra.Command, id string) (any, func() error, error) {
		v, err := s.Execution(c.Context(), id)
		return v, func() error { return a.showExecution(v) }, err
	}))
	return c
}

func (a *app) executionTable(views []web.ExecutionView) error {
	var rows [][]string
	for _, v := range views {
		rows = append(rows, []string{v.ID, ago(v.RequestedAt), v.Environment, v.Project, dash(v.LegalEntity), string(v.State),
			dash(v.Status), dash(string(v.Reason)), dash(v.ShipmentID)})
	}
	return table(a.stdout, []string{"EXECUTION", "AGE", "ENVIRONMENT", "PROJECT", "COMPANY", "STATE", "FINOPS SAYS", "REASON", "SHIPMENT"}, rows)
}

func (a *app) showExecution(v web.ExecutionView) error {
	a.field("execution", v.ID)
	a.field("state", strings.TrimSpace(stateAndReason(v.State, v.Reason)))
	a.field("next", v.Next)
	a.field("detail", v.Detail)
	a.field("environment", v.Environment)
	a.field("project", v.Project)
	a.field("company", v.LegalEntity)
	a.field("in FinOps", v.ExecutionID)
	a.field("FinOps says", v.Status)
	a.field("asked for", showTime(v.RequestedAt)+" by "+v.RequestedBy)
	a.field("started", showTime(v.CalledAt))
	a.field("ended", showTime(v.EndedAt))
	a.field("shipment", v.ShipmentID)
	return a.story(v.Story)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

func (a *app) poll() *cobra.Command {
	var backlog string
	var list, once bool
	c := &cobra.Command{
		Use:   "poll [FLOW...]",
		Short: "Drain the queues of flows now, or of all flows that have one",
		Long: `poll takes the messages of recurring data jobs, one at a time: dequeue, download,
land, acknowledge. A message is acknowledged only when each of its exports has
landed or stands on the list, with the raw file kept; until then FinOps keeps it.

While it goes on, standard error says how far it is. A server that goes away meanwhile
loses nothing: exit code 5, and a new start goes on.

A running server polls by itself, on each queue's schedule, and is asked here to
do it now; without a server the work is done here. An empty queue is a success.

It drains each queue once and ends; with --once=false, and without a server, it
goes on by the queues' schedules until it is interrupted.

It exits with 3 when something of what it took stands on the list or is not
acknowledged yet, with 4 when FinOps refuses the sign-in, with 5 when it cannot be
reached.`,
		RunE: func(c *cobra.Command, args []string) error {
			switch flows.Backlog(backlog) {
			case flows.BacklogAsk, flows.BacklogLand, flows.BacklogPark:
			default:
				return usage(fmt.Errorf("--backlog is land or park, not %q", backlog))
			}
			if list {
				return a.listQueues(c.Context())
			}
			return a.withLedger(c.Context(), func(s *session) error {
				if !once {
					return a.pollOn(c.Context(), s, args, flows.Backlog(backlog))
				}
				defer s.work(c.Context())()
				return a.pollAll(c.Context(), s, args, flows.Backlog(backlog))
			})
		},
	}
	c.Flags().StringVar(&backlog, "backlog", "", "what to do with messages from before finrelay: land or park")
	c.Flags().BoolVar(&once, "once", true, "drain once and end; false goes on by the schedules")
	c.Flags().BoolVar(&list, "list", false, "only list the queues and how they stand")
	a.addOutput(c)
	return c
}

func (a *app) pollAll(ctx context.Context, s *session, names []string, backlog flows.Backlog) error {
	queues, err := s.Queues(ctx)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		for _, q := range queues {
			names = append(names, q.Flow)
		}
	}
	if len(names) == 0 {
		return usage(errors.New("no flow has a queue: set flows[].queue in the configuration"))
	}
	for _, name := range names {
		if !slices.ContainsFunc(queues, func(q web.QueueView) bool { return q.Flow == name }) {
			return usage(fmt.Errorf("no flow %q has a queue; these have: %s", name, flowNames(queues)))
		}
	}
	var results []flows.PollResult
	var failed []error
	for _, name := range names {
		watch := a.watchPoll(ctx, s, name)
		res, err := s.Poll(ctx, web.PollRequest{Flow: name, Backlog: backlog})
		far := watch.end()
		if err != nil {
			if p, ok := s.pollProgress(ctx, name); ok {
				far = p
			}
			err = cutOff(name, far, err)
			return errors.Join(append(failed, a.print(results, func() error { return a.drawPolls(results) }), err)...)
		}
		results = append(results, res)
		if res.Problem != "" {
			failed = append(failed, pollProblem(name, res))
		}
	}
	if err := a.print(results, func() error { return a.drawPolls(results) }); err != nil {
		return err
	}
	if len(failed) == 0 && slices.ContainsFunc(results, func(r flows.PollResult) bool { return r.Parked+r.Open > 0 }) {
		return &codedError{code: exitParked}
	}
	return errors.Join(failed...)
}

func flowNames(queues []web.QueueView) string {
	var names []string
	for _, q := range queues {
		names = append(names, q.Flow)
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// pollProblem says why a queue was not drained, with the exit code for it.
func pollProblem(flow string, res flows.PollResult) error {
	err := fmt.Errorf("flow %s: %s", flow, res.Problem)
	switch res.Reason {
	case state.ReasonSignIn:
		return &codedError{exitSignIn, err}
	case state.ReasonNetwork:
		return &codedError{exitUnreachable, err}
	}
	return err
}

// pollOn drains queues by their schedules until ctx ends. A poll that fails is
// said and tried again.
func (a *app) pollOn(ctx context.Context, s *session, names []string, backlog flows.Backlog) error {
	if s.relay == nil {
		return usage(errors.New("a server runs on this state folder and polls by its schedules: leave --once=false out"))
	}
	defer s.work(ctx)()
	for {
		err := a.pollAll(ctx, s, names, backlog)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if coded, ok := errors.AsType[*codedError](err); ok && coded.code == exitUsage {
			return err
		}
		if coded, ok := errors.AsType[*codedError](err); err != nil && (!ok || coded.err != nil) {
			a.complain(err)
		}
		next := time.Now().Add(time.Hour)
		for _, q := range s.relay.Queues() {
			due, err := s.relay.NextPoll(ctx, q)
			if err != nil {
				return err
			}
			if (len(names) == 0 || slices.Contains(names, q.Flow)) && due.Before(next) {
				next = due
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(time.Until(next), time.Second)):
		}
	}
}

func (a *app) drawPolls(results []flows.PollResult) error {
	for _, r := range results {
		switch {
		case r.Messages+r.Redelivered == 0 && r.Problem == "":
			fmt.Fprintf(a.stdout, "%s: nothing queued\n", r.Flow)
		default:
			end := ""
			if r.Parked > 0 {
				end = fmt.Sprintf("; %s on the list: finrelay status", plural(int64(r.Parked), "export stands", "exports stand"))
			}
			if r.Problem != "" {
				end += "; the queue's end was not reached"
			}
			fmt.Fprintf(a.stdout, "%s: %s, %d of them again, %d not acknowledged yet%s\n",
				r.Flow, plural(int64(r.Messages+r.Redelivered), "message", "messages"), r.Redelivered, r.Open, end)
		}
	}
	return nil
}

func (a *app) listQueues(ctx context.Context) error {
	var list []web.QueueView
	err := a.withLook(ctx, func(s *session) (err error) {
		list, err = s.Queues(ctx)
		return err
	})
	if errors.Is(err, errNoLedger) {
		list, err = a.configuredQueues()
	}
	if err != nil {
		return err
	}
	return a.drawQueues(list)
}

// configuredQueues are those of the configuration, of which nothing is known yet.
func (a *app) configuredQueues() ([]web.QueueView, error) {
	cfg, err := a.lookAtFile("flows")
	if err != nil {
		return nil, err
	}
	configured, err := queues(cfg)
	views := []web.QueueView{}
	for _, q := range configured {
		views = append(views, web.QueueView{Flow: q.Flow, Queue: state.Queue{Environment: q.Environment, Activity: string(q.Activity)}})
	}
	return views, err
}

func (a *app) drawQueues(queues []web.QueueView) error {
	return a.print(queues, func() error {
		var rows [][]string
		for _, q := range queues {
			rows = append(rows, []string{q.Environment, q.Flow, q.Activity, ago(q.LastPolledAt), ago(q.DrainedAt), ago(q.LastMessageAt),
				fmt.Sprint(q.Messages), dash(q.Problem)})
		}
		return table(a.stdout, []string{"ENVIRONMENT", "FLOW", "ACTIVITY", "POLLED", "EMPTY", "LAST MESSAGE", "MESSAGES", "PROBLEM"}, rows)
	})
}

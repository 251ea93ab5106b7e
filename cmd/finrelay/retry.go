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

// retryWait is how long retry looks, by default, at what comes of it: a mended
// output lands a few hundred exports in that time.
const retryWait = 15 * time.Second

func (a *app) retry() *cobra.Command {
	var all bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "retry OUTPUT|ENVIRONMENT|ID... | --all",
		Short: "Try at once what waits for its next try: an output, a link, one export",
		Long: `retry is for after the mending: the disk is empty again, the folder is back, the
network is up. What waits for its next try, at most five minutes off, is tried now.

Name outputs, environments (their links, and exports on their way to any output), or
ids of exports, shipments or events; --all takes everything that waits. What a worker
is just trying is left to it, and to say it twice does no more than to say it once.
What is parked stands still for a reason that time does not mend: finrelay rerun. An
output whose place is not there is refused, since each try would fail.

It looks for a while at what comes of it and says so. It exits with 3 when something
waits again, or when some targets were refused and others taken; with 1 when all were
refused and nothing was done.`,
		Example: `  finrelay retry lake
  finrelay retry ex_1a2b3c4d5e6f7g8h`,
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usage(errors.New("name outputs, environments or ids to try at once, or say --all for everything that waits"))
			}
			return a.with(c.Context(), func(s *session) error {
				res, err := s.Retry(c.Context(), web.RetryRequest{Targets: args, All: all})
				if err != nil {
					return err
				}
				if err := a.print(res, func() error { return a.drawRetry(res) }); err != nil {
					return err
				}
				err = a.finishRetry(c.Context(), s, res, wait)
				if err != nil {
					return err
				}
				return refusals(len(res.Queued)+res.Trying, len(res.Refused))
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "everything that waits")
	c.Flags().DurationVar(&wait, "wait", retryWait, "look this long at what a running server makes of it; 0 does not look")
	a.addOutput(c)
	return c
}

// drawRetry says what is tried now, a line for each output and environment.
func (a *app) drawRetry(res flows.Retry) error {
	type target struct{ one, many, where string }
	count := map[target]int64{}
	var order []target
	for _, r := range res.Queued {
		to := target{"link", "links", "of " + r.Environment}
		if r.Kind == state.KindDelivery {
			to = target{"export", "exports", "to output " + r.Output}
		}
		if count[to] == 0 {
			order = append(order, to)
		}
		count[to]++
	}
	for _, to := range order {
		fmt.Fprintf(a.stdout, "tried now: %s %s\n", plural(count[to], to.one, to.many), oneLine(to.where))
	}
	if res.Trying > 0 {
		fmt.Fprintf(a.stdout, "being tried already: %d\n", res.Trying)
	}
	if len(res.Queued)+res.Trying+len(res.Refused) == 0 {
		fmt.Fprintln(a.stdout, "nothing waits for a next try")
	}
	for _, r := range res.Refused {
		fmt.Fprintf(a.stdout, "%s: %s\n", oneLine(r.Target), oneLine(r.Refusal))
	}
	return nil
}

// finishRetry looks at what comes of it: for as long as is wanted, or, when no
// server runs, until the work is done here.
func (a *app) finishRetry(ctx context.Context, s *session, res flows.Retry, wait time.Duration) error {
	if len(res.Queued) == 0 || s.relay == nil && wait <= 0 {
		return nil
	}
	if s.relay != nil {
		defer s.work(ctx)()
		wait = max(wait, localPatience)
	}
	looked, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ends, seen := map[state.State]int{}, map[string]bool{}
	for _, r := range res.Queued {
		if seen[r.ID] { // to several outputs
			continue
		}
		seen[r.ID] = true
		at, err := s.rest(looked, r.ID)
		if err != nil && looked.Err() != nil && ctx.Err() == nil {
			break
		}
		if err != nil {
			return fmt.Errorf("look at %s: %w", r.ID, err)
		}
		ends[at.state]++
	}
	bad := ends[state.Waiting] + ends[state.Parked] + ends[state.Expired]
	if a.output == "table" {
		if err := a.drawRetryEnds(ctx, s, ends, len(seen), bad); err != nil {
			return err
		}
	}
	if bad > 0 {
		return &codedError{code: exitParked}
	}
	return nil
}

func (a *app) drawRetryEnds(ctx context.Context, s *session, ends map[state.State]int, all, bad int) error {
	said := 0
	var parts []string
	for _, e := range []struct {
		state state.State
		word  string
	}{{state.Landed, "landed"}, {state.Settled, "landed"}, {state.Waiting, "wait again"}, {state.Parked, "parked"}, {state.Expired, "links expired"}} {
		if n := ends[e.state]; n > 0 {
			parts, said = append(parts, fmt.Sprintf("%d %s", n, e.word)), said+n
		}
	}
	if all > said {
		parts = append(parts, fmt.Sprintf("%d still at work", all-said))
	}
	fmt.Fprintln(a.stdout, strings.Join(parts, ", "))
	if bad == 0 {
		return nil
	}
	v, err := s.Status(ctx, "")
	if err != nil {
		return err
	}
	return a.fitted(func(a *app) error {
		for _, w := range v.Waiting {
			a.drawWait(w)
		}
		return nil
	})
}

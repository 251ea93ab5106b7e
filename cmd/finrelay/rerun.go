package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

func (a *app) rerun() *cobra.Command {
	var f filterFlags
	var dry, again bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "rerun ID... | --entity NAME | --environment NAME | --reason REASON",
		Short: "Run exports, shipments or unreadable events again",
		Long: `rerun sets going again what stands still: a parked export from its raw file, along
the flows of today's configuration; a parked or expired shipment from its link; an
unreadable event, or one without a link, with today's field names. A landed export named by its id writes,
with unchanged configuration, the same bytes to the same place. What only waits for
its next try is tried at once, as finrelay retry does for a whole output.

A parked export whose rows are proven to have landed with another export (the same
execution and entity came another way) is refused, and the other is named with its
files; --again, with its id, lands it all the same, a second time.

Without ids it takes what the flags find; at least one of --environment, --entity,
--state and --reason is needed. Without --state that is what stands still: parked,
expired or, among events, unreadable. With a running server the work is done there;
without one it is done here before the command ends.

It exits with 3 when some were refused and others taken, or when something is parked or
waits again; with 1 when all were refused and nothing was done.`,
		Example: `  finrelay rerun ex_1a2b3c4d5e6f7g8h
  finrelay rerun --entity "Customer groups" --since 24h --dry-run`,
		RunE: func(c *cobra.Command, args []string) error {
			selected, err := f.selection("run", args)
			if err != nil {
				return err
			}
			q := web.RerunRequest{Selection: selected, DryRun: dry, Again: again}
			if again && len(args) == 0 {
				return usage(errors.New("--again is for exports named by their ids"))
			}
			return a.with(c.Context(), func(s *session) error {
				results, err := s.Rerun(c.Context(), q)
				if err == nil && len(results) == 0 {
					err = a.sayNoEntity(c.Context(), s, "nothing", f.entity)
				}
				if err != nil {
					return err
				}
				if err := a.print(results, func() error { return a.rerunTable(results, dry) }); err != nil {
					return err
				}
				if !dry {
					if err := a.finish(c.Context(), s, results, wait); err != nil {
						return err
					}
				}
				refused := 0
				for _, r := range results {
					if !r.Queued {
						refused++
					}
				}
				return refusals(len(results)-refused, refused)
			})
		},
	}
	f.add(c, state.Parked, state.Expired, state.Waiting, state.Landed)
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would be run and change nothing")
	c.Flags().BoolVar(&again, "again", false, "land the named exports even if another export has their rows")
	c.Flags().DurationVar(&wait, "wait", 0, "wait up to this long for the results of a running server")
	a.addOutput(c)
	return c
}

func (a *app) rerunTable(results []flows.Rerun, dry bool) error {
	if len(results) == 0 {
		_, err := fmt.Fprintln(a.stdout, "nothing to run again")
		return err
	}
	queued := "queued"
	if dry {
		queued = "would run"
	}
	var rows [][]string
	for _, r := range results {
		result := queued
		if !r.Queued {
			result = "refused: " + r.Refusal
		}
		rows = append(rows, []string{r.ID, dash(r.Entity), dash(string(r.Was)), dash(string(r.Reason)), result})
	}
	return table(a.stdout, []string{"ID", "ENTITY", "WAS", "REASON", "RESULT"}, rows)
}

// refusals gives the exit code of what was asked for many things: it failed
// when nothing was taken, and is done with some refused when others were.
func refusals(taken, refused int) error {
	switch {
	case refused == 0:
		return nil
	case taken == 0:
		return &codedError{code: exitFailed}
	}
	return &codedError{code: exitParked}
}

// localPatience bounds the work that a command without a server does itself.
const localPatience = 10 * time.Minute

// finish sees queued work through: here when no server runs, else as long as
// the person wants to wait.
func (a *app) finish(ctx context.Context, s *session, results []flows.Rerun, wait time.Duration) error {
	var ids []string
	for _, r := range results {
		if r.Queued {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 || s.relay != nil && wait < 0 || s.relay == nil && wait <= 0 {
		return nil
	}
	if s.relay != nil {
		defer s.work(ctx)()
		wait = max(wait, localPatience)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	unfinished := 0
	for _, id := range ids {
		at, err := s.rest(ctx, id)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", id, err)
		}
		if a.output == "table" {
			fmt.Fprintf(a.stdout, "%s: %s\n", id, at)
		}
		if !at.good() {
			unfinished++
		}
	}
	if unfinished > 0 {
		return &codedError{code: exitParked}
	}
	return nil
}

// ending is how a thing came to rest: of a shipment or event the worst of its
// exports.
type ending struct {
	state    state.State
	setAside int64 // rows of landed exports that could not be read
}

func (o ending) good() bool {
	switch o.state {
	case state.Landed, state.Settled, state.Accepted, state.Ignored:
		return o.setAside == 0
	}
	return false
}

func (o ending) String() string {
	switch {
	case o.setAside == 1:
		return string(o.state) + ", 1 row set aside"
	case o.setAside > 1:
		return fmt.Sprintf("%s, %d rows set aside", o.state, o.setAside)
	}
	return string(o.state)
}

// rest waits until a thing has come to rest.
func (s *session) rest(ctx context.Context, id string) (ending, error) {
	for {
		at, resting, err := s.stateOf(ctx, id)
		if err != nil || resting {
			return at, err
		}
		select {
		case <-ctx.Done():
			return at, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *session) stateOf(ctx context.Context, id string) (at ending, resting bool, err error) {
	switch state.KindOf(id) {
	case state.KindExport:
		e, err := s.Export(ctx, id)
		if waitsAgain(e) {
			return ending{state: state.Waiting}, true, err
		}
		return ending{e.State, setAside(e)}, e.State != state.Open, err
	case state.KindEvent:
		e, err := s.Event(ctx, id)
		if err != nil || e.ShipmentID == "" {
			return ending{state: e.State}, true, err
		}
		id = e.ShipmentID
	}
	v, err := s.Shipment(ctx, id)
	if err != nil {
		return at, false, err
	}
	at.state = v.State
	switch v.State {
	case state.Settled, state.Parked:
		resting = true
	case state.Waiting:
		resting = v.DueAt.After(time.Now())
	case state.Fetched:
		// Nothing of it moves before its exports' outputs are tried again.
		resting = len(v.Exports) > 0 && !slices.ContainsFunc(v.Exports, func(e web.ExportView) bool { return e.State == state.Open && !waitsAgain(e) })
		if resting {
			at.state = state.Waiting
		}
	case state.Expired:
		resting = v.RenewAt.IsZero() // else FinOps is being asked for a fresh link
	}
	for _, e := range v.Exports {
		at.setAside += setAside(e)
		if e.State == state.Parked && resting {
			at.state = state.Parked
		}
	}
	return at, resting, nil
}

// waitsAgain says whether an open export was tried and waits for its next try.
func waitsAgain(e web.ExportView) bool {
	waits := false
	for _, d := range e.Deliveries {
		switch {
		case d.State == state.Waiting && d.DueAt.After(time.Now()):
			waits = true
		case d.State != state.Delivered && d.State != state.Parked:
			return false // a worker is at it, or will be in a moment
		}
	}
	return waits && e.State == state.Open
}

func setAside(e web.ExportView) int64 {
	if e.State != state.Landed {
		return 0
	}
	return e.BadRows
}

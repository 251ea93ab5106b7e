package flows

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"finrelay/state"
)

// claimLease is how long a claim is good for. With one process it is only
// recorded: the folder's lock says that nobody else can hold a claim.
const claimLease = 10 * time.Minute

// longestSleep bounds every wait of a pool without news: it is what lets a
// link become urgent, and a clock that was set right be noticed.
const longestSleep = 30 * time.Second

// blockedLook is how soon a pool looks again that found due work and could
// claim none of it.
const blockedLook = time.Second

// Run does the work until ctx ends. It first gives back what an earlier
// process had claimed and sweeps what it left half done. When ctx ends it
// claims nothing more, lets work in flight finish for the grace time, then
// cancels it with ErrStopping and gives it back.
func (r *Relay) Run(ctx context.Context) error {
	if err := r.recover(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began: the next start does it
		}
		return err
	}
	defer r.closeClients()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(ErrStopping)
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(r.cfg.Grace, func() { cancel(ErrStopping) })
	})()
	var all sync.WaitGroup
	errs := make([]error, 6)
	all.Go(func() { errs[0] = r.runPool(ctx, work, r.fetchPool()) })
	all.Go(func() { errs[1] = r.runPool(ctx, work, r.deliverPool()) })
	all.Go(func() { errs[2] = r.runPool(ctx, work, r.ackPool()) })
	all.Go(func() { errs[3] = r.runPool(ctx, work, r.renewPool()) })
	all.Go(func() { errs[4] = r.runPool(ctx, work, r.executePool()) })
	all.Go(func() { errs[5] = r.keepTidy(ctx) })
	all.Go(func() { r.keepRefusals(ctx) })
	if r.cfg.Polling {
		for _, q := range r.cfg.Queues {
			all.Go(func() { r.keepPolling(ctx, work, q) })
		}
		for _, p := range r.cfg.Projects {
			if p.Schedule != nil {
				all.Go(func() { r.keepExporting(ctx, p) })
			}
		}
		all.Go(func() { r.keepWatch(ctx, work) })
	}
	all.Wait()
	stop()
	r.resting.Wait()
	return errors.Join(errs...)
}

// recover makes the state of an earlier process ours.
func (r *Relay) recover(ctx context.Context) error {
	returned, parked, err := r.db.Recover(ctx)
	if err != nil {
		return fmt.Errorf("give back interrupted work: %w", err)
	}
	if returned+parked > 0 {
		r.log.Info("work of an earlier process given back", "returned", returned, "parked", parked)
	}
	for _, out := range r.cfg.Outputs {
		r.sweep(ctx, out)
	}
	return r.sweepRaw(ctx)
}

// pool is a number of workers on one kind of work.
type pool struct {
	name  string
	slots int
	// next says when work will be due: in the past is now, zero is never.
	next func(ctx context.Context, free int) (time.Time, error)
	// claim takes up to free pieces of due work.
	claim func(ctx context.Context, free int) ([]func(context.Context), error)
}

// jobs makes a pool's claim of one that claims things and of what is done to each.
func jobs[T any](claim func(context.Context, int) ([]T, error), do func(context.Context, T)) func(context.Context, int) ([]func(context.Context), error) {
	return func(ctx context.Context, free int) ([]func(context.Context), error) {
		claimed, err := claim(ctx, free)
		var all []func(context.Context)
		for _, c := range claimed {
			all = append(all, func(ctx context.Context) { do(ctx, c) })
		}
		return all, err
	}
}

// runPool starts claimed work on free slots, and sleeps until a commit, a free
// slot or the next due time. Claims stop with ctx; work ends with work.
func (r *Relay) runPool(ctx, work context.Context, p pool) error {
	freed := make(chan struct{}, p.slots)
	busy := 0
	var closed error
	for ctx.Err() == nil && closed == nil {
		// Taken before the look, so that no commit falls between look and wait.
		changed := r.db.Changed()
		sleep := longestSleep
		if busy < p.slots {
			started, due, err := r.start(ctx, work, p, p.slots-busy, freed)
			busy += started
			switch {
			case errors.Is(err, state.ErrClosed):
				closed = err
				continue
			case err != nil && ctx.Err() == nil:
				r.log.Error("ledger", "pool", p.name, keyError, err)
				sleep = firstWait
			case started > 0:
				continue
			case !due.IsZero():
				sleep = min(sleep, max(due.Sub(r.db.Now()), 10*time.Millisecond))
			}
		} else {
			changed = nil // news do not help while every slot is taken
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		case <-freed:
			busy--
		}
		timer.Stop()
	}
	for ; busy > 0; busy-- {
		<-freed
	}
	return closed
}

func (r *Relay) start(ctx, work context.Context, p pool, free int, freed chan<- struct{}) (started int, due time.Time, err error) {
	due, err = p.next(ctx, free)
	if err != nil || due.IsZero() || due.After(r.db.Now()) {
		return 0, due, err
	}
	jobs, err := p.claim(ctx, free)
	for _, job := range jobs {
		go func() {
			defer func() { freed <- struct{}{} }()
			job(work)
		}()
	}
	if len(jobs) == 0 {
		// Due, but not ours to take now, as its environment has its limit. It
		// hides when another environment's work will be due: look again soon.
		due = r.db.Now().Add(blockedLook)
	}
	return len(jobs), due, err
}

// fetchPool serves the earliest deadline first. Its last free slot is for
// links that die soon, so that a few long downloads cannot cost a short link.
func (r *Relay) fetchPool() pool {
	before := func(free int) time.Time {
		if free == 1 && r.cfg.Fetchers > 1 {
			return r.db.Now().Add(UrgentLink)
		}
		return time.Time{}
	}
	return pool{
		name:  "fetch",
		slots: r.cfg.Fetchers,
		next: func(ctx context.Context, free int) (time.Time, error) {
			return r.db.NextFetch(ctx, before(free))
		},
		claim: func(ctx context.Context, free int) ([]func(context.Context), error) {
			c := state.FetchClaims{
				Owner: owner, Lease: claimLease, Limit: free, Before: before(free),
				InFlight: r.inFlight(), Most: r.most,
			}
			if free > 1 {
				c.Limit = free - 1
			}
			claimed, err := r.db.ClaimFetches(ctx, c)
			var jobs []func(context.Context)
			for _, j := range claimed {
				r.count(j.Shipment.Environment, +1)
				jobs = append(jobs, func(ctx context.Context) {
					defer r.count(j.Shipment.Environment, -1)
					r.fetch(ctx, j)
				})
			}
			return jobs, err
		},
	}
}

// deliverPool opens raw files and delivers exports, first in first out. It is
// apart from the fetch pool so that a long conversion never delays a dying link.
func (r *Relay) deliverPool() pool {
	return pool{
		name:  "deliver",
		slots: r.cfg.Deliverers,
		next: func(ctx context.Context, _ int) (time.Time, error) {
			return r.db.NextDelivery(ctx)
		},
		claim: func(ctx context.Context, free int) ([]func(context.Context), error) {
			var jobs []func(context.Context)
			openings, err := r.db.ClaimOpenings(ctx, owner, claimLease, free)
			for _, s := range openings {
				jobs = append(jobs, func(work context.Context) {
					if again := r.open(work, s); again > 0 {
						r.resting.Go(func() { r.rest(ctx, s.ID, again) })
					}
				})
			}
			if err != nil || len(jobs) == free {
				return jobs, err
			}
			deliveries, err := r.db.ClaimDeliveries(ctx, owner, claimLease, free-len(jobs))
			for _, j := range deliveries {
				jobs = append(jobs, func(ctx context.Context) { r.deliver(ctx, j) })
			}
			return jobs, err
		},
	}
}

// owner stands in claims. One process holds the folder, so one name will do.
const owner = "serve"

func (r *Relay) inFlight() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := make(map[string]int, len(r.running))
	for k, v := range r.running {
		m[k] = v
	}
	return m
}

func (r *Relay) count(environment string, by int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[environment] += by
}

// Idle says whether nothing is on its way: all that arrived has landed or
// stands still with a reason. Waiting counts as on its way.
func (r *Relay) Idle(ctx context.Context) (bool, error) {
	s, err := r.db.Status(ctx, "")
	return err == nil && s.OnTheWay == 0, err
}

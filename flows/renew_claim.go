package flows

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"finrelay/state"
)

// keepEvery is how often a claimed renewal is kept: three times a lease, so that
// one that fails is made good by the next.
const keepEvery = state.RenewalLease / 3

// claimRenewals claims what is to be renewed and nobody here is at work on. The
// lease speaks for a process that is gone; for this one its own list does, which
// no jump of the clock ends.
func (r *Relay) claimRenewals(ctx context.Context, limit int) ([]state.Shipment, error) {
	r.mu.Lock()
	busy := slices.Collect(maps.Keys(r.renewing))
	r.mu.Unlock()
	claimed, err := r.db.ClaimRenewals(ctx, limit, busy...)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range claimed {
		r.renewing[s.ID] = true
	}
	return claimed, err
}

// keepClaim keeps a claimed renewal while work goes on, since the drain of a
// long queue outlives its lease. end lets go of it, and must be called before
// the work's result is recorded: that says when it is due again.
func (r *Relay) keepClaim(ctx context.Context, id string, every time.Duration) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() {
		for r.sleepUntil(ctx, r.db.Now().Add(every)) {
			if err := r.db.KeepRenewal(ctx, id); err != nil && ctx.Err() == nil {
				r.log.Error("ledger", keyShipment, id, keyError, err)
			}
		}
	})
	return func() {
		cancel()
		keeping.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.renewing, id)
	}
}

package flows

import (
	"context"
	"slices"
	"sync"
)

// Reconfigured makes a Relay for the same ledger and the same work by another
// configuration, checked as New checks it. It is not in force, and changes
// nothing, until PutInForce.
func (r *Relay) Reconfigured(cfg Config) (*Relay, error) {
	setDefaults(&cfg)
	return newRelay(cfg, r.shared)
}

// PutInForce has all work that is claimed from now on done by r's
// configuration. What is in work ends by the one that it was claimed under; a
// poll ends after the message that it has taken. A method of another Relay of
// the ledger goes on with its own.
func (r *Relay) PutInForce() {
	r.mu.Lock()
	old := r.inForce
	r.inForce = r
	close(r.replaced)
	r.replaced = make(chan struct{})
	r.mu.Unlock()
	if old != r {
		old.closeClients()
	}
}

// newest gives the Relay in force, and what tells when it is no longer.
func (sh *shared) newest() (*Relay, <-chan struct{}) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.inForce, sh.replaced
}

// keepCalendars does what goes by the clock until ctx ends, by the
// configuration in force: that of a replaced one has ended before the next begins.
func (sh *shared) keepCalendars(ctx, work context.Context) {
	for ctx.Err() == nil {
		r, replaced := sh.newest()
		valid, end := context.WithCancel(ctx)
		var all sync.WaitGroup
		r.startCalendars(valid, work, &all)
		select {
		case <-ctx.Done():
		case <-replaced:
		}
		end()
		all.Wait()
	}
}

// startCalendars begins what goes by the clock.
func (r *Relay) startCalendars(ctx, work context.Context, all *sync.WaitGroup) {
	all.Go(func() { r.keepTidy(ctx) })
	if !r.cfg.Polling {
		return
	}
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

// RetryReturned has at once tried what waited for outputs that the
// configuration before did not have, and says how many things that are.
func (r *Relay) RetryReturned(ctx context.Context, before *Relay, by string) (int, error) {
	var names []string
	for name := range r.cfg.Outputs {
		if before.cfg.Outputs[name] == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return 0, nil
	}
	slices.Sort(names)
	res, err := r.RetryNow(ctx, names, by, false)
	return len(res.Queued), err
}

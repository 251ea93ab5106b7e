package flows

import (
	"context"
	"log/slog"
	"time"

	"finrelay/state"
)

// record writes a transition about work that was done into the ledger. A
// ledger that cannot be written for a moment (a full disk) is asked again
// until the process stops: were it given up, the claim would stand until the
// next start and nobody would look at the work. The worker is held meanwhile,
// and could do nothing else: each claim is a write too. False means that the
// ledger does not have it.
func (r *Relay) record(ctx context.Context, log *slog.Logger, step func(context.Context) error) bool {
	for n := 1; ; n++ {
		err := step(durably(ctx))
		if err == nil {
			return true
		}
		log.Error("the ledger could not be told", keyError, err)
		if state.Refused(err) {
			return false
		}
		timer := time.NewTimer(min(time.Duration(n)*100*time.Millisecond, longestPatience))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// longestPatience is how long a worker sleeps at most.
const longestPatience = 2 * time.Second

// durably is a context for ledger transitions about work that has been done:
// the end of the work's context must not keep its result out of the ledger.
func durably(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

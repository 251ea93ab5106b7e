package flows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"finrelay/state"
)

// drainTries is how often a queue that cannot be drained is tried on behalf of
// one expired shipment. Its own schedule goes on besides.
const drainTries = 6

// queuesFor gives the queues that may hold an expired shipment's rows too: of
// its environment, polled by a flow that takes its entity.
func (r *Relay) queuesFor(s state.Shipment) []Queue {
	var all []Queue
	for _, q := range r.cfg.Queues {
		f := r.flows[q.Flow]
		if q.Environment != s.Environment || f == nil {
			continue
		}
		copied := Subject{ // as the queue would bring it
			Environment: s.Environment, Source: byQueue, Queue: string(q.Activity), Polled: q.Flow,
			Project: s.DefinitionGroup, Entity: s.Entity, LegalEntity: s.LegalEntity,
		}
		if told, _ := f.told(copied); told.misfit(copied) == "" {
			all = append(all, q)
		}
	}
	return all
}

// lookInQueue is the second rung: the queue is drained. A message that is of
// the same execution closes the shipment when it is opened; nothing else does,
// since rows that merely look alike may be another run's.
func (r *Relay) lookInQueue(ctx context.Context, log *slog.Logger, s state.Shipment) func(context.Context) error {
	drained, messages := "", 0
	for _, q := range r.queuesFor(s) {
		res, err := r.Poll(ctx, q)
		messages += res.Messages
		switch {
		case context.Cause(ctx) != nil:
			return func(ctx context.Context) error {
				return r.db.WaitRenewal(ctx, s, r.db.Now(), "finrelay was stopped while it drained the queue")
			}
		// A poll that is at work drains it too: its end is waited for.
		case errors.Is(err, ErrPolling), err != nil && s.Renewals < drainTries:
			return r.drainAgain(s, q, err)
		case err != nil:
			log.Warn("queue not drained for an expired link", keyFlow, q.Flow, keyError, err)
			drained = join(drained, fmt.Sprintf("the queue of flow %s cannot be drained: %v", q.Flow, err))
		default:
			drained = join(drained, fmt.Sprintf("the queue of flow %s was drained, %d new messages", q.Flow, res.Messages))
		}
	}
	if messages > 0 {
		drained += ", none of them proven to be of the same execution"
	}
	// When one of them was, the shipment is closed already and this changes nothing.
	return r.nextRung(s, state.RungRun, drained)
}

func (r *Relay) drainAgain(s state.Shipment, q Queue, err error) func(context.Context) error {
	after := backoff(s.Renewals+3, rand.Float64())
	if errors.Is(err, ErrPolling) {
		after = time.Minute
	}
	return func(ctx context.Context) error {
		return r.db.WaitRenewal(ctx, s, r.db.Now().Add(after), fmt.Sprintf("queue of flow %s: %v", q.Flow, clip(err.Error())))
	}
}

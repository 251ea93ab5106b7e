package flows

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// ackers is how many acks are sent at once.
const ackers = 2

// ackPool tells FinOps that it may forget a message, when nothing of it can be
// lost any more: its shipment is settled, or parked with its raw file here.
func (r *Relay) ackPool() pool {
	return pool{
		name:  "ack",
		slots: ackers,
		next: func(ctx context.Context, _ int) (time.Time, error) {
			return r.db.NextAck(ctx)
		},
		claim: jobs(r.db.ClaimAcks, r.ack),
	}
}

func (r *Relay) ack(ctx context.Context, j state.AckJob) {
	log := r.log.With(keyShipment, j.ShipmentID, keyEnvironment, j.Environment)
	err := r.sendAck(ctx, j)
	if err == nil {
		r.cfg.Trace("acked")
		if err := r.db.Acked(durably(ctx), j.ShipmentID, j.DequeuedAt); err != nil {
			log.Error("ledger", keyError, err)
		}
		return
	}
	// Whatever the answer was, the ack may have had its effect. It is sent
	// again as long as its receipt is fresh; then the redelivery decides.
	after := backoff(j.Attempts, rand.Float64())
	if api, ok := errors.AsType[*dmf.APIError](err); ok {
		after = max(after, min(api.RetryAfter, longestHint))
	}
	if context.Cause(ctx) != nil {
		after = 0
	}
	log.Info("ack waits", "again_in", after.Round(time.Millisecond), keyError, err)
	if err := r.db.WaitAck(durably(ctx), j.ShipmentID, r.db.Now().Add(after), clip(err.Error())); err != nil {
		log.Error("ledger", keyError, err)
	}
}

// settleAcks asks FinOps about acks that got no answer and whose messages have
// not come again, once the queue was found empty. Only what FinOps does not say
// is assumed.
func (r *Relay) settleAcks(ctx context.Context, client *dmf.Client, q Queue) error {
	doubtful, err := r.db.DoubtfulAcks(ctx, q.Environment, string(q.Activity))
	if err != nil {
		return err
	}
	for _, m := range doubtful {
		asking, cancel := context.WithTimeout(ctx, identityTime)
		status, err := client.MessageStatus(asking, m.CorrelationID)
		cancel()
		as, detail := state.Assumed, "FinOps says "+string(status)
		switch {
		case err != nil && !refusedForGood(err):
			r.log.Info("FinOps does not answer whether a message was acknowledged; it is asked after the next poll", keyShipment, m.ShipmentID, keyError, err)
			continue
		case err != nil:
			detail = "no redelivery within 65 minutes of polling, and FinOps does not say: " + clip(err.Error())
		case waitsForAck(status):
			r.log.Info("a message was not acknowledged; the queue will hand it out again", keyShipment, m.ShipmentID, "finops", string(status))
			continue
		case status == dmf.MessageAcked:
			as = state.Acked
		}
		if err := r.db.AckSettled(durably(ctx), m, as, detail); err != nil {
			return err
		}
	}
	return nil
}

// waitsForAck says whether a message is surely not acknowledged yet.
func waitsForAck(s dmf.MessageState) bool {
	return s == dmf.MessageEnqueued || s == dmf.MessageDequeued || s == dmf.MessageDownloaded
}

func (r *Relay) sendAck(ctx context.Context, j state.AckJob) error {
	client := r.cfg.Environments[j.Environment].FinOps
	if client == nil {
		return errors.New("environment " + j.Environment + " has no sign_in any more: the message cannot be acknowledged")
	}
	r.cfg.Trace("ack")
	return client.Ack(ctx, dmf.ActivityID(j.Activity), j.Body)
}

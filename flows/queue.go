package flows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"finrelay/dmf"
	"finrelay/state"
)

// Backlog says what to do with messages that were in a queue before finrelay.
type Backlog string

// Backlogs. The zero value refuses to begin, so that a person chooses: landing
// old increments behind newer data that came another way can undo it.
const (
	BacklogAsk  Backlog = ""
	BacklogLand Backlog = "land"
	BacklogPark Backlog = "park" // fetched and acked, kept on the list, landed by rerun
)

// Queue is one recurring data job of FinOps whose messages a flow polls.
type Queue struct {
	Flow        string
	Environment string
	Activity    dmf.ActivityID
	Schedule    cron.Schedule
	Backlog     Backlog
	// WithEvents says that the same exports are announced by events too. Which
	// run a message is of is asked then, so that rows that came by event are
	// not landed again.
	WithEvents bool
}

// ErrBacklog: the queue was never empty under finrelay's eyes and holds a
// message, and nobody has said what a backlog means here.
var ErrBacklog = errors.New("the queue holds messages from before finrelay: set the queue's backlog to land or park, " +
	"or say it once with finrelay poll FLOW --backlog land, or with park")

// ErrPolling: another poll of the same activity is at work. Two would hand each
// other's messages out of order.
var ErrPolling = errors.New("this queue is being polled")

// PollResult is what one poll came to.
type PollResult struct {
	Flow        string `json:"flow"`
	Environment string `json:"environment"`
	Activity    string `json:"activity"`
	Messages    int    `json:"messages"`          // new ones
	Redelivered int    `json:"redelivered"`       // known ones that came again
	Open        int    `json:"open"`              // of both, those not acked yet
	Parked      int    `json:"parked"`            // exports of both that stand on the list
	Problem     string `json:"problem,omitempty"` // why it did not reach the end
	// Reason is ReasonSignIn, ReasonNetwork or ReasonFinOps when it is FinOps
	// that could not be asked.
	Reason state.Reason `json:"reason,omitempty"`

	taken []string // the shipments that the messages are here
}

// messageSettles bounds the wait for one message before the next is taken: its
// export may wait for hours for a full disk, and the others must not.
const messageSettles = 10 * time.Minute

// Poll drains a queue, one message at a time: dequeue, download, raw file
// durable, land, ack. It returns when the queue is empty. The error is that
// which stopped it before; what was taken until then is safe all the same.
//
// The fetch, deliver and ack pools do the work, so Run must be running.
func (r *Relay) Poll(ctx context.Context, q Queue) (PollResult, error) { return r.poll(ctx, ctx, q) }

// poll takes no further message once taking has ended, and lets the call in
// work end: an answer to dequeue that is cut off hides its message for half an
// hour.
func (r *Relay) poll(ctx, taking context.Context, q Queue) (PollResult, error) {
	res := PollResult{Flow: q.Flow, Environment: q.Environment, Activity: string(q.Activity)}
	unlock, ok := r.lockQueue(q)
	if !ok {
		return res, ErrPolling
	}
	defer unlock()
	client := r.cfg.Environments[q.Environment].FinOps
	if client == nil {
		return res, fmt.Errorf("environment %s has no sign_in: a queue cannot be polled without", q.Environment)
	}
	before, err := r.db.Queue(ctx, q.Environment, string(q.Activity))
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return res, err
	}
	if err := r.db.PollBegun(ctx, q.Environment, string(q.Activity)); err != nil {
		return res, err
	}
	backlog := before.DrainedAt.IsZero()
	if backlog {
		if q.Backlog, err = r.decideBacklog(ctx, q, before); err != nil {
			return res, err
		}
	}
	if until := before.HeldBackAt.Add(backlogHides); backlog && r.db.Now().Before(until) {
		err = hiddenBacklog(q, until)
	} else {
		err = r.drain(ctx, taking, client, q, backlog, &res)
		res.Parked = r.parkedOf(durably(ctx), res.taken)
	}
	if err != nil && context.Cause(taking) != nil {
		return res, context.Cause(taking) // a stop is no problem of the queue
	}
	if err != nil {
		res.Problem = strings.ReplaceAll(err.Error(), "poll FLOW", "poll "+q.Flow)
		if down, ok := errors.AsType[*FinOpsError](asFinOpsError(err)); ok {
			res.Reason = down.Reason
		}
	}
	err = errors.Join(err, r.db.PollEnded(durably(ctx), q.Environment, string(q.Activity), res.Problem))
	if err == nil {
		err = r.settleAcks(ctx, client, q)
	}
	return res, err
}

// backlogHides is how long a message that was handed out and left may stay
// hidden, which makes the queue look empty: half an hour, and a bit.
const backlogHides = 31 * time.Minute

// decideBacklog gives what is to be done with the messages from before
// finrelay: as said now, or else before. It is kept, since the first of them
// may be hidden at this moment.
func (r *Relay) decideBacklog(ctx context.Context, q Queue, known state.Queue) (Backlog, error) {
	if q.Backlog == BacklogAsk || string(q.Backlog) == known.Backlog {
		return Backlog(known.Backlog), nil
	}
	return q.Backlog, r.db.DecideBacklog(ctx, q.Environment, string(q.Activity), string(q.Backlog))
}

// hiddenBacklog: nothing is taken while a message of the backlog is hidden. It
// is the oldest, and those behind it would land before it; and each look would
// hide one more.
func hiddenBacklog(q Queue, until time.Time) error {
	if q.Backlog == BacklogAsk {
		return ErrBacklog
	}
	return fmt.Errorf("a message from before finrelay was handed out and left; FinOps hides it until %s at the latest, and a poll after that takes the queue from its oldest message on",
		until.UTC().Format("15:04 MST"))
}

func (r *Relay) lockQueue(q Queue) (unlock func(), ok bool) {
	v, _ := r.polling.LoadOrStore(q.Environment+"/"+string(q.Activity), &sync.Mutex{})
	mu := v.(*sync.Mutex)
	return mu.Unlock, mu.TryLock()
}

// parkedOf counts what of some messages stands on the list: their exports, or
// they themselves as long as nothing of them could be opened.
func (r *Relay) parkedOf(ctx context.Context, shipments []string) (parked int) {
	for _, id := range shipments {
		exports, err := r.db.Exports(ctx, state.Filter{ShipmentID: id, States: []state.State{state.Parked}, Limit: -1})
		s, shipmentErr := r.db.Shipment(ctx, id)
		if err := errors.Join(err, shipmentErr); err != nil {
			r.log.Error("ledger", keyShipment, id, keyError, err)
			continue
		}
		parked += len(exports)
		if s.State == state.Parked && len(exports) == 0 {
			parked++
		}
	}
	return parked
}

func (r *Relay) drain(ctx, taking context.Context, client *dmf.Client, q Queue, backlog bool, res *PollResult) error {
	seen := map[string]bool{}
	told, end := r.progress(q)
	defer end()
	askRun := r.asksRuns(ctx, q.Environment, q.WithEvents)
	var again []string
	await := func(shipmentID string) error {
		told.begins(shipmentID)
		done, err := r.awaitMessage(taking, shipmentID)
		if err == nil && !done {
			res.Open++
		}
		told.ends(done)
		return err
	}
	for {
		if err := context.Cause(taking); err != nil {
			return err
		}
		r.cfg.Trace("dequeue")
		m, err := client.Dequeue(ctx, q.Activity)
		if errors.Is(err, dmf.ErrEmpty) {
			r.cfg.Trace("drained")
			for _, id := range again {
				if err := await(id); err != nil {
					return err
				}
			}
			return nil
		}
		if err != nil {
			return err
		}
		if seen[m.CorrelationID] {
			return fmt.Errorf("FinOps handed out message %s twice within minutes; it stays hidden for 30 minutes otherwise: the rest is left for the next poll", m.CorrelationID)
		}
		seen[m.CorrelationID] = true
		if backlog && q.Backlog == BacklogAsk {
			return errors.Join(ErrBacklog, r.db.HeldBack(durably(ctx), q.Environment, string(q.Activity))) // not stored: it comes again in 30 minutes
		}
		r.cfg.Trace("dequeued")
		n := newMessage(q, m, backlog && q.Backlog == BacklogPark)
		if askRun {
			// Without an answer it is asked again before the file is opened: the
			// message must be stored now, whatever FinOps says or a stop cuts off.
			if n.ExecutionID, err = r.executionOf(ctx, client, m.CorrelationID); err != nil {
				r.log.Debug("the run of a message is not known yet", "message", m.CorrelationID, keyError, err)
			}
		}
		receipt, err := r.db.AcceptMessage(durably(ctx), n)
		if err != nil {
			return err
		}
		r.cfg.Trace("message-stored")
		if receipt.New {
			res.Messages++
		} else {
			res.Redelivered++
		}
		res.taken = append(res.taken, receipt.ShipmentID)
		// One that came again because its file is not proved is fetched beside the
		// others: it has held nobody up for half an hour, and is not to begin now.
		if receipt.Again {
			again = append(again, receipt.ShipmentID)
		} else if err := await(receipt.ShipmentID); err != nil {
			return err
		}
	}
}

func newMessage(q Queue, m dmf.Message, park bool) state.NewMessage {
	n := state.NewMessage{
		Environment: q.Environment, Activity: string(q.Activity), CorrelationID: m.CorrelationID, Flow: q.Flow,
		Body: m.Raw, LinkPath: linkPath(m.DownloadLocation), Park: park,
	}
	// A location is tried even beside a flag that denies the file: what is
	// acked by mistake never comes again.
	if !m.HasFile && m.DownloadLocation == "" {
		n.NoFile = "FinOps says that the message has no file"
		if m.FileError != "" {
			n.NoFile += ": " + clip(m.FileError)
		}
	}
	return n
}

// soonAgain is how soon a download that failed is tried again for a poll to wait
// for it: the first two tries or so.
const soonAgain = 4 * time.Second

// awaitMessage waits until a message is acked, or until it is clear that it
// will not be soon. It says which.
func (r *Relay) awaitMessage(ctx context.Context, shipmentID string) (acked bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, messageSettles, errNotSoon)
	defer cancel()
	for {
		changed := r.db.Changed()
		acked, soon, err := r.messageStands(ctx, shipmentID)
		if err != nil && !errors.Is(context.Cause(ctx), errNotSoon) {
			return false, err
		}
		if acked || !soon {
			return acked, nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errNotSoon) {
				return false, nil
			}
			return false, context.Cause(ctx)
		case <-changed:
		}
	}
}

var errNotSoon = errors.New("the message does not come to rest soon")

// messageStands says whether a message is acked, and if not, whether that is
// only a matter of work that is going on.
func (r *Relay) messageStands(ctx context.Context, shipmentID string) (acked, soon bool, err error) {
	m, err := r.db.Message(ctx, shipmentID)
	if err != nil {
		return false, false, err
	}
	switch m.State {
	case state.Acked, state.Assumed:
		return true, false, nil
	case state.Due:
		return false, m.Attempts < 2, nil // the first ack failed: it goes on beside the next message
	case state.Stale:
		return false, false, nil
	}
	s, err := r.db.Shipment(ctx, shipmentID)
	if err != nil {
		return false, false, err
	}
	switch s.State {
	case state.Pending, state.Fetching:
		return false, true, nil
	case state.Waiting: // a page of a proxy that restarts, say: over in a moment
		return false, s.DueAt.Sub(r.db.Now()) <= soonAgain, nil
	case state.Fetched:
		waiting, err := r.anyWaiting(ctx, shipmentID)
		return false, !waiting, err
	case state.Settled:
		return r.originalsStand(ctx, shipmentID)
	}
	return false, false, nil
}

// originalsStand speaks of a message whose copy is dropped and whose ack waits
// until the export that has its rows has landed.
func (r *Relay) originalsStand(ctx context.Context, shipmentID string) (acked, soon bool, err error) {
	copies, err := r.db.Exports(ctx, state.Filter{ShipmentID: shipmentID, Reason: state.ReasonSameExport, Limit: -1})
	for _, c := range copies {
		original, err := r.db.Export(ctx, c.Twin)
		if err != nil || original.State != state.Open {
			continue // the ack comes with its end, in the same transaction
		}
		waiting, err := r.anyWaiting(ctx, original.ShipmentID)
		return false, err == nil && !waiting, err
	}
	return false, err == nil, err
}

func (r *Relay) anyWaiting(ctx context.Context, shipmentID string) (bool, error) {
	exports, err := r.db.Exports(ctx, state.Filter{ShipmentID: shipmentID, Limit: -1})
	if err != nil {
		return false, err
	}
	for _, e := range exports {
		deliveries, err := r.db.Deliveries(ctx, e.ID)
		if err != nil {
			return false, err
		}
		for _, d := range deliveries {
			if d.State == state.Waiting {
				return true, nil
			}
		}
	}
	return false, nil
}

// keepPolling polls a queue by its schedule until ctx ends. Slots that were
// missed run once, at once; a poll that failed is tried again before its slot.
func (r *Relay) keepPolling(ctx, work context.Context, q Queue) {
	log := r.log.With(keyEnvironment, q.Environment, keyFlow, q.Flow, "activity", string(q.Activity))
	var earliest time.Time
	for {
		due, err := r.NextPoll(ctx, q)
		if err != nil {
			if ctx.Err() == nil {
				log.Error("ledger", keyError, err)
			}
			due = r.db.Now().Add(firstWait)
		}
		if due.Before(earliest) {
			due = earliest
		}
		// Looked at anew now and then: what was taken on the way, or whose ack has
		// failed since, may come again before that.
		look := r.db.Now().Add(longestSleep)
		if later := due.After(look); later || !r.sleepUntil(ctx, due) {
			if later && r.sleepUntil(ctx, look) {
				continue
			}
			return
		}
		res, err := r.pollStopping(ctx, work, q)
		// A poll that did not even begin leaves its slot where it was, in the
		// past: without a pause the next try would follow at once, and so on.
		earliest = r.db.Now().Add(firstWait)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrPolling):
			log.Debug("queue is being polled already, because a person asked")
		case err != nil:
			log.Warn("queue not drained", "messages", res.Messages, keyError, err)
		case res.Messages+res.Redelivered > 0:
			log.Info("queue drained", "messages", res.Messages, "redelivered", res.Redelivered, "open", res.Open)
		}
	}
}

// pollStopping takes no further message once ctx has ended, and lets the one
// in work end with work.
func (r *Relay) pollStopping(ctx, work context.Context, q Queue) (PollResult, error) {
	poll, end := outlast(ctx, work)
	defer end()
	return r.poll(poll, ctx, q)
}

// callsEnd is how long a call to FinOps that has begun may go on when nothing
// more is to be begun.
const callsEnd = 5 * time.Second

// outlast gives a context that ends with work, or a moment after ctx.
func outlast(ctx, work context.Context) (context.Context, func()) {
	longer, cancel := context.WithCancelCause(work)
	cut := context.AfterFunc(ctx, func() { time.AfterFunc(callsEnd, func() { cancel(ErrStopping) }) })
	return longer, func() { cut(); cancel(nil) }
}

// NextPoll is when a queue is due: the slot after the last poll, in the past
// when it was missed; sooner after a poll that failed, while the exports of its
// flow are overdue, and when FinOps hands out again what is not proved or acked.
func (r *Relay) NextPoll(ctx context.Context, q Queue) (time.Time, error) {
	last, err := r.db.Queue(ctx, q.Environment, string(q.Activity))
	if errors.Is(err, state.ErrNotFound) {
		return r.db.Now(), nil
	}
	if err != nil {
		return time.Time{}, err
	}
	if now := r.db.Now(); last.LastPolledAt.After(now) { // the clock was set back
		last.LastPolledAt = now
	}
	due := q.Schedule.Next(last.LastPolledAt)
	if soon := last.LastPolledAt.Add(silentPoll); soon.Before(due) && r.silent(ctx, q) {
		due = soon
	}
	// What FinOps hands out again is looked for when it does, whatever the schedule.
	again, err := r.db.NextRedelivery(ctx, q.Environment, string(q.Activity))
	if err != nil {
		return time.Time{}, err
	}
	if least := last.LastPolledAt.Add(state.RedeliveryAfter); !again.IsZero() && again.Before(least) {
		again = least
	}
	if !again.IsZero() && again.Before(due) {
		due = again
	}
	if last.Problem == "" && last.DrainedAt.Before(last.LastPolledAt) {
		return r.db.Now(), nil // the process ended while it drained
	}
	if last.Failures > 0 {
		if again := last.LastPolledAt.Add(backoff(last.Failures+3, 0)); again.Before(due) {
			due = again
		}
	}
	return due, nil
}

// clockSetBack is by how much our clock must have gone back to be believed:
// time servers correct by less.
const clockSetBack = time.Minute

// sleepUntil waits for a moment by the ledger's clock; false when ctx ended. It
// returns before that when the clock was set back: then due was reckoned wrong.
func (r *Relay) sleepUntil(ctx context.Context, due time.Time) bool {
	begun := r.db.Now()
	for {
		now := r.db.Now()
		left := due.Sub(now)
		if left <= 0 || now.Before(begun.Add(-clockSetBack)) {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(min(left, longestSleep)): // the clock may be set meanwhile
		}
	}
}

// QueueOf finds the queue of a flow.
func (r *Relay) QueueOf(flow string) (Queue, bool) {
	for _, q := range r.cfg.Queues {
		if q.Flow == flow {
			return q, true
		}
	}
	return Queue{}, false
}

// Queues lists the configured queues.
func (r *Relay) Queues() []Queue { return r.cfg.Queues }

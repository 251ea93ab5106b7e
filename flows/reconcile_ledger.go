package flows

import (
	"context"
	"errors"
	"time"

	"finrelay/state"
)

// stand is how far what the ledger holds has come, the best last.
type stand int

const (
	standEmpty   stand = iota // a queue's message that has no file
	standStill                // expired or parked: only a person moves it
	standComing               // finrelay, or FinOps' queue, is at work on it
	standDropped              // a person said that the rows are not needed, or another export has them
	standLanded
)

// holding is one entity's rows as the ledger has them: an export, or a
// shipment that has not been opened.
type holding struct {
	shipment state.Shipment
	export   *state.Export // nil: not opened
	entity   string        // "" when not known yet
	project  string        // "" when nothing tells
	stand    stand
	key      string // of entity, see entityKey
}

// at is when it came: by FinOps' clock, where the shipment tells that.
func (h *holding) at() time.Time { return h.shipment.Order.At }

// covers says whether what came under a run's id may be, or hold, this entity.
func (h *holding) covers(run *pastRun, label string) bool {
	switch {
	case h.key == "", h.key == entityKey(label):
		return true
	case h.export != nil:
		return false
	}
	// The event of a whole package may bear another name than its entities.
	for _, e := range run.entities {
		if h.key == entityKey(e.label) {
			return false
		}
	}
	return true
}

// mayHold says the same of what came without an id.
func (h *holding) mayHold(run *pastRun, label string) bool {
	switch {
	case h.shipment.ExecutionID != "" || h.stand == standEmpty || !sameProject(h.project, run.project):
		return false
	case h.key == entityKey(label):
		return true
	}
	return h.export == nil && (h.key == "" || h.key == entityKey(run.project))
}

// ledgerView is the ledger's side of a comparison.
type ledgerView struct {
	byID       map[string][]*holding      // by folded execution id
	idless     map[string][]*holding      // what came without one, by key
	executions map[string]state.Execution // our own, by folded execution id
	unreadable []time.Time                // arrivals of events that nobody could read: each may be any export's
	queued     bool                       // the environment has queues that are polled
	drained    time.Time                  // since when none of them was found empty; zero: one never was
}

func newLedgerView() ledgerView {
	return ledgerView{byID: map[string][]*holding{}, idless: map[string][]*holding{}, executions: map[string]state.Execution{}}
}

func (v ledgerView) byExecution(id string) []*holding {
	if id == "" {
		return nil
	}
	return v.byID[fold(id)]
}

// knows says whether the ledger has an execution's id.
func (v ledgerView) knows(id string) bool {
	_, own := v.executions[fold(id)]
	return id != "" && (own || len(v.byExecution(id)) > 0)
}

// lookback is how much earlier than the history the ledger is read: a file
// comes after its run began, but two clocks are compared.
const lookback = 24 * time.Hour

// ledgerView reads what came since a time; all, when FinOps tells no time for
// some runs.
func (r *Relay) ledgerView(ctx context.Context, environment string, from time.Time, all bool) (ledgerView, error) {
	v := newLedgerView()
	since := state.Filter{Environment: environment, Since: from.Add(-lookback), Limit: -1}
	if all {
		since.Since = time.Time{}
	}
	shipments, err := r.db.Shipments(ctx, since)
	if err != nil {
		return v, err
	}
	exports, err := r.db.Exports(ctx, since)
	if err != nil {
		return v, err
	}
	of := map[string][]*state.Export{}
	for i := range exports {
		of[exports[i].ShipmentID] = append(of[exports[i].ShipmentID], &exports[i])
	}
	for _, s := range shipments {
		v.hold(s, of[s.ID], r.shipmentStand(s))
	}
	if err := r.ownExecutions(ctx, environment, &v); err != nil {
		return v, err
	}
	events, err := r.db.Events(ctx, state.Filter{Environment: environment, States: []state.State{state.Unreadable}, Limit: -1})
	for _, e := range events {
		v.unreadable = append(v.unreadable, e.ReceivedAt)
	}
	if err != nil {
		return v, err
	}
	return v, r.queuesDrained(ctx, environment, &v)
}

func (v *ledgerView) hold(s state.Shipment, exports []*state.Export, unopened stand) {
	var held []*holding
	for _, e := range exports {
		project := e.Project
		if project == "" {
			project = s.DefinitionGroup
		}
		held = append(held, &holding{shipment: s, export: e, entity: e.Entity, project: project, stand: exportStand(*e)})
	}
	if len(exports) == 0 {
		held = append(held, &holding{shipment: s, entity: s.Entity, project: s.DefinitionGroup, stand: unopened})
	}
	for _, h := range held {
		h.key = entityKey(h.entity)
		if s.ExecutionID == "" {
			v.idless[h.key] = append(v.idless[h.key], h)
		} else {
			v.byID[fold(s.ExecutionID)] = append(v.byID[fold(s.ExecutionID)], h)
		}
	}
}

func exportStand(e state.Export) stand {
	switch e.State {
	case state.Landed:
		return standLanded
	case state.Skipped:
		return standDropped
	case state.Open:
		return standComing
	}
	return standStill
}

// shipmentStand judges one that was not opened.
func (r *Relay) shipmentStand(s state.Shipment) stand {
	switch s.State {
	case state.Settled:
		switch s.Reason {
		case state.ReasonSkipped, state.ReasonSameExport, state.ReasonSuperseded:
			return standDropped
		}
		return standEmpty
	case state.Expired, state.Parked:
		// What a queue still holds comes again by itself, and so does a link
		// that is being asked for.
		if !s.RenewAt.IsZero() || r.whereShipment(s).Place == InFinOps {
			return standComing
		}
		return standStill
	}
	return standComing
}

func (r *Relay) ownExecutions(ctx context.Context, environment string, v *ledgerView) error {
	own, err := r.db.Executions(ctx, state.Filter{Environment: environment, Limit: -1})
	for _, x := range own {
		v.executions[fold(x.ExecutionID)] = x
	}
	return err
}

// queuesDrained finds the queue that was longest not found empty: what FinOps
// put into it since then may still wait there.
func (r *Relay) queuesDrained(ctx context.Context, environment string, v *ledgerView) error {
	for _, q := range r.cfg.Queues {
		if q.Environment != environment {
			continue
		}
		known, err := r.db.Queue(ctx, environment, string(q.Activity))
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
		if !v.queued || known.DrainedAt.Before(v.drained) {
			v.drained = known.DrainedAt
		}
		v.queued = true
	}
	return nil
}

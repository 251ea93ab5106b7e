package flows

import (
	"context"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// keepExporting runs a data project by its schedule until ctx ends. Slots that
// were missed run once, at once; a slot whose predecessor's runs are still open
// starts none.
func (r *Relay) keepExporting(ctx context.Context, p Project) {
	log := r.log.With(keyEnvironment, p.Environment, keyFlow, p.Flow, "project", p.Name)
	for {
		due := r.db.Now().Add(firstWait)
		last, err := r.db.Slot(ctx, p.Environment, string(p.Name))
		if err == nil {
			due = p.Schedule.Next(earlier(last, r.db.Now()))
		} else if ctx.Err() == nil {
			log.Error("ledger", keyError, err)
		}
		if !r.sleepUntil(ctx, due) {
			return
		}
		if err != nil || r.db.Now().Before(due) { // not yet: the clock was set back
			continue
		}
		ids, err := r.takeSlot(ctx, p, due)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("scheduled export not asked for", keyError, err)
			if !r.sleepUntil(ctx, r.db.Now().Add(firstWait)) {
				return
			}
		case len(ids) == 0:
			log.Warn("slot passed while the project's last run is still open", "slot", due)
		default:
			log.Info("scheduled export asked for", "slot", due, "executions", ids)
		}
	}
}

// earlier keeps a slot that was taken under a clock that was ahead from stopping
// the schedule until then.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// mostSlots bounds the walk over slots that were missed.
const mostSlots = 100_000

// takeSlot asks for a slot's runs. Of several that are due it takes the last.
func (r *Relay) takeSlot(ctx context.Context, p Project, slot time.Time) ([]string, error) {
	for range mostSlots {
		next := p.Schedule.Next(slot)
		if next.IsZero() || next.After(r.db.Now()) {
			break
		}
		slot = next
	}
	wanted, err := r.wantedRuns(ExportRequest{
		Environment: p.Environment, Project: string(p.Name), LegalEntities: p.LegalEntities, LandPartial: p.LandPartial, By: "the schedule",
	})
	if err != nil {
		return nil, err
	}
	return r.db.RequestSlot(ctx, p.Environment, string(p.Name), slot, wanted)
}

// wantedRuns are the runs that a request comes to, one for each company. Their
// ids are chosen here and stored before FinOps hears them: after a lost answer
// they are what the status can be asked with.
func (r *Relay) wantedRuns(q ExportRequest) ([]state.NewExecution, error) {
	companies := q.LegalEntities
	if len(companies) == 0 {
		companies = []string{""}
	}
	var wanted []state.NewExecution
	for _, c := range companies {
		id, err := dmf.NewExecutionID(dmf.DefinitionGroup(q.Project), r.db.Now(), nil)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, state.NewExecution{
			Environment: q.Environment, Project: q.Project, LegalEntity: c, ExecutionID: string(id), ParkPartial: !q.LandPartial, By: q.By,
		})
	}
	return wanted, nil
}

package flows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/state"
)

// runAgain is how often a full run that was started for an expired shipment is
// looked at.
const runAgain = 30 * time.Second

// projectFor gives the data project of which a full run would bring an expired
// shipment's rows, or why none is to be started. For an incremental project
// there is no such run: it would export what changed since, and the entity
// would look fresh with rows missing for ever.
func (r *Relay) projectFor(s state.Shipment) (p Project, why string) {
	f := r.fullRefresh(s)
	if f == nil {
		return p, "an incremental export cannot be repeated"
	}
	i := slices.IndexFunc(r.cfg.Projects, func(p Project) bool {
		return p.Flow == f.Name && p.Environment == s.Environment && p.RunWhenLost
	})
	switch {
	case i < 0:
		return p, "flow " + f.Name + " is not allowed to start a full run"
	case r.cfg.Environments[s.Environment].FinOps == nil:
		return p, errNoSignIn.Error()
	}
	p = r.cfg.Projects[i]
	companies := p.LegalEntities
	known := slices.ContainsFunc(companies, func(c string) bool { return strings.EqualFold(c, s.LegalEntity) })
	if len(companies) > 0 && !known {
		return p, fmt.Sprintf("company %q is not one that project %s is run for", s.LegalEntity, p.Name)
	}
	return p, ""
}

// supersede is the third rung: a full run is asked for.
func (r *Relay) supersede(ctx context.Context, s state.Shipment, p Project, detail string) error {
	id, err := dmf.NewExecutionID(p.Name, r.db.Now(), nil)
	if err != nil {
		return err
	}
	run, err := r.db.Supersede(ctx, s, state.NewExecution{
		Environment: s.Environment, Project: string(p.Name), LegalEntity: s.LegalEntity, ExecutionID: string(id),
		ParkPartial: !p.LandPartial, By: "finrelay, for " + s.ID,
	}, detail)
	if err != nil {
		return ignoreMoved(err)
	}
	r.log.Warn("full run started for lost rows", keyShipment, s.ID, keyEnvironment, s.Environment, "project", p.Name, "execution", run)
	return nil
}

// ignoreMoved takes a shipment for done with that has come to rest another way
// meanwhile.
func ignoreMoved(err error) error {
	if _, moved := errors.AsType[*state.TransitionError](err); moved {
		return nil
	}
	return err
}

// awaitRun looks whether the full run has landed the shipment's entity.
func (r *Relay) awaitRun(ctx context.Context, log *slog.Logger, s state.Shipment) func(context.Context) error {
	x, err := r.db.Execution(ctx, s.Superseding)
	if err != nil {
		return func(context.Context) error { return err }
	}
	later := func(ctx context.Context) error {
		return r.db.LaterRenewal(ctx, s, r.db.Now().Add(runAgain))
	}
	give := func(why string) func(context.Context) error {
		log.Warn("full run did not bring the lost rows", "execution", x.ID, keyReason, why)
		return func(ctx context.Context) error { return r.db.WaitRenewal(ctx, s, time.Time{}, why) }
	}
	switch x.State {
	case state.Failed, state.Skipped, state.Stuck:
		return give(fmt.Sprintf("full run %s is %s: %s", x.ID, x.State, x.Detail))
	case state.Done:
	default:
		return later
	}
	exports, err := r.db.Exports(ctx, state.Filter{ShipmentID: x.ShipmentID, Limit: -1})
	if err != nil {
		return func(context.Context) error { return err }
	}
	var landed string
	for _, e := range exports {
		if !strings.EqualFold(e.Entity, s.Entity) {
			continue
		}
		if e.Reason == state.ReasonSameExport { // the run's event was here first
			if e, err = r.db.Export(ctx, e.Twin); err != nil {
				return func(context.Context) error { return err }
			}
		}
		switch e.State {
		case state.Landed:
			// Whatever the flow is declared, the package says what it holds.
			if strings.EqualFold(e.RefreshType, "Incremental") {
				return give(fmt.Sprintf("%s of run %s is incremental, says its package: it does not bring the lost rows; declare the flow refresh: incremental", e.ID, x.ID))
			}
			landed = e.ID
		case state.Open:
			return later
		default:
			return give(fmt.Sprintf("%s of full run %s is %s", e.ID, x.ID, e.State))
		}
	}
	switch {
	case landed != "" && x.Status == string(dmf.StatusPartiallySucceeded):
		return give(fmt.Sprintf("full run %s only partly succeeded: what it holds of %s may not be all", x.ID, s.Entity))
	case landed != "":
		return func(ctx context.Context) error { return ignoreMoved(r.db.Superseded(ctx, s.ID, landed)) }
	}
	if pkg, err := r.db.Shipment(ctx, x.ShipmentID); err == nil && pkg.State != state.Settled && len(exports) == 0 && pkg.State != state.Parked {
		return later
	}
	return give(fmt.Sprintf("full run %s holds no data file of %s", x.ID, s.Entity))
}

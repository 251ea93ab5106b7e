package flows

import (
	"context"
	"fmt"

	"finrelay/state"
)

// advise says of each finding where the rows are and what a person can do.
func (r *Relay) advise(environment string, found []*Finding) {
	for _, f := range found {
		switch f.Kind {
		case FindMissing:
			r.adviseMissing(environment, f)
		case FindRows:
			f.Next = fmt.Sprintf("finrelay exports show %s, and compare with the execution in FinOps; if rows are missing: %s", f.Exports[0], r.again(environment, f))
		case FindTwice:
			f.Next = fmt.Sprintf("see whether who reads the files can take rows twice: finrelay exports show %s, then show %s", f.Exports[0], f.Exports[1])
			if !f.Certain {
				f.Next += "; they may be two runs' rows"
			}
		case FindFailed:
			if f.Open {
				f.Next = "look at the execution in FinOps (Data management > Job history), mend what it says, and run the project again"
			}
		case FindOwn:
			if f.Open {
				f.Next = naming(Advice(state.ReasonStuck), f.own, "")
			}
		case FindTruncated:
			f.Next = "compare less at once: name data projects with --project, or a later time with --from"
		}
	}
}

func (r *Relay) adviseMissing(environment string, f *Finding) {
	if len(f.held) > 0 && f.held[0].stand == standStill {
		w := r.whereHeld(f.held[0])
		f.Where, f.Next = w.String(), w.Next
		if f.fixable() && f.held[0].export == nil {
			f.Next = fmt.Sprintf("finrelay reconcile %s --fix runs it again, with a fresh link if FinOps gives one; or %s", environment, w.Next)
		}
		return
	}
	id := f.ExecutionID
	switch {
	case f.Horizon == nil:
		f.Where, f.Next = string(AtRisk), "look at the execution in FinOps; if its rows are missing here: "+r.again(environment, f)
	case f.Horizon.Gone:
		f.Where, f.Next = string(Lost), "FinOps has deleted the file: "+r.again(environment, f)
	case f.Certain:
		f.Where = Whereabouts{Place: InFinOps, Until: f.Horizon.Until}.String()
		f.Next = fmt.Sprintf("finrelay reconcile %s --fix asks FinOps for the package of execution %s; if it gives none: %s", environment, id, r.again(environment, f))
	default:
		f.Where = Whereabouts{Place: AtRisk, Until: f.Horizon.Until}.String()
		f.Next = fmt.Sprintf("see whether it landed under another run: finrelay exports --entity %q; if not: %s", f.Entity, r.again(environment, f))
	}
}

// whereHeld is where the rows of what stands still are.
func (r *Relay) whereHeld(h *holding) Whereabouts {
	if h.export == nil {
		return r.ShipmentWhereabouts(h.shipment)
	}
	deliveries, err := r.db.Deliveries(context.Background(), h.export.ID)
	if err != nil {
		deliveries = nil // only what was delivered already would be told besides
	}
	return r.ExportWhereabouts(*h.export, h.shipment, deliveries)
}

// again says how the rows come once more, which depends on how they are exported.
func (r *Relay) again(environment string, f *Finding) string {
	if flow := r.fullRefresh(state.Shipment{Environment: environment, Entity: f.Entity}); flow != nil {
		return fmt.Sprintf("flow %s is declared refresh: full, so finrelay export %q --environment %s brings all rows again", flow.Name, f.Project, environment)
	}
	return fmt.Sprintf("run a full push of %q in FinOps (data project %q, Refresh type: Full push only); an incremental run does not send these rows again", f.Entity, f.Project)
}

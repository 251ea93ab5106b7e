package flows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// fixable: only what an id says, and only while FinOps has the file.
func (f *Finding) fixable() bool {
	return f.Kind == FindMissing && f.Certain && (f.Horizon == nil || !f.Horizon.Gone)
}

// fixer sets going what is certain to be missing. It never starts an
// execution: see docs/decisions/0010.
type fixer struct {
	relay  *Relay
	client *dmf.Client
	by     string
	q      ReconcileRequest
	reruns map[string]*Fixed // by shipment
	broken error             // FinOps could not be asked: nothing more is asked
}

func (r *Relay) fix(ctx context.Context, client *dmf.Client, q ReconcileRequest, c *comparison) {
	x := &fixer{relay: r, client: client, by: "reconcile by " + q.By, q: q, reruns: map[string]*Fixed{}}
	var order []*pastRun
	absent := map[*pastRun][]*Finding{}
	for _, f := range c.found {
		switch {
		case f.Kind != FindMissing || !f.Certain:
		case !f.fixable():
			f.Fix = &Fixed{Note: "FinOps keeps a package for 7 days, and these are over"}
		case len(f.held) > 0 && f.held[0].stand == standStill:
			f.Fix = x.rerun(ctx, f.held)
		default:
			if absent[f.run] == nil {
				order = append(order, f.run)
			}
			absent[f.run] = append(absent[f.run], f)
		}
	}
	for _, run := range order {
		x.adopt(ctx, run, absent[run], c.wholeAbsent(run, absent[run]))
	}
}

// rerun sets a shipment going whose rows are not here: its link is tried, and
// when that is dead FinOps is asked for a fresh one.
func (x *fixer) rerun(ctx context.Context, held []*holding) *Fixed {
	for _, h := range held {
		if h.export != nil || h.shipment.RawHere() {
			continue
		}
		id := h.shipment.ID
		if done := x.reruns[id]; done != nil {
			return done
		}
		fixed := &Fixed{Action: "rerun", Shipment: id}
		x.reruns[id] = fixed
		results, err := x.relay.RerunIDs(ctx, []string{id}, false, x.by)
		switch {
		case err != nil:
			fixed.Note = err.Error()
		case len(results) > 0:
			fixed.Done, fixed.Note = results[0].Queued, results[0].Refusal
		}
		return fixed
	}
	return &Fixed{Note: "its raw file is here: what stands in the way is no missing link"}
}

// wholeAbsent says whether nothing of a run is here and all of it is wanted.
// Otherwise single entities are taken: a second whole package would land the
// others twice, and a failed entity's file may be cut short.
func (c *comparison) wholeAbsent(run *pastRun, absent []*Finding) bool {
	if len(c.view.byExecution(run.id)) > 0 {
		return false
	}
	wanted := len(absent)
	for _, e := range run.entities {
		switch {
		case e.fate != fateExported:
			return false
		case e.empty():
			wanted++
		}
	}
	return wanted == len(run.entities)
}

// adopt asks for a run's package and makes it a shipment, or one for each
// entity that is missing.
func (x *fixer) adopt(ctx context.Context, run *pastRun, absent []*Finding, whole bool) {
	refuse := func(err error) {
		for _, f := range absent {
			f.Fix = &Fixed{Action: "adopted", Note: clip(err.Error())}
		}
	}
	link, err := x.packageLink(ctx, run.id)
	if err != nil {
		refuse(err)
		return
	}
	a := state.Adoption{
		Environment: x.q.Environment, Project: run.project, ExecutionID: run.id, At: run.at(), Link: link, LinkPath: linkPath(link), By: x.by,
	}
	if info, err := fetch.ParseLink(link); err == nil {
		a.Deadline = info.Expiry
	}
	if !whole {
		for _, f := range absent {
			a.Entities = append(a.Entities, f.Entity)
		}
	}
	adopted, err := x.relay.db.AdoptPackage(durably(ctx), a)
	if err != nil {
		refuse(err)
		return
	}
	for i, f := range absent {
		one := adopted[0]
		if !whole {
			one = adopted[i]
		}
		f.Fix = &Fixed{Done: true, Action: "adopted", Shipment: one.ShipmentID}
		if !one.New {
			f.Fix.Action, f.Fix.Note = "", "it came by itself meanwhile"
		}
	}
}

// Bounds of asking for the link to a package that is long there: the first
// answer of a FinOps that was not asked before can be empty all the same.
const (
	linkTries = 3
	linkPause = time.Second
)

func (x *fixer) packageLink(ctx context.Context, executionID string) (string, error) {
	if x.broken != nil {
		return "", fmt.Errorf("not asked, FinOps did not answer before: %w", x.broken)
	}
	for n := 1; ; n++ {
		link, err := x.client.ExportedPackageURL(ctx, dmf.ExecutionID(executionID))
		if err != nil {
			if down, ok := errors.AsType[*FinOpsError](asFinOpsError(err)); ok && down.Reason != state.ReasonFinOps && !errors.Is(err, dmf.ErrExecutionNotFound) {
				x.broken = err
			}
			return "", err
		}
		if link != "" {
			return link, nil
		}
		if n == linkTries {
			return "", errNoPackage
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(linkPause):
		}
	}
}

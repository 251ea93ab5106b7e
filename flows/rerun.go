package flows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"finrelay/state"
)

// Rerun is what a person's wish to run something again came to.
type Rerun struct {
	ID      string       `json:"id"`
	Entity  string       `json:"entity,omitempty"`
	Was     state.State  `json:"was"`
	Reason  state.Reason `json:"reason,omitempty"`
	Queued  bool         `json:"queued"`            // or, in a dry run, would be
	Refusal string       `json:"refusal,omitempty"` // why not, and what to do
	// SameAs is the export that has its rows already, LandedIn its files: with
	// them it is refused, unless the person says that it shall land again.
	SameAs   string   `json:"same_as,omitempty"`
	LandedIn []string `json:"landed_in,omitempty"`
}

// rerunHow is how a person wants it.
type rerunHow struct {
	dry   bool   // say what would happen and change nothing
	again bool   // land even what has landed with another export
	by    string // who
}

// RerunIDs sets exports, shipments or unreadable events going again. A dry run
// says what would happen and changes nothing. The error is about the ledger;
// what cannot be run again is a Rerun with a Refusal.
func (r *Relay) RerunIDs(ctx context.Context, ids []string, dry bool, by string) ([]Rerun, error) {
	return r.rerunIDs(ctx, ids, rerunHow{dry: dry, by: by})
}

// RerunAgain is RerunIDs that also lands exports whose rows have landed with
// another export: for a person who knows that those are not there any more, or
// not the same after all.
func (r *Relay) RerunAgain(ctx context.Context, ids []string, dry bool, by string) ([]Rerun, error) {
	return r.rerunIDs(ctx, ids, rerunHow{dry: dry, again: true, by: by})
}

func (r *Relay) rerunIDs(ctx context.Context, ids []string, how rerunHow) ([]Rerun, error) {
	var all []Rerun
	for _, start := range ids {
		id, err := r.db.Find(ctx, start)
		if errors.Is(err, state.ErrNotFound) {
			all = append(all, Rerun{ID: start, Refusal: err.Error()})
			continue
		}
		if err != nil {
			return all, err
		}
		some, err := r.rerunOne(ctx, id, how)
		if err != nil {
			return all, fmt.Errorf("rerun %s: %w", id, err)
		}
		for _, one := range some {
			one.Refusal = naming(one.Refusal, one.ID, one.Entity)
			all = append(all, one)
		}
	}
	return all, nil
}

// RerunMatching sets going all that a filter finds. Without states it takes
// what stands still: parked exports, parked and expired shipments, unreadable
// events.
func (r *Relay) RerunMatching(ctx context.Context, f state.Filter, dry bool, by string) ([]Rerun, error) {
	ids, err := r.matching(ctx, f, state.Parked, state.Expired, state.Unreadable)
	if err != nil {
		return nil, err
	}
	return r.RerunIDs(ctx, ids, dry, by)
}

func (r *Relay) rerunOne(ctx context.Context, id string, how rerunHow) ([]Rerun, error) {
	switch state.KindOf(id) {
	case state.KindExport:
		one, err := r.rerunExport(ctx, id, how)
		return []Rerun{one}, err
	case state.KindShipment:
		return r.rerunShipment(ctx, id, how)
	}
	one, err := r.rerunEvent(ctx, id, how)
	return []Rerun{one}, err
}

func (r *Relay) rerunExport(ctx context.Context, id string, how rerunHow) (Rerun, error) {
	e, err := r.db.Export(ctx, id)
	if err != nil {
		return Rerun{}, err
	}
	res := Rerun{ID: id, Entity: e.Entity, Was: e.State, Reason: e.Reason}
	var removed *state.Delivery
	if e.State == state.Open {
		if removed, err = r.removedOutput(ctx, id); err != nil {
			return res, err
		}
		if removed == nil {
			return r.rerunWaiting(ctx, res, how.dry, how.by)
		}
		res.Was, res.Reason = state.Waiting, state.ReasonOutputRemoved
	}
	s, err := r.db.Shipment(ctx, e.ShipmentID)
	if err != nil {
		return res, err
	}
	res.Refusal = r.exportRefusal(e, s)
	if res.Refusal != "" {
		return res, nil
	}
	if !how.again {
		if err := r.landedAlready(ctx, &res, e); err != nil || res.Refusal != "" {
			return res, err
		}
	}
	subject, err := r.exportSubject(ctx, e, s)
	if err != nil {
		return res, err
	}
	taken, err := r.route(ctx, subject)
	if bad, ok := errors.AsType[*ConditionError](err); ok {
		res.Refusal = bad.Error()
		return res, nil
	}
	if err != nil {
		return res, err
	}
	wanted := deliveries(taken)
	if removed != nil && !how.dry {
		// It stands on the list until it has its way anew, in the next transition,
		// or for good when no flow takes it any more.
		key := state.DeliveryKey{ExportID: id, Output: removed.Output}
		if err := r.db.ParkDelivery(ctx, key, state.ReasonNoFlow, "no flow takes it, and "+removed.Detail, state.Counts{}); err != nil {
			return refused(res, err)
		}
	}
	if len(wanted) == 0 {
		res.Refusal = "no flow takes it" + r.notEven(ctx, subject) + ": " + Advice(state.ReasonNoFlow)
		return res, nil
	}
	res.Queued = true
	if how.dry {
		return res, nil
	}
	if err := r.db.NameExport(ctx, id, subject.Entity, subject.LegalEntity); err != nil {
		return res, err
	}
	run := r.db.RerunExport
	if how.again {
		run = r.db.LandAgain
	}
	err = run(ctx, id, taken[0].Name, wanted, "by "+how.by)
	if _, ok := errors.AsType[*state.SameExportError](err); ok { // the other came in this very moment
		res.Queued, res.Refusal = false, err.Error()
		return res, r.landedAlready(ctx, &res, e)
	}
	return refused(res, err)
}

// landedAlready refuses to run a parked export whose rows are proven to have
// come with another one, and says where they are.
func (r *Relay) landedAlready(ctx context.Context, res *Rerun, e state.Export) error {
	same, err := r.db.SameExport(ctx, e)
	if err != nil || same == "" {
		return err
	}
	other, err := r.db.Export(ctx, same)
	if err != nil {
		return err
	}
	files, err := r.db.Deliveries(ctx, same)
	if err != nil {
		return err
	}
	res.SameAs = same
	for _, d := range files {
		if d.State == state.Delivered && d.Path != "" {
			res.LandedIn = append(res.LandedIn, d.Path)
		}
	}
	at := "landed already with " + same
	if other.State != state.Landed {
		at = "is on its way already with " + same
	}
	if len(res.LandedIn) > 0 {
		at += " in " + strings.Join(res.LandedIn, ", ")
	}
	res.Refusal = "the same export (execution and entity) " + at + ": finrelay skip EXPORT-ID --why \"landed with " + same +
		"\" takes it off the list; finrelay rerun EXPORT-ID --again lands it a second time"
	return nil
}

// removedOutput gives the delivery of an export that waits for an output which
// the configuration does not have any more; nil when none does.
func (r *Relay) removedOutput(ctx context.Context, exportID string) (*state.Delivery, error) {
	deliveries, err := r.db.Deliveries(ctx, exportID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(deliveries, func(d state.Delivery) bool { return d.State == state.Waiting && r.cfg.Outputs[d.Output] == nil })
	if i < 0 {
		return nil, nil
	}
	return &deliveries[i], nil
}

// rerunWaiting has an export tried at once that waits for its next try. One
// that does not wait is on its way.
func (r *Relay) rerunWaiting(ctx context.Context, res Rerun, dry bool, by string) (Rerun, error) {
	deliveries, err := r.db.Deliveries(ctx, res.ID)
	if err != nil {
		return res, err
	}
	waits := slices.IndexFunc(deliveries, func(d state.Delivery) bool { return d.State == state.Waiting })
	if waits < 0 {
		res.Refusal = "it is on its way already"
		return res, nil
	}
	res.Was, res.Reason, res.Queued = state.Waiting, deliveries[waits].Reason, true
	if dry {
		return res, nil
	}
	_, err = r.db.Retry(ctx, state.RetryScope{ExportID: res.ID}, "by "+by)
	return res, err
}

func (r *Relay) exportRefusal(e state.Export, s state.Shipment) string {
	switch {
	case e.State == state.Skipped:
		return "it was skipped " + e.Detail
	case e.Reason == state.ReasonMissingMember:
		return Advice(e.Reason)
	case !s.RawHere():
		return "its raw file was removed " + s.RawRemovedAt.Format("2006-01-02") + ", after the retention time: " + r.fullPush(s)
	}
	if _, err := os.Stat(r.inFolder(s.RawFile)); err != nil {
		return fmt.Sprintf("its raw file cannot be read: %v", err)
	}
	return ""
}

func (r *Relay) rerunShipment(ctx context.Context, id string, how rerunHow) ([]Rerun, error) {
	s, err := r.db.Shipment(ctx, id)
	if err != nil {
		return nil, err
	}
	if s.State == state.Settled {
		exports, err := r.db.Exports(ctx, state.Filter{ShipmentID: id, Limit: -1})
		if err != nil {
			return nil, err
		}
		var all []Rerun
		for _, e := range exports {
			one, err := r.rerunExport(ctx, e.ID, how)
			if err != nil {
				return all, err
			}
			all = append(all, one)
		}
		return all, nil
	}
	res := Rerun{ID: id, Entity: s.Entity, Was: s.State, Reason: s.Reason}
	switch s.State {
	case state.Pending, state.Fetching, state.Fetched:
		res.Refusal = "it is on its way already"
		return []Rerun{res}, nil
	}
	res.Queued = true
	if how.dry {
		return []Rerun{res}, nil
	}
	res, err = refused(res, r.db.RerunShipment(ctx, id, "by "+how.by))
	return []Rerun{res}, err
}

// rerunEvent reads the body of an event again that was not understood, or in
// which no link was found, with the field names of today.
func (r *Relay) rerunEvent(ctx context.Context, id string, how rerunHow) (Rerun, error) {
	e, err := r.db.Event(ctx, id)
	if err != nil {
		return Rerun{}, err
	}
	res := Rerun{ID: id, Entity: e.Entity, Was: e.State, Reason: e.Reason}
	if e.State != state.Unreadable {
		res.Refusal = "it was read; what can run again is its shipment " + e.ShipmentID
		return res, nil
	}
	body, err := r.db.UnreadBody(ctx, id)
	if err != nil {
		return res, err
	}
	arrivals := ReadBody(e.Environment, e.Door, body, r.cfg.FieldNames)
	var entries []state.Arrival
	understood := false
	for _, a := range arrivals {
		if a.Event == nil {
			res.Refusal = fmt.Sprintf("it still cannot be read (%v): %s", a.Problem, r.unreadAdvice(state.ReasonUnreadable, linkFields(body)))
			return res, nil
		}
		entry := a.ledgerEntry()
		understood = understood || entry.State != state.Unreadable
		entries = append(entries, entry)
	}
	if !understood {
		res.Refusal = "still no link is found in it: " + r.unreadAdvice(state.ReasonNoLinkFound, linkFields(body))
		return res, nil
	}
	res.Queued = true
	if how.dry {
		return res, nil
	}
	_, err = r.db.Reread(ctx, id, entries)
	return refused(res, err)
}

// refused turns a state that changed under the hand into a refusal.
func refused(res Rerun, err error) (Rerun, error) {
	if t, ok := errors.AsType[*state.TransitionError](err); ok {
		res.Queued, res.Refusal = false, t.Error()
		return res, nil
	}
	return res, err
}

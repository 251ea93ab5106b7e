package flows

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"finrelay/exporter/unpack"
	"finrelay/state"
)

// open finds the exports in a raw file and gives each its flow and outputs.
// One member that must not be opened, or that no flow takes, does not hold up
// the others. When the file cannot be read for the moment, open keeps the
// claim and says after what time to give it back with rest.
func (r *Relay) open(ctx context.Context, s state.Shipment) (again time.Duration) {
	log := r.log.With(keyShipment, s.ID, keyEnvironment, s.Environment)
	var project string
	var exports []state.NewExport
	err := guard(func() (err error) {
		project, exports, err = r.plan(ctx, s)
		return err
	})
	if err == nil {
		r.cfg.Trace("open")
		if !r.record(ctx, log, func(ctx context.Context) error { return r.db.Opened(ctx, s.ID, project, exports) }) {
			return 0
		}
		r.cfg.Trace("opened")
		r.tries(s.ID, false)
		for _, e := range exports {
			if e.Reason == state.ReasonSameExport {
				log.Info("not landed again", keyExport, state.ExportID(s.ID, e.Member), keyEntity, e.Entity, "same_as", e.Twin)
			} else if e.Reason != "" {
				log.Warn("parked, a person is needed", keyExport, state.ExportID(s.ID, e.Member), keyEntity, e.Entity, keyReason, e.Reason, keyError, e.Detail)
			}
		}
		return 0
	}
	v := r.judge(err, r.tries(s.ID, true), time.Time{})
	switch v.action {
	case release:
		r.record(ctx, log, func(ctx context.Context) error { return r.db.ReleaseOpening(ctx, s.ID) })
	case park, renew:
		r.tries(s.ID, false)
		log.Warn("parked, a person is needed", keyReason, v.reason, keyError, v.detail)
		r.record(ctx, log, func(ctx context.Context) error { return r.db.ParkShipment(ctx, s.ID, v.reason, v.detail) })
	default:
		log.Warn("opening waits", keyReason, v.reason, "again_in", v.after.Round(time.Millisecond), keyError, v.detail)
		return v.after
	}
	return 0
}

// rest gives a claimed opening back after a time, or when ctx ends. The ledger
// has no due time for openings: given back at once, it would be claimed and
// given back without end.
func (r *Relay) rest(ctx context.Context, id string, after time.Duration) {
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	r.record(ctx, r.log.With(keyShipment, id), func(ctx context.Context) error { return r.db.ReleaseOpening(ctx, id) })
}

// tries counts the openings of a raw file that cannot be read; it forgets one
// that is settled.
func (r *Relay) tries(id string, failed bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !failed {
		delete(r.openings, id)
		return 0
	}
	r.openings[id]++
	return r.openings[id]
}

// errNothingInside: a package with no data file is not an export of no rows.
var errNothingInside = errors.New("the package holds no data file")

// plan reads what is inside and decides about each file, once it is known of
// which run it is.
func (r *Relay) plan(ctx context.Context, s state.Shipment) (project string, exports []state.NewExport, err error) {
	unproven, err := r.nameRun(ctx, &s)
	if err != nil {
		return "", nil, err
	}
	project, exports, err = r.planFile(ctx, s)
	if unproven {
		for i := range exports {
			exports[i].HoldTwin = true
		}
	}
	return project, exports, err
}

func (r *Relay) planFile(ctx context.Context, s state.Shipment) (project string, exports []state.NewExport, err error) {
	from, err := r.subjectOf(ctx, s)
	if err != nil {
		return "", nil, err
	}
	from.Event, err = r.db.Body(ctx, s.EventID)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return "", nil, err
	}
	if s.Source == byQueue && s.Entity == "" {
		s.Entity = r.queueEntity(from)
	}
	if s.RawBytes == 0 {
		e, err := r.planMember(ctx, s, unpack.Member{}, true, from)
		return s.DefinitionGroup, []state.NewExport{e}, err
	}
	contents, err := r.openRaw(s)
	if err != nil {
		return "", nil, err
	}
	defer contents.Close()
	if contents.Project != "" {
		from.Project = contents.Project
	}
	for _, m := range contents.Members {
		if s.WholePackage && !strings.EqualFold(entityOf(s, m), s.Entity) {
			continue // each of the execution's entities has an event of its own
		}
		e, err := r.planMember(ctx, s, m, len(contents.Members) == 1, from)
		if err != nil {
			return "", nil, err
		}
		exports = append(exports, e)
	}
	for _, m := range contents.Missing {
		if s.WholePackage && !strings.EqualFold(m.Entity, s.Entity) {
			continue
		}
		exports = append(exports, state.NewExport{
			Member: m.File, Entity: m.Entity, LegalEntity: from.LegalEntity, Reason: state.ReasonMissingMember,
			Detail: fmt.Sprintf("the manifest names %s for %s, but the package does not hold it", m.File, m.Entity),
		})
	}
	if len(exports) == 0 && s.WholePackage {
		exports = append(exports, state.NewExport{
			Entity: s.Entity, LegalEntity: s.LegalEntity, Reason: state.ReasonMissingMember,
			Detail: fmt.Sprintf("the package of execution %s holds no data file of %s", s.ExecutionID, s.Entity),
		})
	}
	if len(exports) == 0 {
		return "", nil, asDamaged(errNothingInside)
	}
	if len(contents.Warnings) > 0 {
		exports[0].Notes = join(exports[0].Notes, strings.Join(contents.Warnings, "; "))
	}
	return from.Project, exports, nil
}

// queueEntity names what a queue's bare file holds, since neither the message
// nor the file does: the one entity that the queue's flow takes, else the
// flow's name. In a package the manifest names the entities.
func (r *Relay) queueEntity(from Subject) string {
	f := r.ownFlow(from)
	if f != nil && len(f.Entities) == 1 && !strings.ContainsAny(f.Entities[0], "*?") {
		return f.Entities[0]
	}
	return from.Polled // "" when the queue is polled no more: the file's own name stands
}

// planMember names an export and routes it.
func (r *Relay) planMember(ctx context.Context, s state.Shipment, m unpack.Member, only bool, from Subject) (state.NewExport, error) {
	e := state.NewExport{
		Member:       m.Name,
		Entity:       entityOf(s, m),
		TargetEntity: m.TargetEntity,
		LegalEntity:  from.LegalEntity,
		RefreshType:  m.RefreshType,
	}
	// The event counts the rows of its own entity, not of a package's others.
	if only || strings.EqualFold(e.Entity, s.Entity) {
		e.ExpectedRows = s.ExpectedRows
	}
	if m.Name != "" && !m.Declared {
		e.Notes = "not declared in the package's manifest"
	}
	if m.Err != nil {
		v := r.judge(m.Err, s.Attempts, s.Deadline)
		e.Reason, e.Detail = v.reason, v.detail
		return e, nil
	}
	from.Entity, from.TargetEntity = e.Entity, e.TargetEntity
	taken, err := r.route(ctx, from)
	if bad, ok := errors.AsType[*ConditionError](err); ok {
		e.Reason, e.Detail = state.ReasonFlowError, bad.Error()
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Deliveries = deliveries(taken)
	if len(e.Deliveries) == 0 {
		e.Reason, e.Detail = state.ReasonNoFlow, fmt.Sprintf("no flow takes entity %q of legal entity %q in %s%s", e.Entity, e.LegalEntity, s.Environment, r.notEven(ctx, from))
		return e, nil
	}
	e.Flow = taken[0].Name
	e.TwinSearch, err = r.twins(ctx, s, taken[0])
	return e, err
}

// twinWindow is how far apart the same export can come by event and by queue:
// a poll's interval, and a message's half hour in hiding.
const twinWindow = 45 * time.Minute

// twins says how the ledger is to look for an export that came another way and
// may hold the same rows. Only FinOps' identities make a duplicate, and none
// joins an event's file with a queue's package, so both land unless the flow
// says otherwise.
func (r *Relay) twins(ctx context.Context, s state.Shipment, f *Flow) (state.TwinSearch, error) {
	if len(r.cfg.Queues) == 0 {
		return state.TwinSearch{}, nil
	}
	within, err := r.twinWithin(ctx, s)
	return state.TwinSearch{TwinWithin: within, HoldTwin: f.HoldTwins}, err
}

// twinSlack is for a message that was hidden when the queue was found empty.
const twinSlack = 15 * time.Minute

// twinWithin is longer for a message after a while without polls: it may have
// been in the queue since that was last found empty.
func (r *Relay) twinWithin(ctx context.Context, s state.Shipment) (time.Duration, error) {
	if s.Source != "queue" {
		return twinWindow, nil
	}
	m, err := r.db.Message(ctx, s.ID)
	if err != nil {
		return 0, err
	}
	q, err := r.db.Queue(ctx, s.Environment, m.Activity)
	if err != nil {
		return 0, err
	}
	if q.DrainedAt.IsZero() {
		return state.MessageLife, nil
	}
	return max(twinWindow, s.Order.At.Sub(q.DrainedAt)+twinSlack), nil
}

// entityOf prefers the manifest's label, then the event's, then the file name.
func entityOf(s state.Shipment, m unpack.Member) string {
	switch {
	case m.Name == "" && s.Entity != "":
		return s.Entity
	case m.Entity != "":
		return m.Entity
	case m.Name != "":
		return strings.TrimSuffix(path.Base(m.Name), path.Ext(m.Name))
	}
	return strings.TrimSuffix(rawName(s), path.Ext(rawName(s)))
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

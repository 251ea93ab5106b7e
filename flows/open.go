package flows

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"finrelay/exporter/unpack"
	"finrelay/state"
)

// open finds the exports in a raw file and gives each its flow and outputs.
// One member that must not be opened, or that no flow takes, does not hold up
// the others.
func (r *Relay) open(ctx context.Context, s state.Shipment) {
	log := r.log.With(keyShipment, s.ID, keyEnvironment, s.Environment)
	var project string
	var exports []state.NewExport
	err := guard(func() (err error) {
		project, exports, err = r.plan(ctx, s)
		return err
	})
	if err == nil {
		r.cfg.Trace("open")
		if err := r.db.Opened(durably(ctx), s.ID, project, exports); err != nil {
			log.Error("ledger", keyError, err)
		}
		r.cfg.Trace("opened")
		for _, e := range exports {
			if e.Reason != "" {
				log.Warn("parked, a person is needed", keyExport, state.ExportID(s.ID, e.Member), keyEntity, e.Entity, keyReason, e.Reason, keyError, e.Detail)
			}
		}
		return
	}
	v := r.judge(err, s.Attempts, s.Deadline)
	if v.action == park {
		log.Warn("parked, a person is needed", keyReason, v.reason, keyError, v.detail)
		err = r.db.ParkShipment(durably(ctx), s.ID, v.reason, v.detail)
	} else {
		err = r.db.ReleaseOpening(durably(ctx), s.ID)
	}
	if err != nil {
		log.Error("ledger", keyError, err)
	}
}

// errNothingInside: a package with no data file is not an export of no rows.
var errNothingInside = errors.New("the package holds no data file")

// plan reads what is inside and decides about each file.
func (r *Relay) plan(ctx context.Context, s state.Shipment) (project string, exports []state.NewExport, err error) {
	event, err := r.db.Body(ctx, s.EventID)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return "", nil, err
	}
	if s.RawBytes == 0 {
		e, err := r.planMember(ctx, s, unpack.Member{}, true, event)
		return s.DefinitionGroup, []state.NewExport{e}, err
	}
	contents, err := unpack.Open(r.inFolder(s.RawFile), r.unpackOptions(s))
	if err != nil {
		return "", nil, err
	}
	defer contents.Close()
	for _, m := range contents.Members {
		e, err := r.planMember(ctx, s, m, len(contents.Members) == 1, event)
		if err != nil {
			return "", nil, err
		}
		exports = append(exports, e)
	}
	for _, m := range contents.Missing {
		exports = append(exports, state.NewExport{
			Member: m.File, Entity: m.Entity, LegalEntity: s.LegalEntity, Reason: state.ReasonMissingMember,
			Detail: fmt.Sprintf("the manifest names %s for %s, but the package does not hold it", m.File, m.Entity),
		})
	}
	if len(exports) == 0 {
		return "", nil, asDamaged(errNothingInside)
	}
	if len(contents.Warnings) > 0 {
		exports[0].Notes = join(exports[0].Notes, strings.Join(contents.Warnings, "; "))
	}
	if project = contents.Project; project == "" {
		project = s.DefinitionGroup
	}
	return project, exports, nil
}

func (r *Relay) unpackOptions(s state.Shipment) unpack.Options {
	return unpack.Options{Limits: r.cfg.Limits, Name: rawName(s)}
}

// planMember names an export and routes it.
func (r *Relay) planMember(ctx context.Context, s state.Shipment, m unpack.Member, only bool, event []byte) (state.NewExport, error) {
	e := state.NewExport{
		Member:       m.Name,
		Entity:       entityOf(s, m),
		TargetEntity: m.TargetEntity,
		LegalEntity:  s.LegalEntity,
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
	taken, err := r.route(ctx, Subject{
		Environment: s.Environment, Entity: e.Entity, TargetEntity: e.TargetEntity, LegalEntity: e.LegalEntity, Event: event,
	})
	if bad, ok := errors.AsType[*ConditionError](err); ok {
		e.Reason, e.Detail = state.ReasonFlowError, bad.Error()
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Deliveries = deliveries(taken)
	if len(e.Deliveries) == 0 {
		e.Reason, e.Detail = state.ReasonNoFlow, fmt.Sprintf("no flow takes entity %q of legal entity %q in %s", e.Entity, e.LegalEntity, s.Environment)
		return e, nil
	}
	e.Flow = taken[0].Name
	return e, nil
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

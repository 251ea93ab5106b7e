package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"finrelay/state"
)

// Where an export came from decides about it before anything that it is called:
// two recurring jobs may export one entity with different filters, and only the
// queue tells their files apart. The ledger remembers the queue of each
// message, so that a rerun years later knows it too.

// Ways that an export can come, the values of Subject.Source.
const (
	byEvent   = "event"
	byQueue   = "queue"
	byPackage = "package" // of a run that finrelay asked for or found
)

// subjectOf gives what is known of a shipment before its file is opened.
func (r *Relay) subjectOf(ctx context.Context, s state.Shipment) (Subject, error) {
	from := Subject{Environment: s.Environment, Source: s.Source, Project: s.DefinitionGroup, Entity: s.Entity, LegalEntity: s.LegalEntity}
	if s.Source == byQueue {
		m, err := r.db.Message(ctx, s.ID)
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return from, err
		}
		from.Queue = m.Activity
		i := slices.IndexFunc(r.cfg.Queues, func(q Queue) bool {
			return q.Environment == m.Environment && string(q.Activity) == m.Activity
		})
		if i >= 0 {
			from.Polled = r.cfg.Queues[i].Flow
		}
	}
	from.LegalEntity = r.companyOf(from)
	return from, nil
}

// exportSubject gives what is known of an export that is to be routed again. What
// nothing in it names is asked of today's configuration, as when it was opened.
func (r *Relay) exportSubject(ctx context.Context, e state.Export, s state.Shipment) (Subject, error) {
	from, err := r.subjectOf(ctx, s)
	if err != nil {
		return from, err
	}
	from.Event, err = r.db.Body(ctx, s.EventID)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return from, err
	}
	if e.Project != "" {
		from.Project = e.Project
	}
	if from.LegalEntity == "" {
		from.LegalEntity = e.LegalEntity
	}
	from.Entity, from.TargetEntity = e.Entity, e.TargetEntity
	if named := r.queueEntity(from); s.Source == byQueue && s.Entity == "" && e.Member == "" && named != "" {
		from.Entity = named
	}
	return from, nil
}

// companyOf gives the company of what names none by nature: a queue's message,
// and a run for which FinOps chose it. It is that of the flow it came for, if
// that takes exactly one.
func (r *Relay) companyOf(s Subject) string {
	f := r.ownFlow(s)
	if s.LegalEntity != "" || s.Source == byEvent || f == nil || len(f.LegalEntities) != 1 || strings.ContainsAny(f.LegalEntities[0], "*?") {
		return s.LegalEntity
	}
	return f.LegalEntities[0]
}

// ownFlow gives the flow that something came for: whose queue brought it, or
// whose data project it is of; nil when there is none, or several and nothing
// tells which.
func (r *Relay) ownFlow(s Subject) *Flow {
	if s.Source == byQueue {
		return r.flows[s.Polled]
	}
	var of, asked []string
	for _, p := range r.cfg.Projects {
		if s.Project == "" || p.Environment != s.Environment || !strings.EqualFold(string(p.Name), s.Project) {
			continue
		}
		of = append(of, p.Flow)
		if fits(p.LegalEntities, s.LegalEntity) && (len(p.LegalEntities) > 0 || s.LegalEntity == "") {
			asked = append(asked, p.Flow)
		}
	}
	if len(of) != 1 {
		of = asked // by the company
	}
	if len(of) != 1 {
		return nil
	}
	return r.flows[of[0]]
}

// inOrder gives the flows in the order in which they are asked: the one that
// something came for, then the others as the configuration lists them.
func (r *Relay) inOrder(s Subject) []*Flow {
	own := r.ownFlow(s)
	var all []*Flow
	if own != nil {
		all = append(all, own)
	}
	for i := range r.cfg.Flows {
		if f := &r.cfg.Flows[i]; f != own {
			all = append(all, f)
		}
	}
	return all
}

// cameFor says for people why a flow is asked first.
func cameFor(s Subject) string {
	if s.Source == byQueue {
		return "its queue brought it"
	}
	return "it is of its data project " + s.Project
}

// notEven says for people why a subject that no flow takes is not taken by the
// flow that it came for; "" when it came for none.
func (r *Relay) notEven(ctx context.Context, s Subject) string {
	own := r.ownFlow(s)
	if own == nil {
		return ""
	}
	m, err := own.match(ctx, s)
	if err != nil {
		return ""
	}
	text := fmt.Sprintf(", not even flow %s, though %s: %s", own.Name, cameFor(s), m.Why)
	if s.LegalEntity == "" && !fits(own.LegalEntities, "") {
		text += " (FinOps names no company with it; a flow with exactly one in legal_entities gives it that)"
	}
	return text
}

// told gives a flow without the criteria about what a subject does not tell
// yet, and says whether there are any: then only the file will show.
func (f *Flow) told(s Subject) (without *Flow, hinges bool) {
	g := *f
	if s.Entity == "" {
		g.Entities, g.TargetEntities = nil, nil
	}
	if s.Project == "" {
		g.Projects = nil
	}
	left := len(g.Entities) + len(g.TargetEntities) + len(g.Projects)
	return &g, left < len(f.Entities)+len(f.TargetEntities)+len(f.Projects)
}

// fitsQueue says whether an export came from one of the queues that a flow
// asks for, by activity id or by the name of the flow that polls it.
func (f *Flow) fitsQueue(s Subject) bool {
	return len(f.Queues) == 0 || slices.ContainsFunc(f.Queues, func(q string) bool {
		return s.Queue != "" && strings.EqualFold(q, s.Queue) || s.Polled != "" && q == s.Polled
	})
}

// whereFrom names the way of an export for people.
func (s Subject) whereFrom() string {
	switch {
	case s.Polled != "":
		return "the queue of flow " + s.Polled
	case s.Queue != "":
		return "queue " + s.Queue
	}
	return "no queue"
}

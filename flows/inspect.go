package flows

import (
	"context"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// Inspection is what is understood of one event, without storing anything.
type Inspection struct {
	Readable    bool      `json:"readable"`
	Problem     string    `json:"problem,omitempty"`
	Kind        dmf.Kind  `json:"kind,omitempty"`
	State       string    `json:"would_be"` // accepted, ignored or unreadable
	Reason      string    `json:"reason,omitempty"`
	Identity    string    `json:"identity"`
	BusinessID  string    `json:"business_event_id,omitempty"`
	EventID     string    `json:"event_id,omitempty"`
	Control     *int64    `json:"control_number,omitempty"`
	RecID       *int64    `json:"rec_id,omitempty"`
	EventTime   time.Time `json:"event_time,omitzero"`
	Entity      string    `json:"entity,omitempty"`
	LegalEntity string    `json:"legal_entity,omitempty"`
	Rows        *int64    `json:"rows_announced,omitempty"`
	Execution   string    `json:"execution_id,omitempty"`
	Project     string    `json:"definition_group,omitempty"`
	Link        string    `json:"link,omitempty"` // without its query
	LinkFrom    time.Time `json:"link_valid_from,omitzero"`
	LinkUntil   time.Time `json:"link_valid_until,omitzero"`
	LinkRefusal string    `json:"link_refusal,omitempty"`
	Warnings    []string  `json:"warnings,omitempty"`
	// LinkFields and Next are told of an event in which no link was found, or
	// that cannot be read.
	LinkFields   []LinkField `json:"looks_like_link,omitempty"`
	Next         string      `json:"next,omitempty"`
	Flows        []FlowView  `json:"flows,omitempty"`
	TakenBy      []string    `json:"taken_by"`
	ConditionErr string      `json:"condition_error,omitempty"`
}

// FlowView is one flow's answer.
type FlowView struct {
	Flow  string `json:"flow"`
	Takes bool   `json:"takes"`
	Why   string `json:"why"`
}

// Inspect says what would become of a body, event by event.
func (r *Relay) Inspect(ctx context.Context, environment string, body []byte) []Inspection {
	var all []Inspection
	for _, a := range ReadBody(environment, "finops", body, r.cfg.FieldNames) {
		all = append(all, r.inspect(ctx, a))
	}
	return all
}

func (r *Relay) inspect(ctx context.Context, a Arrival) Inspection {
	entry := a.ledgerEntry()
	in := Inspection{
		Readable: a.Event != nil, State: string(entry.State), Reason: string(entry.Reason), Identity: entry.Identity,
	}
	if entry.State == state.Unreadable {
		in.LinkFields = linkFields(a.Body)
	}
	switch {
	case entry.Reason == state.ReasonNoLinkFound && len(in.LinkFields) == 0:
		in.Next = "nothing in it looks like a link: have the sender put it there"
	case len(in.LinkFields) > 0:
		in.Next = strings.ReplaceAll(r.linkAdvice(in.LinkFields), "EVENT-ID", "its id, if it was sent already")
	}
	if a.Event == nil {
		if a.Problem != nil {
			in.Problem = a.Problem.Error()
		}
		return in
	}
	e := a.Event
	in.Kind, in.BusinessID, in.EventID = e.Kind(), entry.BusinessEventID, entry.FinOpsEventID
	in.Control, in.RecID, in.EventTime, in.Rows = e.ControlNumber, e.RecID, e.EventTime, e.NoOfRecords
	in.Entity, in.LegalEntity = entry.Entity, entry.LegalEntity
	in.Execution, in.Project, in.Warnings = unsigned(string(e.ExecutionID)), unsigned(string(e.DefinitionGroup)), e.Warnings
	if e.Kind() != dmf.KindExport {
		return in
	}
	in.Link = linkPath(e.DownloadURL)
	if info, err := fetch.ParseLink(e.DownloadURL); err == nil {
		in.LinkFrom, in.LinkUntil = info.Start, info.Expiry
	}
	if _, err := r.client(a.Environment).Link(e.DownloadURL); err != nil {
		in.LinkRefusal = err.Error()
	}
	r.inspectFlows(ctx, &in, a, entry.Body)
	return in
}

func (r *Relay) inspectFlows(ctx context.Context, in *Inspection, a Arrival, body []byte) {
	subject := Subject{Environment: a.Environment, Source: byEvent, Project: in.Project, Entity: in.Entity, LegalEntity: in.LegalEntity, Event: body}
	own := r.ownFlow(subject)
	in.TakenBy = []string{}
	for _, f := range r.inOrder(subject) {
		m, err := f.match(ctx, subject)
		if err != nil {
			in.ConditionErr = err.Error()
			return
		}
		if f == own {
			m.Why += "; it is asked first, because " + cameFor(subject)
		}
		if m.Takes && len(in.TakenBy) > 0 && !r.cfg.MatchAll {
			m.Takes, m.Why = false, "flow "+in.TakenBy[0]+" stands before it and takes it (match: first)"
		}
		if m.Takes {
			in.TakenBy = append(in.TakenBy, m.Flow.Name)
		}
		in.Flows = append(in.Flows, FlowView{Flow: m.Flow.Name, Takes: m.Takes, Why: m.Why})
	}
}

package web

import (
	"context"
	"errors"
	"slices"

	"finrelay/flows"
	"finrelay/state"
)

// EventView is an event with its story; Body and Story only when one is asked for.
type EventView struct {
	state.Event
	Next  string               `json:"next,omitempty"`
	Body  string               `json:"body,omitempty"` // without signatures
	Story []state.JournalEntry `json:"story,omitempty"`
}

// ShipmentView is a shipment with where its rows are.
type ShipmentView struct {
	state.Shipment
	Whereabouts string               `json:"whereabouts"`
	Where       flows.Whereabouts    `json:"where"`
	Exports     []ExportView         `json:"exports,omitempty"`
	Story       []state.JournalEntry `json:"story,omitempty"`
}

// ExportView is an export with where its rows are.
type ExportView struct {
	state.Export
	// Rows in place of the export's own: null as long as no pass has read its
	// file to the end, which is not the same as an export of 0 rows.
	Rows        *int64               `json:"rows"`
	Whereabouts string               `json:"whereabouts"`
	Where       flows.Whereabouts    `json:"where"`
	Deliveries  []DeliveryView       `json:"deliveries,omitempty"`
	Story       []state.JournalEntry `json:"story,omitempty"`
}

// DeliveryView is an export on its way to one output.
type DeliveryView struct {
	state.Delivery
	Rows *int64 `json:"rows"` // null until it is delivered
}

func deliveryView(d state.Delivery) DeliveryView {
	v := DeliveryView{Delivery: d}
	if d.State == state.Delivered {
		v.Rows = &d.Rows
	}
	return v
}

// rowsOf gives the rows of an export that was counted; nil of one that was not.
func rowsOf(e state.Export, deliveries []state.Delivery) *int64 {
	counted := e.State == state.Landed || e.Rows+e.BadRows > 0 ||
		slices.ContainsFunc(deliveries, func(d state.Delivery) bool { return d.State == state.Delivered })
	switch e.Reason {
	case state.ReasonBadRows, state.ReasonRowMismatch, state.ReasonZeroRows: // what a whole pass found
		counted = true
	}
	if !counted {
		return nil
	}
	return &e.Rows
}

// Stands is an export's state as lists say it, and why: of an open one whose
// delivery waits for its next try that it waits, of one that landed with
// remarks these.
func (e ExportView) Stands() (at state.State, why string) {
	if e.State == state.Open {
		for _, d := range e.Deliveries {
			if d.State == state.Waiting {
				return state.Waiting, string(d.Reason)
			}
		}
	}
	if e.State == state.Landed {
		return e.State, e.Remarks.String()
	}
	return e.State, string(e.Reason)
}

// StatusView is the status with the things that need a person, most urgent first.
type StatusView struct {
	state.Status
	Version string     `json:"version"`
	Serving bool       `json:"serving"` // a server holds the state folder and works
	List    []ListItem `json:"list"`    // what stands still and needs a person, at most MostListed
	Groups  []Group    `json:"groups"`  // the same, all that is in the same trouble once; at most MostListed
	// Waiting is what is tried again by itself, one for each output or
	// environment and reason.
	Waiting []WaitView `json:"waiting"`
	// Overdue counts, of what needs a person, the exports that are among
	// Waiting and not in List.
	Overdue int64 `json:"overdue"`
	// LinksLate counts links that are past their time by our clock and not
	// fetched, tried or not: they are tried on, but their rows are at risk.
	LinksLate int64       `json:"links_late"`
	Queues    []QueueView `json:"queues"` // those that flows poll
	// Cadences are the flows that exports are expected of, those that are late first.
	Cadences []flows.CadenceStands `json:"cadences"`
	// Late counts those of them that are late, or of which an entity is missing.
	Late int `json:"late"`
	// Troubles say why events cannot be accepted now.
	Troubles []flows.Trouble `json:"troubles"`
	// Refused are events that were turned away, or not stored, within a day.
	Refused []RefusalView `json:"refused"`
	// Remarks are what exports landed with and nobody has looked at.
	Remarks []RemarkView `json:"remarks"`
	// QueuesFailing counts queues of which FailingPolls polls in a row did not
	// reach the end, or whose backlog waits for a word.
	QueuesFailing int `json:"queues_failing"`
}

// FailingPolls is how many polls in a row fail before a queue needs a person:
// one bad answer mends itself.
const FailingPolls = 3

func (a *API) exportView(ctx context.Context, e state.Export) (ExportView, error) {
	v := ExportView{Export: e}
	s, err := a.DB.Shipment(ctx, e.ShipmentID)
	if err != nil {
		return v, err
	}
	deliveries, err := a.DB.Deliveries(ctx, e.ID)
	if err != nil {
		return v, err
	}
	for _, d := range deliveries {
		v.Deliveries = append(v.Deliveries, deliveryView(d))
	}
	v.Rows = rowsOf(e, deliveries)
	v.Where = a.Relay.ExportWhereabouts(e, s, deliveries)
	v.Whereabouts = v.Where.String()
	return v, nil
}

func (a *API) shipmentView(s state.Shipment) ShipmentView {
	w := a.Relay.ShipmentWhereabouts(s)
	return ShipmentView{Shipment: s, Where: w, Whereabouts: w.String()}
}

func (a *API) exportViews(ctx context.Context, f state.Filter) ([]ExportView, error) {
	exports, err := a.DB.Exports(ctx, f)
	views := make([]ExportView, 0, len(exports))
	for _, e := range exports {
		v, err := a.exportView(ctx, e)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, err
}

func notFoundIsNil(err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	return err
}

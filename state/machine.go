package state

import (
	"errors"
	"fmt"
	"slices"
)

// Kind says which sort of thing a journal row or a transition is about.
type Kind string

// The kinds of things that have a state.
const (
	KindEvent    Kind = "event"
	KindShipment Kind = "shipment"
	KindExport   Kind = "export"
	KindDelivery Kind = "delivery"
	// KindEnvironment appears in the journal only.
	KindEnvironment Kind = "environment"
	// KindRefusal, in the journal only, is what a door turned away: its subject
	// is ENVIRONMENT/STATUS.
	KindRefusal Kind = "refusal"
)

// State is where an event, shipment, export or delivery stands.
type State string

// States, by the kind that has them. The same word means the same thing.
const (
	// Events.
	Accepted   State = "accepted"   // has a shipment
	Ignored    State = "ignored"    // stored, carries no export; the reason says which kind it is
	Unreadable State = "unreadable" // stored, needs a person: not understood, or no link found in it

	// Shipments.
	Pending  State = "pending"  // its link is to be fetched now
	Fetching State = "fetching" // claimed by a worker
	Expired  State = "expired"  // the server said the link is dead; the rows are not here
	Fetched  State = "fetched"  // raw file durable
	Settled  State = "settled"  // each export landed, skipped or parked

	// Exports.
	Open    State = "open"
	Landed  State = "landed"  // every delivery is durable
	Skipped State = "skipped" // a person said so

	// Deliveries.
	Ready     State = "ready"
	Running   State = "running"
	Delivered State = "delivered"

	// Removed appears in the journal only: of a delivery whose output a rerun
	// does not name any more.
	Removed State = "removed"
	// EventRefused appears in the journal only, once for each count of a Refusal.
	EventRefused State = "refused"

	// Shipments and deliveries: again at due_at.
	Waiting State = "waiting"
	// Shipments, exports and deliveries: on the list, with a reason.
	Parked State = "parked"
)

// arrows is the state machine. Anything not listed is refused.
var arrows = map[Kind]map[State][]State{
	KindEvent: {
		"":         {Accepted, Ignored, Unreadable},
		Unreadable: {Accepted, Ignored}, // read again, or skipped by a person
		Ignored:    {Accepted},          // came again, and its link is found now
	},
	KindShipment: {
		"":       {Pending, Settled},           // settled at once: a queue's message without a file
		Pending:  {Fetching, Fetched, Settled}, // fetched, settled: a person takes what is here
		Waiting:  {Fetching, Pending, Fetched, Settled},
		Fetching: {Fetched, Waiting, Expired, Parked, Pending, Settled}, // settled: dead, and its rows came another way
		Expired:  {Pending, Fetched, Settled},                           // settled: skipped by a person, or its rows came another way
		Fetched:  {Settled, Parked},
		Parked:   {Pending, Fetched, Settled},
	},
	KindExport: {
		"":      {Open, Parked, Skipped}, // skipped: proven to be one that came another way
		Open:    {Landed, Parked},
		Parked:  {Open, Skipped},
		Landed:  {Open},
		Skipped: {Parked}, // the one that it is a copy of cannot be landed
	},
	KindExecution: {
		"":       {Queued},
		Queued:   {Starting, Skipped},
		Starting: {Running, Failed, Stuck},
		Running:  {Done, Failed, Stuck},
		Stuck:    {Skipped},
		Failed:   {Skipped},
	},
	KindMessage: {
		"":      {Held},
		Held:    {Due},
		Due:     {Acked, Stale},
		Stale:   {Due, Acked, Assumed},
		Acked:   {Due}, // handed out again: the ack had no effect
		Assumed: {Due},
	},
	KindCadence: {
		"":       {Punctual, Quiet, Late}, // quiet or late at once: an entity of a flow
		Punctual: {Quiet, Late},
		Quiet:    {Punctual, Late},
		Late:     {Punctual, Quiet},
	},
	KindOutput: {
		"":     {Placed},
		Placed: {Placed}, // in another folder, or with another marker that a person adopted
	},
	KindDelivery: {
		"":        {Ready},
		Ready:     {Running},
		Running:   {Delivered, Waiting, Parked, Ready},
		Waiting:   {Running, Ready, Parked},
		Parked:    {Ready},
		Delivered: {Ready},
	},
}

// TransitionError is an arrow that the state machine does not have. The
// ledger is unchanged.
type TransitionError struct {
	Kind     Kind
	ID       string
	From, To State
}

func (e *TransitionError) Error() string {
	from := e.From
	if from == "" {
		from = "new"
	}
	return fmt.Sprintf("%s %s is %s and cannot become %s", e.Kind, e.ID, from, e.To)
}

// ErrNotFound: no row has this id, or a prefix of an id fits several.
var ErrNotFound = errors.New("not in the ledger")

func checkArrow(kind Kind, id string, from, to State) error {
	if slices.Contains(arrows[kind][from], to) {
		return nil
	}
	return &TransitionError{Kind: kind, ID: id, From: from, To: to}
}

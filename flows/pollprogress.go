package flows

import "time"

// PollProgress is how far a poll that is at work has come.
type PollProgress struct {
	Since    time.Time `json:"since"`    // when it began
	Messages int       `json:"messages"` // taken so far, those that came again included
	Done     int       `json:"done"`     // of those: landed or on the list, and acknowledged
	// Shipment is the message that is worked on, as what it became here; ""
	// while FinOps is asked for the next.
	Shipment      string    `json:"shipment,omitempty"`
	ShipmentSince time.Time `json:"shipment_since,omitzero"`
}

// PollProgress says how far a queue's poll has come; false when none is at work.
func (r *Relay) PollProgress(q Queue) (PollProgress, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.polls[q.key()]
	return p, ok
}

func (q Queue) key() string { return q.Environment + "/" + string(q.Activity) }

// progress keeps what a poll tells of itself; done takes it away again.
func (r *Relay) progress(q Queue) (told *pollTold, done func()) {
	told = &pollTold{relay: r, key: q.key()}
	told.tell(PollProgress{Since: r.db.Now()})
	return told, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.polls, told.key)
	}
}

// pollTold is one poll's way to say how far it is.
type pollTold struct {
	relay *Relay
	key   string
	now   PollProgress
}

func (t *pollTold) tell(p PollProgress) {
	t.now = p
	t.relay.mu.Lock()
	defer t.relay.mu.Unlock()
	t.relay.polls[t.key] = p
}

// begins says that a message was stored and is worked on.
func (t *pollTold) begins(shipmentID string) {
	p := t.now
	p.Messages++
	p.Shipment, p.ShipmentSince = shipmentID, t.relay.db.Now()
	t.tell(p)
}

// ends says that it is acknowledged, or left to itself.
func (t *pollTold) ends(acked bool) {
	p := t.now
	if acked {
		p.Done++
	}
	p.Shipment, p.ShipmentSince = "", time.Time{}
	t.tell(p)
}

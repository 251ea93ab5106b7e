package sim

import (
	"bytes"
	"time"

	"finrelay/dmf"
)

// MessageState is where a message of an export queue stands. The numbers and
// names are FinOps'.
//
// Source: Recurring-Integrations-Scheduler, IntegrationActivityMessageStatus.
type MessageState int

// The states of an export's message, in order.
const (
	MessageEnqueued MessageState = iota
	MessageDequeued
	MessageDownloaded
	MessageAcked
)

// String returns the name that GetMessageStatus answers.
func (st MessageState) String() string {
	return [...]string{"Enqueued", "Dequeued", "Downloaded", "Acked"}[st]
}

// Message is one message of a queue. Its exported fields do not change.
type Message struct {
	CorrelationID string
	Activity      string // as given to AddActivity
	ExecutionID   string // "" = not known
	Blob          *Blob  // nil = a message without a file

	q        *queues
	blobID   string
	problem  string
	enqueued time.Time

	// Under the lock of queues.
	state    MessageState
	receipt  string    // the valid one; "" = none
	hidden   time.Time // not dequeued again before
	dequeued []time.Time
	answer   []byte // the last dequeue's body
	fetched  int
	ackTime  time.Time
	ackBody  []byte
}

// State returns where the message stands.
func (m *Message) State() MessageState {
	m.q.mu.Lock()
	defer m.q.mu.Unlock()
	return m.state
}

// Dequeues returns how often the message was handed out.
func (m *Message) Dequeues() int {
	m.q.mu.Lock()
	defer m.q.mu.Unlock()
	return len(m.dequeued)
}

// Downloads returns how many downloads of its file were begun.
func (m *Message) Downloads() int {
	m.q.mu.Lock()
	defer m.q.mu.Unlock()
	return m.fetched
}

// Answer returns the body of the last dequeue, byte for byte; nil before the
// first.
func (m *Message) Answer() []byte {
	m.q.mu.Lock()
	defer m.q.mu.Unlock()
	return bytes.Clone(m.answer)
}

// Ack returns when the message was acknowledged and the body that did it; the
// zero time if it was not.
func (m *Message) Ack() (time.Time, []byte) {
	m.q.mu.Lock()
	defer m.q.mu.Unlock()
	return m.ackTime, bytes.Clone(m.ackBody)
}

// take hands out the oldest message that is visible; nil if none is.
//
// Source: Microsoft Learn, "Recurring integrations": a message that is not
// acked is available again after 30 minutes, for ever. Assumed: oldest first.
func (a *activity) take(now time.Time, receipt func() string) *Message {
	for a.first < len(a.messages) && a.messages[a.first].state == MessageAcked {
		a.first++
	}
	for _, m := range a.messages[a.first:] {
		if m.state == MessageAcked || now.Before(m.hidden) {
			continue
		}
		m.state = MessageDequeued
		m.receipt = receipt()
		m.hidden = now.Add(a.opt.Visibility)
		m.dequeued = append(m.dequeued, now)
		return m
	}
	return nil
}

// ack acknowledges the message that has the correlation id, if the receipt is
// the newest and the message still hidden.
//
// Assumed: a receipt dies when the message becomes visible again, before
// anybody has dequeued it. Recurring-Integrations-Scheduler issue 124 (acks
// that fail in bulk, long after their dequeue) is the hint.
func (q *queues) ack(a *activity, now time.Time, correlation, receipt string, body []byte) bool {
	m := a.byID[dmf.Fold(correlation)]
	if m == nil || m.state == MessageAcked || m.receipt == "" || m.receipt != receipt || !now.Before(m.hidden) {
		return false
	}
	m.state, m.ackTime, m.ackBody = MessageAcked, now, bytes.Clone(body)
	q.acked = append(q.acked, m)
	return true
}

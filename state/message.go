package state

import (
	"context"
	"strconv"
	"time"
)

// Times of FinOps' queue.
//
// Source: Microsoft Learn, "Recurring integrations": a dequeued message that is
// not acknowledged can be dequeued again after 30 minutes, for ever; its file is
// deleted 7 days after upload.
const (
	// AckWindow is how long after a dequeue its receipt is used: well inside
	// the 30 minutes, because a receipt that was replaced acks nothing.
	AckWindow = 25 * time.Minute
	// AssumedAfter is how long a queue must have been polled without the
	// message coming again until FinOps is asked about an ack that got no answer,
	// which is taken as done if FinOps does not say: twice the time after which
	// it would have come, and a bit.
	AssumedAfter = 65 * time.Minute
	// MessageLife is how long a message's file can be downloaded.
	MessageLife = 7 * 24 * time.Hour
)

// KindMessage is a message of FinOps' queue; in the journal it is
// SHIPMENT-ID/message.
const KindMessage Kind = "message"

func messageID(shipmentID string) string { return shipmentID + "/message" }

// States of messages.
const (
	Held    State = "held"    // its shipment has not come to rest: FinOps keeps it
	Due     State = "due"     // to be acked at due_at
	Stale   State = "stale"   // the receipt is too old; FinOps will hand it out again
	Acked   State = "acked"   // FinOps confirmed
	Assumed State = "assumed" // the ack got no answer, the message did not come again, and FinOps does not say
)

// NewMessage is one answer to a dequeue.
type NewMessage struct {
	Environment   string
	Activity      string // bare, lower case
	CorrelationID string
	Body          []byte // byte for byte; its receipt is a secret
	LinkPath      string // where the file is, without its query
	Flow          string // that polls the queue: a message without a file is all that is heard of it
	ExecutionID   string // the run that wrote the file; "" when FinOps does not say
	// NoFile says why the message has no file; "" when it has one. Such a
	// message is recorded and acked: it would come back for ever.
	NoFile string
	// Park keeps the export off the outputs until a person says otherwise: a
	// backlog that was there before finrelay.
	Park bool
}

// MessageReceipt says what a dequeue meant.
type MessageReceipt struct {
	ShipmentID string
	New        bool
	Again      bool // a download of its file has failed or is in doubt: it is fetched by the newer link
	// State is the message's, after this dequeue.
	State State
}

// AcceptMessage stores a dequeued message. A message is environment, epoch,
// activity and correlation id: one that is known is a redelivery, which brings
// a fresh receipt and starts nothing. It does set an ack going again that
// waited for it, and a download that had given up.
func (db *DB) AcceptMessage(ctx context.Context, m NewMessage) (MessageReceipt, error) {
	var r MessageReceipt
	err := db.update(ctx, func(t *tx) error {
		epoch, err := t.epoch(m.Environment)
		if err != nil {
			return err
		}
		identity := "queue:" + m.Activity + ":" + m.CorrelationID
		r = MessageReceipt{ShipmentID: NewID(shipmentPrefix, m.Environment, strconv.FormatInt(epoch, 10), identity)}
		err = t.row(`SELECT state FROM messages WHERE shipment_id = ?1`, []any{r.ShipmentID}, &r.State)
		if err == nil {
			return t.redelivered(&r, m)
		}
		if err != ErrNotFound {
			return err
		}
		r.New = true
		return t.createMessage(&r, identity, m)
	})
	return r, err
}

func (t *tx) createMessage(r *MessageReceipt, identity string, m NewMessage) error {
	var number int64
	if err := t.row(`UPDATE queues SET messages = messages + 1, last_message_at = ?3 WHERE environment = ?1 AND activity = ?2 RETURNING messages`,
		[]any{m.Environment, m.Activity, t.now}, &number); err != nil {
		return err
	}
	to, reason, proof := Pending, Reason(""), Unproved
	if m.NoFile != "" {
		to, reason, proof = Settled, ReasonNoFile, ProofNoFile
	}
	seq, err := t.insert(`INSERT INTO shipments (id, environment, source, event_id, identity, entity, legal_entity, execution_id, definition_group,
			order_at, order_no, link_path, deadline, state, reason, detail, due_at, received_at, settled_at, held, proof)
		VALUES (?1, ?2, 'queue', '', ?3, '', '', ?12, '', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?4, ?4, CASE WHEN ?8 = 'settled' THEN ?4 END, ?11, ?13)`,
		r.ShipmentID, m.Environment, identity, t.now, number, m.LinkPath, t.now+MessageLife.Milliseconds(), to, reason, m.NoFile, m.Park, m.ExecutionID, proof)
	if err != nil {
		return err
	}
	if err := t.step(KindShipment, r.ShipmentID, r.ShipmentID, "", to, reason, "message "+m.CorrelationID); err != nil {
		return err
	}
	r.State = Held
	if _, err := t.exec(`INSERT INTO messages (seq, shipment_id, environment, activity, correlation_id, body, dequeued_at, state, due_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'held', ?7)`,
		seq, r.ShipmentID, m.Environment, m.Activity, m.CorrelationID, m.Body, t.now); err != nil {
		return err
	}
	if err := t.step(KindMessage, messageID(r.ShipmentID), r.ShipmentID, "", Held, "", ""); err != nil {
		return err
	}
	if to != Settled {
		return nil // heard of when it is opened
	}
	r.State = Due
	if err := t.heard(m.Flow, m.Environment); err != nil {
		return err
	}
	return t.ackDue(r.ShipmentID)
}

// RunNamed records which run wrote the file of a message, as soon as FinOps
// says it. It changes nothing when the run is known, or when the file was opened
// already and its exports were compared without it.
func (db *DB) RunNamed(ctx context.Context, shipmentID, executionID string) error {
	return db.update(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE shipments SET execution_id = ?2 WHERE id = ?1 AND source = 'queue' AND execution_id = '' AND opened_at IS NULL`,
			shipmentID, executionID)
		return err
	})
}

// redelivered takes the newer receipt of a message that is known.
func (t *tx) redelivered(r *MessageReceipt, m NewMessage) error {
	if _, err := t.exec(`UPDATE messages SET body = ?2, dequeued_at = ?3, redelivered = redelivered + 1, attempts = 0, due_at = ?3 WHERE shipment_id = ?1`,
		r.ShipmentID, m.Body, t.now); err != nil {
		return err
	}
	switch r.State {
	case Held:
		if err := t.note(KindMessage, messageID(r.ShipmentID), r.ShipmentID, Held, Held, ReasonRedelivered, ""); err != nil {
			return err
		}
		s, err := t.shipment(r.ShipmentID)
		if err != nil || s.RawHere() {
			return err
		}
		r.Again = s.Seen.File != ""
		switch s.State {
		case Parked, Expired, Waiting:
			// The link that came with it is tried at once, whatever the last one gave.
			r.Again = true
			return t.requeue(s, ReasonRedelivered, "the queue handed the message out again")
		default:
			return nil
		}
	case Due:
		return t.note(KindMessage, messageID(r.ShipmentID), r.ShipmentID, Due, Due, ReasonRedelivered, "")
	}
	// Stale, or acked without effect: the ack goes again with this receipt.
	if err := t.step(KindMessage, messageID(r.ShipmentID), r.ShipmentID, r.State, Due, ReasonRedelivered, ""); err != nil {
		return err
	}
	r.State = Due
	_, err := t.exec(`UPDATE messages SET state = 'due', acked_at = NULL WHERE shipment_id = ?1`, r.ShipmentID)
	return err
}

// ackDue lets a held message be acked whose shipment's file is proved. It is
// called when a shipment comes to rest with nothing that could be lost: settled,
// or parked with its raw file here.
// The message of a copy is held until the export that has its rows has come to
// rest too: FinOps forgets no rows that are in no output yet.
func (t *tx) ackDue(shipmentID string) error {
	n, err := t.exec(`UPDATE messages SET state = 'due', due_at = ?2, attempts = 0 WHERE shipment_id = ?1 AND state = 'held'
		AND (SELECT proof FROM shipments WHERE id = ?1) <> ''
		AND NOT EXISTS (SELECT 1 FROM exports c JOIN exports o ON o.id = c.twin
			WHERE c.shipment_id = ?1 AND c.state = 'skipped' AND c.reason = 'same_export' AND o.state = 'open')`, shipmentID, t.now)
	if err != nil || n == 0 {
		return err
	}
	return t.step(KindMessage, messageID(shipmentID), shipmentID, Held, Due, "", "")
}

// ackCopies lets the messages of an export's copies be acked, which waited for
// it to come to rest.
func (t *tx) ackCopies(e Export) error {
	var settled []string
	if err := t.rows(`SELECT DISTINCT o.id FROM shipments s JOIN shipments o ON o.environment = s.environment AND o.execution_id = s.execution_id AND o.execution_id <> ''
		JOIN exports c ON c.shipment_id = o.id
		WHERE s.id = ?1 AND s.execution_id <> '' AND c.twin = ?2 AND o.source = 'queue' AND o.state = 'settled'`,
		[]any{e.ShipmentID, e.ID}, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			settled = append(settled, id)
			return err
		}); err != nil {
		return err
	}
	for _, id := range settled {
		if err := t.ackDue(id); err != nil {
			return err
		}
	}
	return nil
}

// ackIfHere lets the message of a parked shipment be acked when its raw file
// is here: our list owns it then. Without the file FinOps must keep it.
func (t *tx) ackIfHere(shipmentID string) error {
	s, err := t.shipment(shipmentID)
	if err != nil || !s.RawHere() {
		return err
	}
	return t.ackDue(shipmentID)
}

// AckJob is an ack to be sent.
type AckJob struct {
	ShipmentID  string
	Environment string
	Activity    string
	Body        []byte // byte for byte, as dequeued
	DequeuedAt  time.Time
	Attempts    int // this one included
}

// ClaimAcks gives up to limit acks that are due, and counts the attempts. One
// whose receipt is older than AckWindow becomes stale instead: only the next
// delivery brings a receipt that counts.
func (db *DB) ClaimAcks(ctx context.Context, limit int) ([]AckJob, error) {
	var jobs []AckJob
	err := db.update(ctx, func(t *tx) error {
		jobs = nil
		var due []AckJob
		if err := t.rows(`SELECT shipment_id, environment, activity, body, dequeued_at, attempts FROM messages
			WHERE state = 'due' AND due_at <= ?1 ORDER BY due_at LIMIT ?2`, []any{t.now, limit}, func(scan func(...any) error) error {
			var j AckJob
			var at int64
			err := scan(&j.ShipmentID, &j.Environment, &j.Activity, &j.Body, &at, &j.Attempts)
			j.DequeuedAt = fromMillis(at)
			due = append(due, j)
			return err
		}); err != nil {
			return err
		}
		for _, j := range due {
			if t.now-millis(j.DequeuedAt) > AckWindow.Milliseconds() {
				if err := t.moveMessage(j.ShipmentID, Due, Stale, "the receipt is older than 25 minutes; the queue will hand the message out again"); err != nil {
					return err
				}
				continue
			}
			j.Attempts++
			// Until its result is known it is not due again: one ack at a time.
			if _, err := t.exec(`UPDATE messages SET attempts = ?2, due_at = ?3 WHERE shipment_id = ?1`,
				j.ShipmentID, j.Attempts, t.now+ackLease.Milliseconds()); err != nil {
				return err
			}
			jobs = append(jobs, j)
		}
		return nil
	})
	return jobs, err
}

// ackLease is when an ack whose process ended is tried again.
const ackLease = 2 * time.Minute

func (t *tx) moveMessage(shipmentID string, from, to State, detail string) error {
	if err := t.step(KindMessage, messageID(shipmentID), shipmentID, from, to, "", detail); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE messages SET state = ?2, detail = ?3 WHERE shipment_id = ?1`, shipmentID, to, detail)
	return err
}

// NextAck is when the next ack is due; zero when none is.
func (db *DB) NextAck(ctx context.Context) (time.Time, error) {
	var due int64
	err := db.readRow(ctx, `SELECT coalesce((SELECT min(due_at) FROM messages WHERE state = 'due'), 0)`, nil, &due)
	return fromMillis(due), err
}

// Acked says that FinOps confirmed the ack sent with a receipt. When a
// redelivery has brought a newer receipt meanwhile, that one is acked too.
func (db *DB) Acked(ctx context.Context, shipmentID string, dequeuedAt time.Time) error {
	return db.update(ctx, func(t *tx) error {
		var from State
		var at int64
		if err := t.row(`SELECT state, dequeued_at FROM messages WHERE shipment_id = ?1`, []any{shipmentID}, &from, &at); err != nil {
			return err
		}
		if at != millis(dequeuedAt) {
			_, err := t.exec(`UPDATE messages SET due_at = ?2 WHERE shipment_id = ?1`, shipmentID, t.now)
			return err
		}
		if err := t.moveMessage(shipmentID, from, Acked, ""); err != nil {
			return err
		}
		_, err := t.exec(`UPDATE messages SET body = x'', acked_at = ?2 WHERE shipment_id = ?1`, shipmentID, t.now)
		return err
	})
}

// WaitAck puts an ack off until due.
func (db *DB) WaitAck(ctx context.Context, shipmentID string, due time.Time, detail string) error {
	return db.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE messages SET due_at = ?2, detail = ?3 WHERE shipment_id = ?1 AND state = 'due'`, shipmentID, millis(due), detail)
		if err != nil || n == 0 {
			return err
		}
		return t.note(KindMessage, messageID(shipmentID), shipmentID, Due, Due, ReasonFinOps, detail)
	})
}

// DoubtfulAcks gives the messages of a queue whose ack got no answer and that
// FinOps has not handed out again for AssumedAfter. What FinOps says of each
// decides: AckSettled.
func (db *DB) DoubtfulAcks(ctx context.Context, environment, activity string) ([]Message, error) {
	return collect(ctx, db, `SELECT shipment_id, correlation_id, dequeued_at FROM messages
		WHERE environment = ?1 AND activity = ?2 AND state = 'stale' AND dequeued_at < ?3 ORDER BY seq`,
		[]any{environment, activity, millis(db.Now()) - AssumedAfter.Milliseconds()}, func(scan func(...any) error) (Message, error) {
			m := Message{Environment: environment, Activity: activity, State: Stale}
			var at int64
			err := scan(&m.ShipmentID, &m.CorrelationID, &at)
			m.DequeuedAt = fromMillis(at)
			return m, err
		})
}

// AckSettled closes a message whose ack got no answer: as Acked, because FinOps
// says that it was, or as Assumed, because FinOps does not say. One that came
// again meanwhile is left: its newer receipt decides.
func (db *DB) AckSettled(ctx context.Context, m Message, as State, detail string) error {
	return db.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE messages SET body = x'', acked_at = ?3 WHERE shipment_id = ?1 AND state = 'stale' AND dequeued_at = ?2`,
			m.ShipmentID, millis(m.DequeuedAt), t.now)
		if err != nil || n == 0 {
			return err
		}
		return t.moveMessage(m.ShipmentID, Stale, as, detail)
	})
}

// Message is a queue message with what became of its ack.
type Message struct {
	ShipmentID    string    `json:"shipment"`
	Environment   string    `json:"environment"`
	Activity      string    `json:"activity"`
	CorrelationID string    `json:"correlation_id"`
	DequeuedAt    time.Time `json:"dequeued_at"` // of the newest delivery
	Redelivered   int       `json:"redelivered"`
	State         State     `json:"state"`
	Detail        string    `json:"detail,omitempty"`
	Attempts      int       `json:"attempts"`
	AckedAt       time.Time `json:"acked_at,omitzero"`
}

// Message gives the queue message that a shipment came from. ErrNotFound when
// it came otherwise.
func (db *DB) Message(ctx context.Context, shipmentID string) (Message, error) {
	m := Message{ShipmentID: shipmentID}
	var dequeued, acked int64
	err := db.readRow(ctx, `SELECT environment, activity, correlation_id, dequeued_at, redelivered, state, detail, attempts, coalesce(acked_at, 0)
		FROM messages WHERE shipment_id = ?1`, []any{shipmentID},
		&m.Environment, &m.Activity, &m.CorrelationID, &dequeued, &m.Redelivered, &m.State, &m.Detail, &m.Attempts, &acked)
	m.DequeuedAt, m.AckedAt = fromMillis(dequeued), fromMillis(acked)
	return m, err
}

// MessageBody gives the newest dequeue answer of a shipment's message.
func (db *DB) MessageBody(ctx context.Context, shipmentID string) (activity string, body []byte, err error) {
	err = db.readRow(ctx, `SELECT activity, body FROM messages WHERE shipment_id = ?1`, []any{shipmentID}, &activity, &body)
	return activity, body, err
}

package state

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// DefaultLinkLife is assumed for a link that does not say when it dies.
//
// Source: finrelay's protocol notes on the export event: FinOps makes links
// that live 60 minutes.
const DefaultLinkLife = time.Hour

// Arrival is one event as a door understood it. Body must carry no signature:
// what does goes into Unread and NewShipment.Link.
type Arrival struct {
	Environment string
	Door        string
	Identity    string // unique within environment and epoch
	State       State  // Accepted, Ignored or Unreadable
	Reason      Reason
	Body        []byte
	Unread      []byte // the whole body of an Unreadable event, signatures included, to read again later

	BusinessEventID string
	FinOpsEventID   string
	Entity          string
	LegalEntity     string
	ControlNumber   *int64
	RecID           *int64
	EventAt         time.Time // zero: the time it arrived is taken

	Shipment *NewShipment // only with Accepted
}

// NewShipment is what an accepted event hands over.
type NewShipment struct {
	ExecutionID     string
	DefinitionGroup string
	ExpectedRows    *int64
	Link            string    // byte for byte
	LinkPath        string    // host and path
	Deadline        time.Time // zero: DefaultLinkLife after the event
}

// Receipt says what became of an Arrival.
type Receipt struct {
	EventID    string
	ShipmentID string
	State      State
	Reason     Reason
	Duplicate  bool // the identity was known; nothing new started
	Woken      bool // the duplicate's fresher link set its original going again
}

// Accept stores arrivals in one transaction, in order. When it returns nil the
// events, and for accepted ones their shipments and links, are on disk.
//
// An arrival whose identity is known in the environment's present epoch is a
// duplicate: it is counted and noted, and when its original has no raw file
// yet and its link lives longer, the link is lent. One whose link is found only
// now (the configuration has learned its field) takes its original's place.
func (db *DB) Accept(ctx context.Context, arrivals []Arrival) ([]Receipt, error) {
	var receipts []Receipt
	err := db.update(ctx, func(t *tx) error {
		receipts = make([]Receipt, 0, len(arrivals))
		for i := range arrivals {
			r, err := t.accept(&arrivals[i])
			if err != nil {
				return fmt.Errorf("store event: %w", err)
			}
			receipts = append(receipts, r)
		}
		return nil
	})
	return receipts, err
}

func (t *tx) accept(a *Arrival) (Receipt, error) {
	if err := a.check(); err != nil {
		return Receipt{}, err
	}
	epoch, err := t.epoch(a.Environment)
	if err != nil {
		return Receipt{}, err
	}
	r := a.receipt(epoch)
	added, err := t.exec(`INSERT INTO events (id, environment, epoch, door, identity, state, reason, business_event_id, finops_event_id,
			entity, legal_entity, control_number, rec_id, event_at, received_at, shipment_id, last_seen_at, timeless)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?15, ?17) ON CONFLICT (id) DO NOTHING`,
		r.EventID, a.Environment, epoch, a.Door, a.Identity, a.State, a.Reason, a.BusinessEventID, a.FinOpsEventID,
		a.Entity, a.LegalEntity, a.ControlNumber, a.RecID, a.eventAt(t.now), t.now, r.ShipmentID, a.EventAt.IsZero())
	if err != nil {
		return r, err
	}
	if added == 0 {
		return t.duplicate(a, r)
	}
	// last_insert_rowid saves reading the row back.
	if _, err := t.exec(`INSERT INTO bodies (seq, body) VALUES (last_insert_rowid(), ?1)`, blob(a.Body)); err != nil {
		return r, err
	}
	switch a.State {
	case Accepted:
		return r, t.createShipment(a, r)
	case Unreadable:
		if _, err := t.exec(`INSERT INTO unread (seq, body) SELECT seq, ?2 FROM events WHERE id = ?1`, r.EventID, blob(a.Unread)); err != nil {
			return r, err
		}
	}
	return r, t.note(KindEvent, r.EventID, "", "", a.State, a.Reason, "")
}

// check refuses what would leave half a thing in the ledger.
func (a *Arrival) check() error {
	if (a.State == Accepted) != (a.Shipment != nil) {
		return fmt.Errorf("event %s is %s: an accepted event, and no other, brings a shipment", a.Identity, a.State)
	}
	return checkArrow(KindEvent, a.Identity, "", a.State)
}

// blob keeps an empty body from being stored as NULL: it came, with nothing in it.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// receipt names what the arrival becomes when it is new.
func (a *Arrival) receipt(epoch int64) Receipt {
	n := strconv.FormatInt(epoch, 10)
	r := Receipt{EventID: NewID(eventPrefix, a.Environment, n, a.Identity), State: a.State}
	if a.Shipment != nil {
		r.ShipmentID = NewID(shipmentPrefix, a.Environment, n, a.Identity)
	}
	return r
}

// eventAt is FinOps' time of the event, else now; ms.
func (a *Arrival) eventAt(now int64) int64 {
	if a.EventAt.IsZero() {
		return now
	}
	return millis(a.EventAt)
}

// deadline is when the link dies; ms.
func (a *Arrival) deadline(now int64) int64 {
	if a.Shipment.Deadline.IsZero() {
		return a.eventAt(now) + DefaultLinkLife.Milliseconds()
	}
	return millis(a.Shipment.Deadline)
}

func (t *tx) createShipment(a *Arrival, r Receipt) error {
	s := a.Shipment
	var orderNo int64
	switch {
	case a.ControlNumber != nil:
		orderNo = *a.ControlNumber
	case a.RecID != nil:
		orderNo = *a.RecID
	}
	seq, err := t.insert(`INSERT INTO shipments (id, environment, source, event_id, identity, entity, legal_entity, execution_id, definition_group,
			expected_rows, order_at, order_no, link_path, deadline, state, due_at, received_at)
		VALUES (?1, ?2, 'event', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'pending', ?14, ?14)`,
		r.ShipmentID, a.Environment, r.EventID, a.Identity, a.Entity, a.LegalEntity, s.ExecutionID, s.DefinitionGroup,
		s.ExpectedRows, a.eventAt(t.now), orderNo, s.LinkPath, a.deadline(t.now), t.now)
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO links (seq, url) VALUES (?1, ?2)`, seq, s.Link); err != nil {
		return err
	}
	return t.step(KindShipment, r.ShipmentID, r.ShipmentID, "", Pending, "", "with event "+r.EventID)
}

// duplicate counts an arrival whose identity is known.
func (t *tx) duplicate(a *Arrival, r Receipt) (Receipt, error) {
	r.Duplicate = true
	if err := t.row(`SELECT state, reason, shipment_id FROM events WHERE id = ?1`, []any{r.EventID}, &r.State, &r.Reason, &r.ShipmentID); err != nil {
		return r, err
	}
	if _, err := t.exec(`UPDATE events SET duplicates = duplicates + 1, last_seen_at = ?2 WHERE id = ?1`, r.EventID, t.now); err != nil {
		return r, err
	}
	if err := t.note(KindEvent, r.EventID, r.ShipmentID, r.State, r.State, ReasonDuplicateEvent, ""); err != nil {
		return r, err
	}
	switch {
	case a.Shipment == nil:
		return r, nil
	case r.State == Unreadable, r.State == Ignored && r.Reason == ReasonNoLink:
		return t.foundLink(a, r)
	case r.ShipmentID == "":
		return r, nil
	}
	woken, err := t.lend(r.ShipmentID, a)
	r.Woken = woken
	return r, err
}

// foundLink makes an event that is here and brought no shipment what its repeat
// is read as. To take it for a mere duplicate would lose the link.
func (t *tx) foundLink(a *Arrival, r Receipt) (Receipt, error) {
	was := r.State
	epoch, err := t.epoch(a.Environment)
	if err != nil {
		return r, err
	}
	if r, err = t.readAs(r.EventID, a, epoch); err != nil {
		return r, err
	}
	if err := t.step(KindEvent, r.EventID, r.ShipmentID, was, Accepted, ReasonDuplicateEvent, "it came again, and its link is found now"); err != nil {
		return r, err
	}
	if _, err := t.exec(`UPDATE events SET state = 'accepted', reason = ?2, shipment_id = ?3 WHERE id = ?1`,
		r.EventID, ReasonDuplicateEvent, r.ShipmentID); err != nil {
		return r, err
	}
	return r, t.dropUnread(r.EventID)
}

// lend gives a shipment without a raw file a link that lives longer, and sets
// it going when it stood still.
func (t *tx) lend(id string, a *Arrival) (woken bool, err error) {
	s, err := t.shipment(id)
	if err == ErrNotFound {
		return false, nil // forgotten, while an event that was read as its repeat is still known
	}
	fresh, deadline := a.Shipment, a.deadline(t.now)
	// A link that dies at the same time but is signed anew is worth a try for
	// what stands still; for what moves only a younger one is.
	still := s.State == Expired || s.State == Parked
	if err != nil || s.RawHere() || deadline < millis(s.Deadline) || deadline == millis(s.Deadline) && !still {
		return false, err
	}
	switch s.State {
	case Pending, Fetching, Waiting, Expired, Parked:
	default:
		return false, nil
	}
	// The same bytes again, of a link that does not say when it dies.
	n, err := t.exec(`INSERT INTO links (seq, url) SELECT seq, ?2 FROM shipments WHERE id = ?1
		ON CONFLICT (seq) DO UPDATE SET url = excluded.url WHERE url <> excluded.url`, id, fresh.Link)
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := t.exec(`UPDATE shipments SET deadline = ?2, link_path = ?3, lent = 1 WHERE id = ?1`, id, deadline, fresh.LinkPath); err != nil {
		return false, err
	}
	detail := "a duplicate event brought a link that lives until " + fromMillis(deadline).Format(time.RFC3339)
	if s.State == Pending || s.State == Fetching {
		return false, t.note(KindShipment, id, id, s.State, s.State, ReasonFreshLink, detail)
	}
	return true, t.requeue(s, ReasonFreshLink, detail)
}

// requeue makes a shipment without a raw file pending, from now, with a clean
// count: after few attempts some failures park, and a fresh link or a person's
// wish is worth as many as the first time.
func (t *tx) requeue(s Shipment, reason Reason, detail string) error {
	if err := t.step(KindShipment, s.ID, s.ID, s.State, Pending, reason, detail); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE shipments SET state = 'pending', reason = '', detail = '', due_at = ?2, interrupted = 0, owner = '', lease_until = 0,
		attempts = CASE WHEN ?3 THEN attempts ELSE 0 END WHERE id = ?1`, s.ID, t.now, reason == ReasonShutdown)
	return err
}

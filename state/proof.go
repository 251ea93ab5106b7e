package state

import (
	"context"
	"time"
)

// Proof says why a shipment's file is known to be the export, whole. The ack of
// a queue's message reads it and nothing else: FinOps forgets what is acked.
type Proof string

// Proofs. What has none is still FinOps'.
const (
	Unproved       Proof = ""
	ProofWhole     Proof = "whole"     // it came to its end, and its structure is right
	ProofTwice     Proof = "twice"     // the same bytes came in two downloads, some time apart
	ProofNoFile    Proof = "no_file"   // FinOps says that there is no file
	ProofElsewhere Proof = "elsewhere" // its rows came another way
	ProofPerson    Proof = "person"    // a person says so
)

// Doubt says why what a download brought is not known to be the export.
type Doubt string

// Doubts.
const (
	DoubtNoExport Doubt = "no_export" // a page, an error document, nothing: never the export, however often it comes
	DoubtUnframed Doubt = "unframed"  // it ended only with the connection, and may be the first half of a file
	DoubtUnknown  Doubt = "unknown"   // nothing is known that looks like it, or it is damaged
)

// Seen is what a download brought that is not known to be the export.
type Seen struct {
	File   string // below the state folder: kept
	As     Doubt
	SHA256 string // hex
	Bytes  int64
	At     time.Time // when these bytes came first; set by the ledger
}

// MayBeIt says whether something was kept that may be the export.
func (s Seen) MayBeIt() bool { return s.File != "" && s.As != DoubtNoExport }

// Doubted puts off a download that brought something of which it is not known
// that it is the export, until due; zero due: it is parked, for a person to look
// at, and goes on when the queue hands the message out again. It is a
// *TransitionError when a person has decided about the shipment meanwhile.
func (db *DB) Doubted(ctx context.Context, shipmentID string, seen Seen, due time.Time, reason Reason, detail string) error {
	return db.update(ctx, func(t *tx) error {
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if s.State != Fetching {
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: Waiting}
		}
		if err := t.saw(s, seen); err != nil {
			return err
		}
		if due.IsZero() {
			return t.parkShipment(s, reason, detail)
		}
		if err := t.moveShipment(s, Waiting, reason, detail); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE shipments SET due_at = ?2 WHERE id = ?1`, shipmentID, millis(due))
		return err
	})
}

// saw records what a download brought. The time is that of the first download
// in a row that brought these bytes. A page between two of them says nothing
// about the file, and does not take the place of what may be it.
func (t *tx) saw(s Shipment, seen Seen) error {
	if seen.As == DoubtNoExport && s.Seen.MayBeIt() {
		return nil
	}
	seen.At = s.Seen.At
	if seen.SHA256 != s.Seen.SHA256 || seen.At.IsZero() {
		seen.At = fromMillis(t.now)
	}
	_, err := t.exec(`UPDATE shipments SET seen_file = ?2, seen_as = ?3, seen_sha256 = ?4, seen_bytes = ?5, seen_at = ?6, mark_etag = '', mark_offset = 0 WHERE id = ?1`,
		s.ID, seen.File, seen.As, seen.SHA256, seen.Bytes, millis(seen.At))
	return err
}

// take makes the raw file of what was seen, or closes the shipment when that is
// surely not the export.
func (t *tx) take(s Shipment, detail string) error {
	if !s.Seen.MayBeIt() {
		return t.closeShipment(s, ReasonTaken, detail)
	}
	if err := t.moveShipment(s, Fetched, "", detail); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE shipments SET raw_file = ?2, raw_bytes = ?3, raw_sha256 = ?4, fetched_at = ?5, interrupted = 0, attempts = 0 WHERE id = ?1`,
		s.ID, s.Seen.File, s.Seen.Bytes, s.Seen.SHA256, t.now)
	return err
}

// prove records why the shipment's file, or the want of one, needs no message
// any more.
func (t *tx) prove(shipmentID string, p Proof) error {
	_, err := t.exec(`UPDATE shipments SET proof = ?2 WHERE id = ?1`, shipmentID, p)
	return err
}

// TakenByPerson is what TakeAsIs came to.
type TakenByPerson struct {
	File string // what is taken for the export, below the state folder; "" when nothing is
	// Message is the state of the queue's message, "" for a shipment that came by
	// a link.
	Message State
}

// TakeAsIs records that a person takes what is here for all that there is of a
// shipment, and that FinOps may forget its message: what a download brought is
// opened as it is; without anything but a page or an error document the
// shipment is closed, and its rows come again with a full push only. What a
// download that is under way brings does not count any more. The ack goes out
// with the first receipt that is fresh.
//
// It is a *TransitionError when the shipment's file is here and proved, and for
// a link that brought nothing to take: that is skipped.
func (db *DB) TakeAsIs(ctx context.Context, shipmentID, by, why string) (TakenByPerson, error) {
	var res TakenByPerson
	err := db.update(ctx, func(t *tx) error {
		res = TakenByPerson{}
		s, err := t.shipment(shipmentID)
		if err != nil {
			return err
		}
		if s.RawHere() || s.State == Fetched || s.State == Settled || s.Source != "queue" && !s.Seen.MayBeIt() {
			return &TransitionError{Kind: KindShipment, ID: s.ID, From: s.State, To: "taken as it is"}
		}
		detail := "by " + by + ": " + why
		if err := t.prove(s.ID, ProofPerson); err != nil {
			return err
		}
		if err := t.note(KindShipment, s.ID, s.ID, s.State, s.State, ReasonTaken, detail); err != nil {
			return err
		}
		if s.Seen.MayBeIt() {
			res.File = s.Seen.File
		}
		if err := t.take(s, detail); err != nil {
			return err
		}
		if s.Source != "queue" {
			return nil
		}
		return t.row(`SELECT state FROM messages WHERE shipment_id = ?1`, []any{s.ID}, &res.Message)
	})
	return res, err
}

// ShipmentsOfMessage finds the shipments of a queue's message by its whole
// correlation id: one, or several where environments or epochs share ids.
func (db *DB) ShipmentsOfMessage(ctx context.Context, correlationID string) ([]string, error) {
	return collect(ctx, db, `SELECT shipment_id FROM messages WHERE correlation_id = ?1 ORDER BY seq DESC`, []any{correlationID},
		func(scan func(...any) error) (id string, err error) {
			err = scan(&id)
			return id, err
		})
}

// RedeliveryAfter is when FinOps hands a message out again that was not acked:
// its half hour, and a bit.
const RedeliveryAfter = 31 * time.Minute

// NextRedelivery is when FinOps hands out again the first of a queue's messages
// that are not acked: with a link for those whose file is not proved, with a
// receipt that counts for the others. Zero when there are none.
func (db *DB) NextRedelivery(ctx context.Context, environment, activity string) (time.Time, error) {
	var at int64
	err := db.readRow(ctx, `SELECT coalesce(min(dequeued_at), 0) FROM messages WHERE environment = ?1 AND activity = ?2 AND state IN ('held', 'due', 'stale')`,
		[]any{environment, activity}, &at)
	if err != nil || at == 0 {
		return time.Time{}, err
	}
	return fromMillis(at).Add(RedeliveryAfter), nil
}

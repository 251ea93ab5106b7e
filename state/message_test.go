package state

import (
	"context"
	"errors"
	"testing"
	"time"
)

func init() {
	message := func(build func(*ledger) string) func(*ledger) subject {
		return func(l *ledger) subject {
			l.must(l.PollBegun(bg, "prod", "a1"))
			return subject{shipment: build(l)}
		}
	}
	situations["message held"] = message(func(l *ledger) string { return l.message("c1") })
	situations["message of a shipment parked without file"] = message(func(l *ledger) string {
		id := l.message("c1")
		_, err := l.ClaimFetches(bg, FetchClaims{Limit: 1})
		l.must(err)
		l.must(l.ParkShipment(bg, id, ReasonLinkRefused, ""))
		return id
	})
	situations["message due"] = message((*ledger).messageDue)
	situations["message due, receipt old"] = message(func(l *ledger) string {
		id := l.messageDue()
		l.clock.Add((AckWindow + time.Minute).Milliseconds())
		return id
	})
	situations["message stale"] = message((*ledger).messageStale)
	situations["message acked"] = message(func(l *ledger) string {
		id := l.messageDue()
		l.must(l.Acked(bg, id, l.dequeuedAt(id)))
		return id
	})
	situations["message assumed acked"] = message(func(l *ledger) string {
		id := l.messageStale()
		l.clock.Add(time.Hour.Milliseconds())
		l.must(l.settleAcks(Assumed))
		return id
	})

	accept := func(m NewMessage) func(*ledger, subject) error {
		m.Environment, m.Activity, m.Body = "prod", "a1", []byte("receipt")
		return func(l *ledger, _ subject) error {
			_, err := l.AcceptMessage(bg, m)
			return err
		}
	}
	transitions["accept a message again"] = accept(NewMessage{CorrelationID: "c1"})
	transitions["accept a message without a file"] = accept(NewMessage{CorrelationID: "c2", NoFile: "none"})
	transitions["claim acks"] = func(l *ledger, _ subject) error { _, err := l.ClaimAcks(bg, 9); return err }
	transitions["acked"] = func(l *ledger, s subject) error { return l.Acked(bg, s.shipment, l.dequeuedAt(s.shipment)) }
	transitions["wait ack"] = func(l *ledger, s subject) error {
		return l.WaitAck(bg, s.shipment, l.Now().Add(time.Minute), "")
	}
	transitions["FinOps says that it was acked"] = func(l *ledger, _ subject) error {
		l.clock.Add(AssumedAfter.Milliseconds())
		return l.settleAcks(Acked)
	}
	transitions["poll ended with the queue empty"] = func(l *ledger, _ subject) error { return l.PollEnded(bg, "prod", "a1", "") }
}

func (l *ledger) message(correlation string) string {
	l.t.Helper()
	r, err := l.AcceptMessage(bg, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: correlation, Body: []byte("receipt")})
	l.must(err)
	return r.ShipmentID
}

func (l *ledger) messageDue() string {
	l.t.Helper()
	r, err := l.AcceptMessage(bg, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c1", Body: []byte("receipt"), NoFile: "none"})
	l.must(err)
	return r.ShipmentID
}

func (l *ledger) messageStale() string {
	l.t.Helper()
	id := l.messageDue()
	l.clock.Add((AckWindow + time.Minute).Milliseconds())
	_, err := l.ClaimAcks(bg, 9)
	l.must(err)
	return id
}

// settleAcks closes the acks that got no answer.
func (l *ledger) settleAcks(as State) error {
	doubtful, err := l.DoubtfulAcks(bg, "prod", "a1")
	for _, m := range doubtful {
		err = errors.Join(err, l.AckSettled(bg, m, as, ""))
	}
	return err
}

// dequeuedAt is zero for what is no message.
func (l *ledger) dequeuedAt(id string) time.Time {
	m, err := l.Message(bg, id)
	if err != nil {
		return time.Time{}
	}
	return m.DequeuedAt
}

// A ledger with a clock of its own and one queue that is being polled.
func openQueue(t *testing.T) (*DB, *time.Time) {
	t.Helper()
	db := openTest(t)
	now := testTime
	db.Now = func() time.Time { return now }
	if err := db.PollBegun(context.Background(), "prod", "a1"); err != nil {
		t.Fatal(err)
	}
	return db, &now
}

func dequeue(t *testing.T, db *DB, correlation, receipt string) MessageReceipt {
	t.Helper()
	r, err := db.AcceptMessage(context.Background(), NewMessage{
		Environment: "prod", Activity: "a1", CorrelationID: correlation, Body: []byte(receipt), LinkPath: "finops/download",
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func landMessage(t *testing.T, db *DB, shipmentID string) {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	jobs, err := db.ClaimFetches(ctx, FetchClaims{Limit: 1, Lease: time.Minute})
	must(err)
	if len(jobs) != 1 || jobs[0].Shipment.ID != shipmentID {
		t.Fatalf("claimed %+v; want %s", jobs, shipmentID)
	}
	must(db.Fetched(ctx, shipmentID, RawFile{File: "raw/" + shipmentID, Bytes: 1, Proof: ProofWhole}))
	must(db.Opened(ctx, shipmentID, "", []NewExport{{Member: "a.csv", Entity: "A", Flow: "f", Deliveries: []NewDelivery{{Output: "o", Flow: "f"}}}}))
	_, err = db.ClaimDeliveries(ctx, "me", time.Minute, 1)
	must(err)
	must(db.Delivered(ctx, DeliveryKey{ExportID(shipmentID, "a.csv"), "o"}, Landing{Path: "p"}))
}

func messageState(t *testing.T, db *DB, shipmentID string) State {
	t.Helper()
	m, err := db.Message(context.Background(), shipmentID)
	if err != nil {
		t.Fatal(err)
	}
	return m.State
}

// The ack is not due before the shipment has come to rest; it goes out with the
// newest receipt, once.
func TestAckWaitsForLanding(t *testing.T) {
	ctx := context.Background()
	db, now := openQueue(t)
	r := dequeue(t, db, "c1", "receipt 1")
	if !r.New || r.State != Held {
		t.Fatalf("first dequeue: %+v; want new and held", r)
	}
	*now = now.Add(31 * time.Minute)
	if again := dequeue(t, db, "c1", "receipt 2"); again.New || again.State != Held {
		t.Fatalf("redelivery: %+v; want known and held", again)
	}
	if jobs, err := db.ClaimAcks(ctx, 10); err != nil || len(jobs) != 0 {
		t.Fatalf("acks before landing: %v, %v; want none", jobs, err)
	}
	landMessage(t, db, r.ShipmentID)
	jobs, err := db.ClaimAcks(ctx, 10)
	if err != nil || len(jobs) != 1 || string(jobs[0].Body) != "receipt 2" {
		t.Fatalf("acks after landing: %+v, %v; want one with the newest receipt", jobs, err)
	}
	if again, err := db.ClaimAcks(ctx, 10); err != nil || len(again) != 0 {
		t.Fatalf("the same ack was given twice: %+v, %v", again, err)
	}
	if err := db.Acked(ctx, r.ShipmentID, jobs[0].DequeuedAt); err != nil {
		t.Fatal(err)
	}
	if s := messageState(t, db, r.ShipmentID); s != Acked {
		t.Errorf("message is %s; want acked", s)
	}
	if _, body, err := db.MessageBody(ctx, r.ShipmentID); err != nil || len(body) != 0 {
		t.Errorf("receipt kept after the ack: %q, %v", body, err)
	}
}

// A receipt older than 25 minutes is not used; the next delivery brings a new
// one, and if none comes for long enough FinOps is to be asked about the ack.
func TestStaleReceipt(t *testing.T) {
	ctx := context.Background()
	for _, again := range []bool{true, false} {
		db, now := openQueue(t)
		r := dequeue(t, db, "c1", "receipt 1")
		landMessage(t, db, r.ShipmentID)
		*now = now.Add(AckWindow + time.Second)
		if jobs, err := db.ClaimAcks(ctx, 10); err != nil || len(jobs) != 0 {
			t.Fatalf("a stale receipt was given out: %+v, %v", jobs, err)
		}
		if s := messageState(t, db, r.ShipmentID); s != Stale {
			t.Fatalf("message is %s; want stale", s)
		}
		*now = now.Add(10 * time.Minute)
		if doubtful, err := db.DoubtfulAcks(ctx, "prod", "a1"); err != nil || len(doubtful) != 0 {
			t.Fatalf("asked about too early: %v, %v", doubtful, err)
		}
		want := Assumed
		if again {
			want = Due
			dequeue(t, db, "c1", "receipt 2")
		}
		*now = now.Add(31 * time.Minute)
		doubtful, err := db.DoubtfulAcks(ctx, "prod", "a1")
		if err != nil || (len(doubtful) == 1) == again {
			t.Fatalf("redelivered %t: to be asked about are %v, %v", again, doubtful, err)
		}
		for _, m := range doubtful {
			if err := db.AckSettled(ctx, m, Assumed, ""); err != nil {
				t.Fatal(err)
			}
		}
		if s := messageState(t, db, r.ShipmentID); s != want {
			t.Errorf("redelivered %t: message is %s; want %s", again, s, want)
		}
	}
}

// An ack about which FinOps was asked, and whose message came again meanwhile:
// the newer receipt decides.
func TestAskedAboutAndCameAgain(t *testing.T) {
	ctx := context.Background()
	db, now := openQueue(t)
	r := dequeue(t, db, "c1", "receipt 1")
	landMessage(t, db, r.ShipmentID)
	*now = now.Add(AssumedAfter + time.Second)
	if _, err := db.ClaimAcks(ctx, 10); err != nil {
		t.Fatal(err)
	}
	doubtful, err := db.DoubtfulAcks(ctx, "prod", "a1")
	if err != nil || len(doubtful) != 1 {
		t.Fatal(doubtful, err)
	}
	dequeue(t, db, "c1", "receipt 2")
	if err := db.AckSettled(ctx, doubtful[0], Acked, "FinOps says so"); err != nil {
		t.Fatal(err)
	}
	if s := messageState(t, db, r.ShipmentID); s != Due {
		t.Errorf("message is %s; want it acked with the newer receipt", s)
	}
}

// An ack of an older receipt, confirmed while a redelivery brought a newer
// one, does not end the matter.
func TestAckedOldReceipt(t *testing.T) {
	ctx := context.Background()
	db, now := openQueue(t)
	r := dequeue(t, db, "c1", "receipt 1")
	landMessage(t, db, r.ShipmentID)
	jobs, err := db.ClaimAcks(ctx, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	*now = now.Add(time.Minute)
	dequeue(t, db, "c1", "receipt 2")
	if err := db.Acked(ctx, r.ShipmentID, jobs[0].DequeuedAt); err != nil {
		t.Fatal(err)
	}
	jobs, err = db.ClaimAcks(ctx, 1)
	if err != nil || len(jobs) != 1 || string(jobs[0].Body) != "receipt 2" {
		t.Fatalf("acks after the redelivery: %+v, %v; want the newer receipt", jobs, err)
	}
}

// What is parked with its raw file is ours and is acked; what could not be
// downloaded stays in FinOps, and its redelivery tries again.
func TestAckOfParked(t *testing.T) {
	ctx := context.Background()
	db, now := openQueue(t)
	r := dequeue(t, db, "c1", "receipt 1")
	if _, err := db.ClaimFetches(ctx, FetchClaims{Limit: 1, Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if err := db.ParkShipment(ctx, r.ShipmentID, ReasonLinkRefused, "no"); err != nil {
		t.Fatal(err)
	}
	if s := messageState(t, db, r.ShipmentID); s != Held {
		t.Fatalf("message of a shipment without raw file is %s; want held", s)
	}
	*now = now.Add(30 * time.Minute)
	dequeue(t, db, "c1", "receipt 2")
	if _, err := db.ClaimFetches(ctx, FetchClaims{Limit: 1, Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if err := db.Fetched(ctx, r.ShipmentID, RawFile{File: "raw/x", Proof: ProofWhole}); err != nil {
		t.Fatal(err)
	}
	if err := db.ParkShipment(ctx, r.ShipmentID, ReasonDamaged, "broken"); err != nil {
		t.Fatal(err)
	}
	if s := messageState(t, db, r.ShipmentID); s != Due {
		t.Errorf("message of a parked shipment whose raw file is here is %s; want due", s)
	}
}

// A message without a file is recorded and acked; a backlog is parked whole.
func TestNoFileAndBacklog(t *testing.T) {
	ctx := context.Background()
	db, _ := openQueue(t)
	r, err := db.AcceptMessage(ctx, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c1", Body: []byte("b"), NoFile: "zero rows"})
	if err != nil || r.State != Due {
		t.Fatalf("message without file: %+v, %v; want due", r, err)
	}
	s, err := db.Shipment(ctx, r.ShipmentID)
	if err != nil || s.State != Settled || s.Reason != ReasonNoFile {
		t.Errorf("its shipment: %s (%s), %v; want settled (no_file)", s.State, s.Reason, err)
	}
	r, err = db.AcceptMessage(ctx, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c2", Body: []byte("b"), Park: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ClaimFetches(ctx, FetchClaims{Limit: 1, Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if err := db.Fetched(ctx, r.ShipmentID, RawFile{File: "raw/x", Bytes: 1, Proof: ProofWhole}); err != nil {
		t.Fatal(err)
	}
	if err := db.Opened(ctx, r.ShipmentID, "", []NewExport{{Member: "a.csv", Entity: "A", Flow: "f", Deliveries: []NewDelivery{{Output: "o", Flow: "f"}}}}); err != nil {
		t.Fatal(err)
	}
	e, err := db.Export(ctx, ExportID(r.ShipmentID, "a.csv"))
	if err != nil || e.State != Parked || e.Reason != ReasonBacklog {
		t.Errorf("export of a backlog: %s (%s), %v; want parked (backlog)", e.State, e.Reason, err)
	}
	if s := messageState(t, db, r.ShipmentID); s != Due {
		t.Errorf("message of a parked backlog is %s; want due", s)
	}
}

// A message's run is recorded until its file is opened: what was compared
// without it must not look proven afterwards. A run that is known stays.
func TestRunNamed(t *testing.T) {
	l := newLedger(t)
	l.must(l.PollBegun(bg, "prod", "a1"))
	r, err := l.AcceptMessage(bg, NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "c1", Body: []byte("receipt")})
	l.must(err)
	l.must(l.RunNamed(bg, r.ShipmentID, "run"))
	l.must(l.RunNamed(bg, r.ShipmentID, "another"))
	if got := l.shipment(r.ShipmentID).ExecutionID; got != "run" {
		t.Errorf("its run is %q; want that named first", got)
	}
	l.openedMessage("c2", "")
	opened := l.shipment(NewID(shipmentPrefix, "prod", "0", "queue:a1:c2"))
	l.must(l.RunNamed(bg, opened.ID, "run"))
	if got := l.shipment(opened.ID).ExecutionID; got != "" {
		t.Errorf("its run is %q, named after it was opened", got)
	}
}

package state

import (
	"context"
	"errors"
	"testing"
	"time"
)

func openTest(t *testing.T) *DB {
	t.Helper()
	db, err := OpenLedger(context.Background(), t.TempDir(), Options{AnyFilesystem: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var testTime = time.Date(2026, 3, 2, 9, 15, 42, 0, time.UTC)

func arrival(identity string) Arrival {
	no := int64(5637210077)
	return Arrival{
		Environment: "prod", Door: "finops", Identity: identity, State: Accepted, Body: []byte(`{}`),
		Entity: "Customer groups", LegalEntity: "usmf", ControlNumber: &no, EventAt: testTime,
		Shipment: &NewShipment{Link: "https://a.example/dmf/x?sig=s", LinkPath: "a.example/dmf/x", Deadline: testTime.Add(time.Hour)},
	}
}

// One shipment walks the whole way; what the ledger says at each step is
// checked, and that its end leaves no signature behind.
func TestOneShipmentsWay(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	receipts, err := db.Accept(ctx, []Arrival{arrival("one")})
	if err != nil {
		t.Fatal(err)
	}
	sh := receipts[0].ShipmentID
	jobs, err := db.ClaimFetches(ctx, FetchClaims{Owner: "me", Lease: time.Minute, Limit: 4})
	if err != nil || len(jobs) != 1 || jobs[0].Link != "https://a.example/dmf/x?sig=s" || jobs[0].Shipment.Attempts != 1 {
		t.Fatalf("claim gave %+v, %v; want the one link", jobs, err)
	}
	if err := db.Fetched(ctx, sh, RawFile{File: "raw/" + sh, Bytes: 10, SHA256: "ab", Proof: ProofWhole}); err != nil {
		t.Fatal(err)
	}
	opened, err := db.ClaimOpenings(ctx, "me", time.Minute, 1)
	if err != nil || len(opened) != 1 {
		t.Fatalf("claim of openings gave %v, %v; want 1", opened, err)
	}
	if err := db.Opened(ctx, sh, "", []NewExport{{Entity: "Customer groups", LegalEntity: "usmf", Flow: "all", Deliveries: []NewDelivery{{Output: "out", Flow: "all"}}}}); err != nil {
		t.Fatal(err)
	}
	del, err := db.ClaimDeliveries(ctx, "me", time.Minute, 8)
	if err != nil || len(del) != 1 {
		t.Fatalf("claim of deliveries gave %v, %v; want 1", del, err)
	}
	status, err := db.Status(ctx, "")
	if err != nil || status.OnTheWay != 1 || status.NeedPerson != 0 {
		t.Fatalf("status on the way: %+v, %v; want 1 on the way", status, err)
	}
	key := DeliveryKey{ExportID: del[0].Export.ID, Output: "out"}
	if err := db.Delivered(ctx, key, Landing{Path: "p", Counts: Counts{Rows: 7}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Delivered(ctx, key, Landing{Path: "p"}); !errors.As(err, new(*TransitionError)) {
		t.Fatalf("delivering twice gave %v; want a TransitionError", err)
	}
	s, err := db.Shipment(ctx, sh)
	if err != nil || s.State != Settled {
		t.Fatalf("shipment is %s, %v; want settled", s.State, err)
	}
	if has, err := db.HasLink(ctx, sh); err != nil || has {
		t.Fatalf("link kept after settle: %v, %v", has, err)
	}
	cps, err := db.Checkpoints(ctx, Filter{})
	if err != nil || len(cps) != 1 || cps[0].Rows != 7 || cps[0].Highest.No != 5637210077 || cps[0].OpenCount != 0 {
		t.Fatalf("checkpoints: %+v, %v", cps, err)
	}
	status, err = db.Status(ctx, "")
	if err != nil || status.OnTheWay != 0 || len(status.Lines) != 1 || status.Lines[0].LastRows != 7 {
		t.Fatalf("status at the end: %+v, %v", status, err)
	}
	story, err := db.Story(ctx, sh)
	if err != nil || len(story) != 9 {
		t.Fatalf("story has %d entries, %v; want 9: %+v", len(story), err, story)
	}
}

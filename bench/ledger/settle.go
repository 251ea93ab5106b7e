package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"finrelay/bench/customers"
	"finrelay/bench/load"
	"finrelay/bench/target"
	"finrelay/state"
)

// original is the export that all others are copies of.
type original struct {
	event, shipment, export string // ids
	number                  string // the digits of its EventId and blob that are its own
	entity                  string
}

// originalNumber is far from the numbers of events that load posts.
const originalNumber = 0x5EED5EED5EED

// settleOne makes a ledger in folder and takes one export through it, from the
// event to the removal of its raw file.
func settleOne(ctx context.Context, folder string) (o original, err error) {
	db, err := state.OpenLedger(ctx, folder, state.Options{})
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	o = original{number: fmt.Sprintf("%012X", originalNumber), entity: customers.Entity}
	link := load.SignedLinks("https://contoso.blob.core.windows.net", ".csv", time.Now())(originalNumber)
	events := load.Events{Link: func(int64) string { return link }, Entity: o.entity, Rows: 7, At: time.Now()}
	rows := int64(7)
	receipts, err := db.Accept(ctx, []state.Arrival{{
		Environment:   target.Environment,
		Door:          "finops",
		Identity:      "/6070e2a4-a3d8-4074-b105-" + o.number,
		State:         state.Accepted,
		Body:          events.Append(nil, originalNumber),
		FinOpsEventID: "6070e2a4-a3d8-4074-b105-" + o.number,
		Entity:        o.entity,
		LegalEntity:   "usmf",
		Shipment:      &state.NewShipment{ExpectedRows: &rows, Link: link, LinkPath: "contoso.blob.core.windows.net/dmf/" + o.number + ".csv"},
	}})
	if err != nil {
		return o, err
	}
	o.event, o.shipment = receipts[0].EventID, receipts[0].ShipmentID
	o.export = state.ExportID(o.shipment, "")
	return o, settle(ctx, db, o)
}

func settle(ctx context.Context, db *state.DB, o original) error {
	const sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if _, err := db.ClaimFetches(ctx, state.FetchClaims{Owner: "bench", Lease: time.Minute, Limit: 1}); err != nil {
		return err
	}
	if err := db.Fetched(ctx, o.shipment, state.RawFile{File: "raw/" + o.shipment, Bytes: 3210, SHA256: sha, Proof: state.ProofWhole}); err != nil {
		return err
	}
	if _, err := db.ClaimOpenings(ctx, "bench", time.Minute, 1); err != nil {
		return err
	}
	export := state.NewExport{Entity: o.entity, LegalEntity: "usmf", Flow: "all", Deliveries: []state.NewDelivery{{Output: "out", Flow: "all"}}}
	if err := db.Opened(ctx, o.shipment, "", []state.NewExport{export}); err != nil {
		return err
	}
	if _, err := db.ClaimDeliveries(ctx, "bench", time.Minute, 1); err != nil {
		return err
	}
	path := target.Environment + "/" + o.entity + "/usmf/2026/01/01/" + o.export + ".jsonl"
	landing := state.Landing{Path: path, ManifestPath: path + ".manifest.json", Counts: state.Counts{Rows: 7}, Bytes: 9876, SHA256: sha}
	if err := db.Delivered(ctx, state.DeliveryKey{ExportID: o.export, Output: "out"}, landing); err != nil {
		return err
	}
	if _, err := db.ReleaseRaw(ctx, time.Now().Add(time.Hour), 1); err != nil {
		return err
	}
	s, err := db.Shipment(ctx, o.shipment)
	if err != nil {
		return err
	}
	if s.State != state.Settled || s.RawHere() {
		return fmt.Errorf("the original is %s and not settled; the transitions have changed, change this program", s.State)
	}
	return nil
}

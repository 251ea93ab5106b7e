package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"finrelay/exporter/outputs"
	"finrelay/flows"
	"finrelay/state"
)

// Exports that one output holds up are one line of a status, and counted; to
// retry them is one request.
func TestStatusGroupsWhatWaits(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	lake, err := outputs.NewFiles(outputs.FilesOptions{Name: "lake", Folder: "/srv/lake"})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := flows.New(r.db, flows.Config{
		Environments: map[string]flows.Environment{"prod": {}},
		Outputs:      map[string]outputs.Output{"lake": lake},
		Flows:        []flows.Flow{{Name: "all", Outputs: []string{"lake"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := Local((&API{DB: r.db, Relay: relay, Serving: true}).Handler())
	const exports = MostListed + 5
	for n := range exports {
		r.waits(n)
	}
	v, err := client.Status(ctx, "")
	if err != nil || len(v.List) != 0 || len(v.Waiting) != 1 || v.OnTheWay != exports || v.Overdue != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	if w := v.Waiting[0]; w.Count != exports || w.Place != "/srv/lake" || w.Whereabouts != "safe here" || w.Detail != "mkdir /srv/lake: full" || !strings.HasSuffix(w.Next, "finrelay retry lake") {
		t.Errorf("%+v", w)
	}
	got, err := client.Retry(ctx, RetryRequest{Targets: []string{"lake"}, By: "ann"})
	if err != nil || len(got.Queued) != exports {
		t.Errorf("%d, %v; want %d", len(got.Queued), err, exports)
	}
	got, err = client.Retry(ctx, RetryRequest{All: true, By: "ann"})
	if err != nil || len(got.Queued) != 0 || got.Trying != exports {
		t.Errorf("again: %d queued, %d being tried, %v", len(got.Queued), got.Trying, err)
	}
	// A link that waits is no cause for alarm until its time is over.
	link := r.accept("prod", event(exports, "Units"))
	if _, err := r.db.ClaimFetches(ctx, state.FetchClaims{Owner: "test", Lease: time.Minute, Limit: 100}); err != nil {
		t.Fatal(err)
	}
	if err := r.db.WaitFetch(ctx, link.ShipmentID, time.Now().Add(time.Hour), state.ReasonNetwork, "no route"); err != nil {
		t.Fatal(err)
	}
	for days, want := range []int64{0, 1} {
		r.db.Now = func() time.Time { return time.Now().AddDate(0, 0, days) }
		v, err := client.Status(ctx, "")
		if err != nil || v.LinksLate != want || len(v.Waiting) != 2 || !strings.HasSuffix(v.Waiting[1].Next, "finrelay retry prod") {
			t.Errorf("after %d days: %d links late, %v; want %d in %+v", days, v.LinksLate, err, want, v.Waiting)
		}
	}
	// Nor does one that nobody has tried, whether a server runs or not.
	r.accept("prod", event(exports+1, "Sites"))
	r.db.Now = func() time.Time { return time.Now().AddDate(0, 0, 2) }
	for _, serving := range []bool{true, false} {
		client := Local((&API{DB: r.db, Relay: relay, Serving: serving}).Handler())
		if v, err := client.Status(ctx, "prod"); err != nil || v.LinksLate != 2 {
			t.Errorf("serving %v: %d links late, %v; want 2", serving, v.LinksLate, err)
		}
		if v, err := client.Status(ctx, "uat"); err != nil || v.LinksLate != 0 {
			t.Errorf("serving %v: %d links late in another environment, %v", serving, v.LinksLate, err)
		}
	}
	for _, body := range []string{"", "{}", `{"all":true,"targets":["lake"]}`} {
		if status, text, _ := client.raw(t, "POST", "retry", body); status != 400 || !strings.Contains(text, "targets") {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}

// waits brings an export to output lake, which fails.
func (r *rig) waits(n int) {
	r.t.Helper()
	ctx := r.t.Context()
	receipt := r.accept("prod", event(n, fmt.Sprint("Entity ", n)))
	if _, err := r.db.ClaimFetches(ctx, state.FetchClaims{Owner: "test", Lease: time.Minute, Limit: 100}); err != nil {
		r.t.Fatal(err)
	}
	if err := r.db.Fetched(ctx, receipt.ShipmentID, state.RawFile{File: "raw/x", Bytes: 3, SHA256: "00", Proof: state.ProofWhole}); err != nil {
		r.t.Fatal(err)
	}
	if err := r.db.Opened(ctx, receipt.ShipmentID, "", []state.NewExport{{Entity: "Units", Flow: "all", Deliveries: []state.NewDelivery{{Output: "lake", Flow: "all"}}}}); err != nil {
		r.t.Fatal(err)
	}
	jobs, err := r.db.ClaimDeliveries(ctx, "test", time.Minute, 100)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, j := range jobs {
		key := state.DeliveryKey{ExportID: j.Export.ID, Output: "lake"}
		if err := r.db.WaitDelivery(ctx, key, time.Now().Add(time.Hour), state.ReasonOutput, "mkdir /srv/lake: full"); err != nil {
			r.t.Fatal(err)
		}
	}
}

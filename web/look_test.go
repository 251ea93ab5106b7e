package web

import (
	"errors"
	"net/http"
	"testing"

	"finrelay/flows"
	"finrelay/state"
)

// Who looks gets answers of one state of the ledger: when somebody begins to
// work on it in the middle of an answer, that one is read anew.
func TestLookingReadsAnew(t *testing.T) {
	folder := t.TempDir()
	work := func() *state.DB {
		db, err := state.OpenLedger(t.Context(), folder, state.Options{AnyFilesystem: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	if err := work().Close(); err != nil {
		t.Fatal(err)
	}
	opened := 0
	look, err := NewLooking(func() (*API, error) {
		opened++
		db, err := state.OpenToLook(t.Context(), folder, state.Options{AnyFilesystem: true})
		if err != nil {
			return nil, err
		}
		relay, err := flows.New(db, flows.Config{})
		return &API{DB: db, Relay: relay}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close()
	client := Local(look)
	if events, err := client.Events(t.Context(), state.Filter{}); err != nil || len(events) != 0 || opened != 1 {
		t.Fatalf("%d events, %v, opened %d times", len(events), err, opened)
	}
	relay, err := flows.New(work(), flows.Config{})
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"BusinessEventId":"BusinessEventsTestEndpointContract","EventId":"A"}`)
	if _, err := relay.Accept(t.Context(), flows.ReadBody("prod", "finops", body, relay.FieldNames())); err != nil {
		t.Fatal(err)
	}
	if events, err := client.Events(t.Context(), state.Filter{}); err != nil || len(events) != 1 || opened != 2 {
		t.Errorf("%d events, %v, opened %d times; want the one that came meanwhile", len(events), err, opened)
	}
	skipped, err := client.Skip(t.Context(), SkipRequest{Selection: Selection{IDs: []string{"ev_0"}}, Why: "x"})
	if err != nil || len(skipped) != 1 || skipped[0].Refusal == "" {
		t.Errorf("skip of nothing: %+v, %v", skipped, err)
	}
	_, err = client.ResetEnvironment(t.Context(), "prod", "me")
	if refused, ok := errors.AsType[*RequestError](err); !ok || refused.Status != http.StatusConflict {
		t.Errorf("a change: %v, want a refusal", err)
	}
}

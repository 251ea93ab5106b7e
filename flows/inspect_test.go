package flows

import (
	"errors"
	"strings"
	"testing"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// What the ledger keeps of an event is read with the field names of today: whole
// when it could not be read, without its signature when it could.
func TestInspectEvent(t *testing.T) {
	w := newRig(t)
	w.open(w.takesAll())
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", Rows: 7})
	read := w.post(w.fo.Payload(e))[0]
	unread := w.post([]byte(`{"EntityName":"X","DownloadURL":`))[0]
	event, all, err := w.relay.InspectEvent(t.Context(), read.EventID[:8])
	if err != nil || event.ID != read.EventID || len(all) != 1 || all[0].Entity != "Customer groups" || all[0].LinkUntil.IsZero() || len(all[0].TakenBy) != 1 {
		t.Errorf("%v, %+v: %+v", err, event, all)
	}
	event, all, err = w.relay.InspectEvent(t.Context(), unread.EventID)
	if err != nil || event.State != state.Unreadable || len(all) != 1 || all[0].Readable || !strings.Contains(all[0].Problem, "byte") {
		t.Errorf("%v, %+v: %+v", err, event, all)
	}
	if _, _, err := w.relay.InspectEvent(t.Context(), "ev_nobody"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("no such event: %v", err)
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	cfg := w.takesAll()
	cfg.Flows = []Flow{
		{Name: "vendors", Entities: []string{"Vendor*"}, Outputs: []string{"files"}},
		{Name: "large", When: ".NoOfRecords > 5", Outputs: []string{"files"}},
		{Name: "rest", Outputs: []string{"files"}},
	}
	w.open(cfg)
	e, _ := w.fo.Export(sim.ExportSpec{Entity: "Customer groups", Rows: 7})
	hostile := e
	hostile.EventID, hostile.DownloadURL = "2", "https://storage.attacker.example/x?sig=SECRET"
	body := "[" + string(w.fo.Payload(e)) + "," + string(w.fo.Payload(hostile)) + "," + string(w.fo.TestEvent()) + "]"
	all := w.relay.Inspect(t.Context(), "prod", []byte(body))
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	in := all[0]
	if !in.Readable || in.State != string(state.Accepted) || in.Entity != "Customer groups" || *in.Rows != 7 || in.LinkUntil.IsZero() || in.LinkRefusal != "" {
		t.Errorf("%+v", in)
	}
	if strings.Join(in.TakenBy, " ") != "large" || len(in.Flows) != 3 || in.Flows[0].Takes || !strings.Contains(in.Flows[2].Why, "large stands before it") {
		t.Errorf("taken by %v: %+v", in.TakenBy, in.Flows)
	}
	if all[1].LinkRefusal == "" || strings.Contains(all[1].LinkRefusal+all[1].Link+all[1].Identity, "SECRET") {
		t.Errorf("a hostile link: %+v", all[1])
	}
	if all[2].State != string(state.Ignored) || all[2].Reason != string(state.ReasonEndpointTest) {
		t.Errorf("%+v", all[2])
	}
	bad := w.relay.Inspect(t.Context(), "prod", []byte("nonsense"))
	if len(bad) != 1 || bad[0].Readable || bad[0].Problem == "" || bad[0].State != string(state.Unreadable) {
		t.Errorf("%+v", bad)
	}
	// What it says is what happens.
	receipts := w.post([]byte(body))
	for i, r := range receipts {
		if string(r.State) != all[i].State {
			t.Errorf("event %d is %s, inspect said %s", i, r.State, all[i].State)
		}
	}
	w.start()
	w.settle()
	if e := w.only(receipts[0].ShipmentID); e.Flow != in.TakenBy[0] {
		t.Errorf("flow %s took it, inspect said %v", e.Flow, in.TakenBy)
	}
	if events, err := w.db.Events(t.Context(), state.Filter{}); err != nil || len(events) != 3 {
		t.Errorf("%d events, %v: inspect stores nothing", len(events), err)
	}
}

func TestNewChecksItself(t *testing.T) {
	t.Parallel()
	w := newRig(t)
	w.open(w.takesAll())
	for want, flow := range map[string]Flow{
		`no output is called "nowhere"`: {Name: "f", Outputs: []string{"nowhere"}},
		`condition ".x |"`:              {Name: "f", When: ".x |"},
	} {
		if _, err := New(w.db, Config{Flows: []Flow{flow}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestEnvironmentNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"prod": true, "UAT-2_x": true, "0": true, strings.Repeat("a", 64): true,
		"": false, "-x": false, "_": false, "a/b": false, "..": false, "a.b": false, "ä": false, "a b": false, strings.Repeat("a", 65): false} {
		if got := ValidEnvironment(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
		if got := (&Relay{}).KnowsEnvironment(name); got != want {
			t.Errorf("without a configuration, %q: %t", name, got)
		}
	}
	w := newRig(t)
	w.open(w.takesAll())
	if !w.relay.KnowsEnvironment("prod") || w.relay.KnowsEnvironment("PROD") || w.relay.KnowsEnvironment("uat") {
		t.Error("with a configuration only what stands in it is known, as it is spelled")
	}
}

package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"finrelay/state"
)

// A link that died while no server ran was never tried, and still is what
// monitoring has to hear of.
func TestStatusCheckOfLinksThatWereNeverTried(t *testing.T) {
	folder := t.TempDir()
	db, err := state.OpenLedger(t.Context(), folder, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for entity, life := range map[string]time.Duration{"Customer groups": -time.Hour, "Vendor groups": time.Hour} {
		link := state.NewShipment{Link: "https://a.blob.core.windows.net/c/x.csv", LinkPath: "a.blob.core.windows.net/c/x.csv", Deadline: time.Now().Add(life)}
		if _, err := db.Accept(t.Context(), []state.Arrival{{Environment: "prod", Door: "finops", Identity: entity, State: state.Accepted, Entity: entity, Body: []byte("{}"), Shipment: &link}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"status", "--check", "--state-folder", folder}, strings.NewReader(""), &stdout, &stderr)
	if said := regexp.MustCompile(`(?m)^links past their time: +1, not fetched yet`); code != exitOpen || !said.MatchString(stdout.String()) {
		t.Errorf("exit %d\n%s%s", code, &stdout, &stderr)
	}
}

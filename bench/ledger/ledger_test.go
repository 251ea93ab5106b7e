package main

import (
	"path/filepath"
	"testing"

	"finrelay/bench/target"
	"finrelay/state"
)

// The copies must be what they claim whatever the schema becomes: settled
// exports that the ledger itself reads as such.
func TestCopiesAreSettledExports(t *testing.T) {
	ctx := t.Context()
	l := ledger{relay: target.Finrelay{Folder: t.TempDir()}}
	o, err := settleOne(ctx, l.relay.State())
	if err != nil {
		t.Fatal(err)
	}
	const copies = 300
	if err := copyRows(ctx, filepath.Join(l.relay.State(), state.File), o, copies); err != nil {
		t.Fatal(err)
	}
	if _, err := checkFilled(ctx, l); err != nil {
		t.Fatal(err)
	}
	db, err := state.OpenLedger(ctx, l.relay.State(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all, err := db.Exports(ctx, state.Filter{Limit: -1, States: []state.State{state.Landed}})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := db.Checkpoints(ctx, state.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != copies+1 || len(lines) != entities+1 {
		t.Errorf("%d exports and %d checkpoints, want %d and %d with the original", len(all), len(lines), copies+1, entities+1)
	}
}

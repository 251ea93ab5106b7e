// Package finrelay_test keeps the house in order: which package may import
// which, what packages and files may be called, and that each package says in
// a doc.go what it is for. The folder list is the architecture, so these are
// tests and not advice.
package finrelay_test

import (
	"os"
	"slices"
	"testing"
)

// importRules is the table of imports inside this module. The most specific
// rule for a package counts; a package that no rule names fails the test, so
// that a new folder gets its place in the house on the day it is made.
//
// "x/..." stands for x and everything below it, "x/*" for everything below x.
// What a _test.go file may import beyond its package's own list stands in
// tests, with the reason beside it.
var importRules = []importRule{
	{
		pkg:   "cmd/...", // the top: wires everything
		may:   []string{"cmd/...", "web/...", "flows/...", "exporter/...", "dmf/...", "state/..."},
		tests: nil,
	},
	{
		pkg:   "web/...", // calls flows' verbs and state's reads, nothing else
		may:   []string{"web/...", "flows/...", "state/..."},
		tests: []string{"dmf/sim/...", "exporter/..."}, // whole-path tests of the API need a FinOps and outputs
	},
	{
		pkg:   "flows", // the order of work; does not know its doors
		may:   []string{"exporter/...", "dmf", "state", "flows/cadence"},
		tests: []string{"dmf/sim/...", "flows/doors/..."}, // the end-to-end tests start at a door, against a FinOps
	},
	{
		pkg:   "flows/*", // doors: a request becomes flows.Arrival values
		may:   []string{"flows/...", "dmf"},
		tests: []string{"state", "dmf/sim/...", "exporter/..."}, // doors are tested down to a real ledger
	},
	{
		pkg:   "exporter", // the shared words of the packages below it
		may:   []string{"dmf"},
		tests: []string{"exporter/...", "dmf/sim/..."}, // examples that join the steps
	},
	{
		pkg:   "exporter/*", // side by side, strangers to each other
		may:   []string{"exporter", "dmf"},
		tests: []string{"dmf/sim/..."}, // a blob store to fetch from
	},
	{
		pkg:   "exporter/outputs/...", // outputs and the suite that every output passes
		may:   []string{"exporter", "dmf", "exporter/outputs/..."},
		tests: nil,
	},
	{
		pkg:   "dmf", // FinOps' protocols: at the bottom
		may:   nil,
		tests: []string{"dmf/sim/..."}, // the client is tested against the simulator
	},
	{
		pkg:   "dmf/sim/...", // the other side of the same protocols
		may:   []string{"dmf", "dmf/sim/..."},
		tests: nil,
	},
	{
		pkg:   "state/...", // the ledger: at the bottom
		may:   []string{"state/..."},
		tests: nil,
	},
	{
		pkg: "bench/...", // outside the house: measures whatever it likes
		may: []string{"..."},
	},
}

// bannedUses are the uses of the standard library that a package promises not
// to make: its settings come in as values, so that a test or a second instance
// in one process can give others.
var bannedUses = []bannedUse{
	{pkg: "flows/...", from: "os", names: []string{"Args", "Getenv", "LookupEnv", "Environ", "ExpandEnv"}},
	{pkg: "flows/...", from: "syscall", names: []string{"Getenv", "Environ"}},
}

// bannedWords name nothing. What would be called so lives beside its caller.
var bannedWords = []string{"util", "utils", "helper", "helpers", "manager", "managers", "common"}

func TestHouse(t *testing.T) {
	tree, err := readTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	// A reader that finds nothing would find nothing wrong either.
	for _, must := range []string{"exporter", "dmf", "state"} {
		if !slices.ContainsFunc(tree, func(p pkg) bool { return p.dir == must }) {
			t.Errorf("package %s was not found; is this the root of the repository?", must)
		}
	}
	for _, finding := range inspect(tree) {
		t.Error(finding)
	}
}

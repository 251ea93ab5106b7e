package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"finrelay/cmd/finrelay/config"
	"finrelay/state"
)

// demoMarker stands in each folder that a demo made. Only a folder with it is
// ever replaced.
const demoMarker = ".finrelay-demo"

const demoMarkerText = "finrelay demo made this folder and replaces all of it the next time.\n"

// demoConfig takes all entities of the demo but one: "Vendor groups" shows what
// happens to an export that no flow takes.
const demoConfig = `# The configuration of finrelay demo. "finrelay serve -c" runs it again;
# "finrelay sim --post" then sends more events.
state: state

environments:
  ` + demoEnvironment + `:
    loopback_links: true    # the simulator's links point to this machine; leave it out for a real FinOps

outputs:
  files:
    folder: out

# Add "Vendor groups" to a flow, then: finrelay rerun --entity "Vendor groups"
flows:
  - name: sales
    entities: ["Customer*", "Sales order *"]
  - name: purchasing
    entities: ["Vendors V2", "Purchase order *"]
  - name: products
    entities: ["Released products *", "Warehouses"]
  - name: finance
    entities: ["Exchange rates", "Fixed asset *", "Main accounts", "General journal *", "Bank accounts"]
`

// prepare makes the folder and its configuration.
func (d *demo) prepare() (*config.Config, error) {
	if err := freshDemoFolder(d.dir); err != nil {
		return nil, err
	}
	file := d.path("finrelay.yaml")
	if err := os.WriteFile(file, []byte(demoConfig), 0o600); err != nil {
		return nil, err
	}
	return config.Load(file, nil)
}

// freshDemoFolder makes an empty folder with the marker in it. It refuses to
// touch what is not a demo's, and a demo's folder that somebody is using.
func freshDemoFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usage(err)
	}
	if len(entries) > 0 {
		if _, err := os.Lstat(filepath.Join(dir, demoMarker)); err != nil {
			return usage(fmt.Errorf("%s is not empty and no demo made it: nothing was touched; name another folder with --dir", dir))
		}
		if err := unusedDemoFolder(dir); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if e.Name() == demoMarker {
			continue // goes last, so that half a removal can be repeated
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, demoMarker), []byte(demoMarkerText), 0o600)
}

// unusedDemoFolder sees whether a server is at work in the folder: it would go
// on with a ledger that has no name any more.
func unusedDemoFolder(dir string) error {
	folder := filepath.Join(dir, "state")
	if _, err := os.Stat(folder); err != nil {
		return nil
	}
	db, err := state.OpenLedger(context.Background(), folder, state.Options{})
	switch {
	case errors.Is(err, state.ErrLocked):
		return fmt.Errorf("a server is running in %s: stop it, or name another folder with --dir", dir)
	case err != nil:
		return nil // a ledger nobody can open is nobody's
	}
	return db.Close()
}

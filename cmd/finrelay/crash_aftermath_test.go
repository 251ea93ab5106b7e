package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finrelay/state"
	"finrelay/web"
)

// aftermath is all that must be the same after a crash as without one: a line a
// thing. Times of our own clock, attempts and counts of duplicates are not in
// it, because a repeated step and a repeated event are legitimate.
type aftermath map[string]string

// difference says how two aftermaths differ, "" when they do not.
func (want aftermath) difference(got aftermath) string {
	var d strings.Builder
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[k]; !ok {
			fmt.Fprintf(&d, "lost:   %s = %s\n", k, want[k])
		} else if g != want[k] {
			fmt.Fprintf(&d, "is:     %s = %s\nwanted: %s\n", k, g, want[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			fmt.Fprintf(&d, "extra:  %s = %s\n", k, got[k])
		}
	}
	return d.String()
}

// ledgerAftermath reads the ledger through a server's control socket.
func ledgerAftermath(ctx context.Context, c *web.Client) (aftermath, error) {
	o := aftermath{}
	all := state.Filter{Limit: -1}
	events, err := c.Events(ctx, all)
	for _, e := range events {
		o["event "+e.ID] = fmt.Sprintf("%s %s %q %s", e.State, e.Reason, e.Entity, e.ShipmentID)
	}
	shipments, err2 := c.Shipments(ctx, all)
	for _, s := range shipments {
		o["shipment "+s.ID] = fmt.Sprintf("%s %s %q raw %s %d %s", s.State, s.Reason, s.Entity, s.RawFile, s.RawBytes, s.RawSHA256)
	}
	exports, err3 := c.Exports(ctx, all)
	for _, e := range exports {
		o["export "+e.ID] = fmt.Sprintf("%s %s %q of %s %q rows %s bad %d %s", e.State, e.Reason, e.Entity, e.ShipmentID, e.Member, number(e.Rows), e.BadRows, e.Whereabouts)
		for _, d := range e.Deliveries {
			o["delivery "+e.ID+"/"+d.Output] = fmt.Sprintf("%s %s %s rows %s bad %d bytes %d %s", d.State, d.Reason, belowFolder(d.Path), number(d.Rows), d.BadRows, d.Bytes, d.SHA256)
		}
	}
	checkpoints, err4 := c.Checkpoints(ctx, all)
	for _, p := range checkpoints {
		// The count of exports is in it on purpose: a repeated delivery whose
		// end was not recorded counts once, and one that was is not repeated.
		o[fmt.Sprintf("checkpoint %s %s %q %s %s", p.Environment, p.Flow, p.Entity, p.LegalEntity, p.Output)] =
			fmt.Sprintf("%s by %s, exports %d rows %d open %d %v", p.Highest, p.ExportID, p.Exports, p.Rows, p.OpenCount, p.OldestOpen)
	}
	status, err5 := c.Status(ctx, "")
	o["status"] = fmt.Sprintf("need a person %d, on the way %d", status.NeedPerson, status.OnTheWay)
	for _, l := range status.Lines {
		o[fmt.Sprintf("status %s %q %s", l.Environment, l.Entity, l.LegalEntity)] =
			fmt.Sprintf("exports %d rows %d last %d, on the way %d, need a person %d", l.Exports, l.Rows, l.LastRows, l.OnTheWay, l.NeedPerson)
	}
	return o, errors.Join(err, err2, err3, err4, err5, o.addEnds(ctx, c))
}

// belowFolder makes paths comparable between the folders of two runs.
func belowFolder(path string) string {
	if i := strings.Index(path, "out/prod/"); i >= 0 {
		return path[i:]
	}
	return path
}

// addEnds counts how often the journal says that something came to its end.
// More than once would be double, whatever the tables say now.
func (o aftermath) addEnds(ctx context.Context, c *web.Client) error {
	counts := map[string]int{}
	for after := int64(0); ; {
		page, err := c.Journal(ctx, after)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			after = e.Seq
			if e.From != e.To && slices.Contains([]state.State{state.Accepted, state.Fetched, state.Settled, state.Landed, state.Delivered, state.Parked}, e.To) {
				counts[fmt.Sprintf("journal %s %s becomes %s", e.Kind, e.Subject, e.To)]++
			}
		}
	}
	for k, n := range counts {
		o[k] = fmt.Sprintf("%d times", n)
	}
	return nil
}

// addFiles adds what is in the folder of a server that has stopped: every file
// of the output by its hash, the raw files, and nothing else but the ledger.
func (o aftermath) addFiles(folder string) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		switch base := filepath.Base(name); {
		case base == state.File: // its bytes depend on what happened; its content is compared above
			o["file "+name] = "is there"
		case base == ".finrelay-output-files": // its id is random
			o["marker "+name] = "is there"
		default:
			o["file "+name] = fmt.Sprintf("%d bytes %x", len(body), sha256.Sum256(body))
		}
		return err
	})
}

// checkLedgerFile looks at the ledger of a server that has stopped: sound, no
// link left of what is settled, and no signature anywhere in its bytes.
func checkLedgerFile(folder string, signatures []string) error {
	path := filepath.Join(folder, crashState, state.File)
	// immutable: without it even a reader leaves a log beside the ledger.
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer db.Close()
	var sound string
	var links int
	err = errors.Join(
		db.QueryRow(`PRAGMA integrity_check`).Scan(&sound),
		db.QueryRow(`SELECT count(*) FROM links JOIN shipments USING (seq) WHERE state = 'settled'`).Scan(&links))
	if err != nil {
		return err
	}
	if sound != "ok" {
		err = errors.Join(err, fmt.Errorf("integrity_check: %s", sound))
	}
	if links > 0 {
		err = errors.Join(err, fmt.Errorf("%d links of settled shipments are left", links))
	}
	body, readErr := os.ReadFile(path)
	for i, s := range signatures {
		if bytes.Contains(body, []byte(s)) {
			err = errors.Join(err, fmt.Errorf("signature of link %d stands in the ledger's bytes", i))
		}
	}
	return errors.Join(err, readErr)
}

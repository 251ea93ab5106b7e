package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"finrelay/dmf/sim"
	"finrelay/exporter/outputs"
	"finrelay/flows"
	"finrelay/state"
)

// checkLanded compares ledger, manifest and file with what FinOps holds.
func (c *demoCheck) checkLanded() {
	table, ok := c.parcel.tables[c.export.Entity]
	if !ok || len(c.export.Deliveries) != 1 {
		c.problem("%d deliveries of %s, want 1 of an entity that was sent", len(c.export.Deliveries), c.export.Entity)
		return
	}
	delivery := c.export.Deliveries[0]
	want := int64(len(table.Rows))
	if c.export.Rows == nil || *c.export.Rows != want || delivery.Rows == nil || *delivery.Rows != want || c.export.BadRows != 0 {
		c.problem("the ledger counts %s rows, %s delivered, %d bad; %d were sent", number(c.export.Rows), number(delivery.Rows), c.export.BadRows, want)
	}
	if c.shipment.RawSHA256 != sha256Of(c.parcel.blob.Bytes()) {
		c.problem("SHA-256 of the download %s is not that of the file in FinOps", c.shipment.RawSHA256)
	}
	data, err := os.ReadFile(delivery.Path)
	if err != nil {
		c.problem("%v", err)
		return
	}
	sum := sha256Of(data)
	m, err := outputs.ReadManifest(delivery.ManifestPath)
	switch {
	case err != nil:
		c.problem("%v", err)
	case m.SHA256 != sum || delivery.SHA256 != sum || m.Bytes != int64(len(data)):
		c.problem("SHA-256 of %s is %s; the manifest says %s, the ledger %s", delivery.Path, sum, m.SHA256, delivery.SHA256)
	case m.Rows != want || m.ExportID != c.export.ID || m.Entity != table.Label:
		c.problem("the manifest speaks of %d rows of %s in %s, want %d of %s in %s", m.Rows, m.Entity, m.ExportID, want, table.Label, c.export.ID)
	case !slices.Equal(m.Columns, table.Columns):
		c.problem("the manifest's columns are %q, want %q", m.Columns, table.Columns)
	}
	c.values, err = compareRows(data, table)
	if err != nil {
		c.problem("%s: %v", delivery.Path, err)
	}
}

// compareRows reads JSON Lines with the standard library alone, so that it
// shares no mistake with the converter, and counts the values that are equal.
func compareRows(data []byte, want sim.Table) (values int64, err error) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 16<<20)
	row := 0
	for ; lines.Scan(); row++ {
		if row == len(want.Rows) {
			return values, fmt.Errorf("more rows than the %d that were sent", row)
		}
		names, got, err := members(lines.Bytes())
		if err != nil {
			return values, fmt.Errorf("row %d: %w", row+1, err)
		}
		if !slices.Equal(names, want.Columns) {
			return values, fmt.Errorf("row %d has the keys %q, want %q", row+1, names, want.Columns)
		}
		for i, v := range want.Rows[row] {
			if got[i] != v {
				return values, fmt.Errorf("row %d, %s: %q, want %q", row+1, names[i], got[i], v)
			}
			values++
		}
	}
	if err := lines.Err(); err != nil {
		return values, err
	}
	if row != len(want.Rows) {
		return values, fmt.Errorf("%d rows, want %d", row, len(want.Rows))
	}
	return values, nil
}

// members gives the keys and string values of a flat object, in order.
func members(line []byte) (names, values []string, err error) {
	if !json.Valid(line) {
		return nil, nil, errors.New("not a JSON text")
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("not an object (%v)", err)
	}
	for d.More() {
		var pair [2]string
		for i := range pair {
			t, err := d.Token()
			s, ok := t.(string)
			if err != nil || !ok {
				return nil, nil, fmt.Errorf("%v is not a string (%v)", t, err)
			}
			pair[i] = s
		}
		names, values = append(names, pair[0]), append(values, pair[1])
	}
	return names, values, nil
}

// checkKept: of what did not land nothing is visible, and the raw file is here
// whenever a link gave it to us.
func (c *demoCheck) checkKept() {
	if c.export != nil {
		for _, d := range c.export.Deliveries {
			if d.State == state.Delivered || d.Path != "" {
				c.problem("rows are in output %s: %s", d.Output, d.Path)
			}
		}
	}
	if c.line.where.Next == "" {
		c.problem("nothing is said about what to do next")
	}
	if c.want.state == state.Expired {
		if c.shipment.RawHere() {
			c.problem("raw file %s came through a dead link", c.shipment.RawFile)
		}
		return
	}
	raw, err := os.ReadFile(c.demo.path("state", c.shipment.RawFile))
	if err != nil || !bytes.Equal(raw, c.parcel.blob.Bytes()) {
		c.problem("raw file %q is not the file in FinOps (%v)", c.shipment.RawFile, err)
	}
	if c.line.where.Place != flows.SafeHere {
		c.problem("rows are %q, want %q", c.line.where.Place, flows.SafeHere)
	}
}

func sha256Of(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

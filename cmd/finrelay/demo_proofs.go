package main

import (
	"fmt"
	"net/http"
	"strings"

	"finrelay/dmf/sim"
	"finrelay/flows"
	"finrelay/state"
)

// onlyOnce: the event that came twice landed once.
func (c *demoCheck) onlyOnce() {
	if c.event.Duplicates != 1 {
		c.problem("the ledger counts %d repeats of the event, want 1", c.event.Duplicates)
	}
	if n := len(c.shipment.Exports); n != 1 || c.shipment.Attempts != 1 || c.export.Deliveries[0].Attempts != 1 {
		c.problem("%d exports, %d downloads: something ran again", n, c.shipment.Attempts)
	}
}

// checkpointStays: the older export landed too, and the checkpoint is still at
// the newer one.
func (c *demoCheck) checkpointStays() {
	newer := c.parcels[c.at-1]
	points, err := c.demo.client.Checkpoints(c.ctx, state.Filter{Entity: c.line.entity})
	if err != nil || len(points) != 1 {
		c.problem("%d checkpoints (%v), want 1", len(points), err)
		return
	}
	if p := points[0]; p.Highest.No != newer.event.ControlNumber || p.Exports != 2 {
		c.problem("the checkpoint is at %d after %d exports, want %d after 2", p.Highest.No, p.Exports, newer.event.ControlNumber)
	}
	if c.parcel.event.ControlNumber >= newer.event.ControlNumber {
		c.problem("control number %d is not older than %d", c.parcel.event.ControlNumber, newer.event.ControlNumber)
	}
}

// resumed: the second request went on where the first was cut.
func (c *demoCheck) resumed() {
	requests := c.requests()
	if len(requests) != 2 {
		c.problem("%d requests for the file, want 2", len(requests))
		return
	}
	first, second := requests[0], requests[1]
	from := fmt.Sprintf("bytes=%d-", first.Bytes)
	if second.Range != from || second.IfMatch != c.parcel.blob.ETag() || second.Status != http.StatusPartialContent {
		c.problem("went on with Range %q, If-Match %q, answered %d; want %q, the blob's ETag, 206", second.Range, second.IfMatch, second.Status, from)
	}
	if sent := first.Bytes + second.Bytes; sent != c.parcel.blob.Size() {
		c.problem("%d bytes were sent for a file of %d", sent, c.parcel.blob.Size())
	}
}

// triedOnce: the link was tried although our clock said that it is dead, and
// the server's word ended it.
func (c *demoCheck) triedOnce() {
	requests := c.requests()
	if len(requests) != 1 || requests[0].Status != http.StatusForbidden {
		c.problem("requests %+v, want one that was answered 403", requests)
	}
	if c.line.where.Place != flows.AtRisk || c.line.where.Until.IsZero() || c.line.where.Next == "" {
		c.problem("rows are %q, next %q: want at risk, until when, and what to do", c.line.whereabouts, c.line.where.Next)
	}
}

// positionShown: the bad row is named by its line.
func (c *demoCheck) positionShown() {
	line := badLine(c.demo.sim, c.parcel.tables[c.line.entity])
	if !strings.Contains(c.line.detail, fmt.Sprintf(":%d:", line)) {
		c.problem("detail %q does not name line %d", c.line.detail, line)
	}
	if c.export.BadRows != 1 {
		c.problem("%d bad rows, want 1", c.export.BadRows)
	}
}

// requests are those for the parcel's file, as the simulator saw them.
func (c *demoCheck) requests() []sim.Request {
	var list []sim.Request
	for _, r := range c.demo.sim.Requests() {
		if r.Blob == c.parcel.blob.Name() {
			list = append(list, r)
		}
	}
	return list
}

package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"finrelay/dmf/sim"
	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

// demoResults is what the demo found.
type demoResults struct {
	lines    []demoLine
	problems []string // about the whole, not a line
	values   int64    // that landed and were compared
}

// ok says whether everything was as expected.
func (r demoResults) ok() bool {
	for _, l := range r.lines {
		if len(l.problems) > 0 {
			return false
		}
	}
	return len(r.problems) == 0
}

// demoLine is one outcome beside what was expected.
type demoLine struct {
	entity, sent, expected, outcome string
	landed                          bool
	rows                            int64
	where                           flows.Whereabouts
	whereabouts                     string
	file                            string // named as people find it
	detail                          string // of what needs a person
	exportID                        string
	problems                        []string
}

// demoCheck compares one expected outcome with what there is: in the ledger, on
// the disk, and in the simulator's own record of requests.
type demoCheck struct {
	demo     *demo
	ctx      context.Context
	parcels  []demoParcel
	at       int // place of the case
	parcel   demoParcel
	want     demoWant
	event    web.EventView
	shipment web.ShipmentView
	export   *web.ExportView // nil when the shipment has none
	line     demoLine
	values   int64
}

// check goes through all outcomes, and then through what they add up to.
func (d *demo) check(ctx context.Context, parcels []demoParcel) (demoResults, error) {
	var results demoResults
	for i, c := range d.cases {
		for _, want := range c.want {
			check := &demoCheck{demo: d, ctx: ctx, parcels: parcels, at: i, parcel: parcels[i], want: want}
			if err := check.run(c); err != nil {
				return results, fmt.Errorf("check %s (%s): %w", c.entity, c.sent, err)
			}
			results.lines = append(results.lines, check.line)
			if !want.known {
				results.values += check.values
			}
		}
	}
	problems, err := d.checkTotals(ctx, parcels)
	results.problems = problems
	return results, err
}

// problem notes that something is not as expected.
func (c *demoCheck) problem(format string, args ...any) {
	c.line.problems = append(c.line.problems, fmt.Sprintf(format, args...))
}

// run fills the line. An error is one of asking; what is not as expected is a
// problem.
func (c *demoCheck) run(of demoCase) error {
	c.line.entity, c.line.sent = or(c.want.entity, of.entity), or(c.want.sent, of.sent)
	if err := c.ask(); err != nil {
		return err
	}
	c.line.expected = outcome(c.want.known, c.want.state, c.want.reason)
	gotState, gotReason := c.became()
	known := c.parcel.status == http.StatusOK
	c.line.outcome = outcome(known, gotState, gotReason)
	if c.parcel.status != c.want.answer || c.parcel.tries != 1 {
		c.problem("the door answered %d at try %d, want %d at once", c.parcel.status, c.parcel.tries, c.want.answer)
	}
	if gotState != c.want.state || gotReason != c.want.reason || known != c.want.known {
		c.problem("is %s, want %s", c.line.outcome, c.line.expected)
		return nil // the rest would only repeat it
	}
	switch {
	case c.export != nil && gotState == state.Landed:
		c.checkLanded()
	case c.shipment.ID != "":
		c.checkKept()
	}
	if c.want.also != nil {
		c.want.also(c)
	}
	return nil
}

// ask reads what the server says about the event and what came of it.
func (c *demoCheck) ask() (err error) {
	client := c.demo.client
	if c.event, err = client.Event(c.ctx, c.parcel.eventID); err != nil || c.parcel.shipment == "" {
		return err
	}
	if c.shipment, err = client.Shipment(c.ctx, c.parcel.shipment); err != nil {
		return err
	}
	c.line.where, c.line.whereabouts, c.line.detail = c.shipment.Where, c.shipment.Whereabouts, c.shipment.Detail
	for i, e := range c.shipment.Exports {
		if e.Entity == c.line.entity {
			c.export = &c.shipment.Exports[i]
			c.line.where, c.line.whereabouts, c.line.detail = e.Where, e.Whereabouts, e.Detail
			c.line.exportID, c.line.rows, c.line.landed = e.ID, e.Rows, e.State == state.Landed && !c.want.known
		}
	}
	c.line.file = c.demo.file(c.line.where)
	return nil
}

// became is the state that answers "what became of it".
func (c *demoCheck) became() (state.State, state.Reason) {
	switch {
	case c.export != nil:
		return c.export.State, c.export.Reason
	case c.shipment.ID != "":
		return c.shipment.State, c.shipment.Reason
	}
	return c.event.State, c.event.Reason
}

// outcome is a state in the words of the table.
func outcome(known bool, s state.State, r state.Reason) string {
	switch {
	case known:
		return "already known"
	case s == state.Parked:
		return string(s) + " " + string(r)
	}
	return string(s)
}

// file names the first place of the rows as it stands in the demo's folder. The
// ledger names outputs in full and raw files below the state folder.
func (d *demo) file(w flows.Whereabouts) string {
	switch {
	case len(w.Paths) == 0:
		return ""
	case w.Place == flows.SafeHere:
		return filepath.Join("state", w.Paths[len(w.Paths)-1])
	}
	base, err := filepath.Abs(d.dir)
	if err != nil {
		return w.Paths[0]
	}
	path, err := filepath.Abs(w.Paths[0])
	if err != nil {
		return w.Paths[0]
	}
	short, err := filepath.Rel(base, path)
	if err != nil {
		return w.Paths[0]
	}
	return short
}

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

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

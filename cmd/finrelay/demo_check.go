package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

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
			c.line.exportID, c.line.landed = e.ID, e.State == state.Landed && !c.want.known
			if e.Rows != nil {
				c.line.rows = *e.Rows
			}
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

// file names the place of the rows as it stands in the demo's folder: the
// output's file, or the raw file.
func (d *demo) file(w flows.Whereabouts) string {
	if len(w.Paths) == 0 {
		return ""
	}
	place := w.Paths[0]
	if w.Place == flows.SafeHere {
		place = w.Paths[len(w.Paths)-1]
	}
	base, err := filepath.Abs(d.dir)
	if err != nil {
		return place
	}
	path, err := filepath.Abs(place)
	if err != nil {
		return place
	}
	short, err := filepath.Rel(base, path)
	if err != nil {
		return place
	}
	return short
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

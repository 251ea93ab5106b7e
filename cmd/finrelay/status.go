package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"finrelay/flows"
	"finrelay/state"
	"finrelay/web"
)

func (a *app) status() *cobra.Command {
	var environment string
	var check bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Say what has not landed, where its rows are, and what to do",
		Long: `Two numbers first: how old the oldest export is that has not landed, and how many
need a person. Then flows whose exports are late; what waits for its next try, once
for each output or environment and reason; what stands still, once for all that is in
the same trouble, with where its rows are now, why, and what to do next; then a line
for each entity. On a terminal, or with COLUMNS set, it is made to fit the width.

--check is for monitoring: it exits with 7 when something needs a person, a link that
was not fetched is past its time (tried or not, with a server or without), a flow is
late, a queue could not be drained three times in a row, the state folder cannot be
written, an event was refused within 24 hours, an output is missing, or an export
landed with a remark that alert_on of the configuration names (a differing row count,
rows set aside) and nobody has looked (finrelay seen).`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withLook(c.Context(), func(s *session) error {
				v, err := s.Status(c.Context(), environment)
				if err != nil {
					return err
				}
				if err := a.print(v, func() error {
					return errors.Join(a.fitted(func(a *app) error { return a.drawStatus(v) }), a.entityTable(v.Lines))
				}); err != nil {
					return err
				}
				if check && (v.Unwell() || v.NeedPerson+v.LinksLate+int64(v.Late+v.QueuesFailing) > 0) {
					return &codedError{code: exitOpen}
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&environment, "environment", "", "only this environment")
	c.Flags().BoolVar(&check, "check", false, "exit with 7 when something needs a person or is not as it should be")
	a.addOutput(c)
	return c
}

func (a *app) drawStatus(v web.StatusView) error {
	oldest := "none: all that arrived has landed"
	if !v.OldestOpen.IsZero() {
		oldest = fmt.Sprintf("%s (%s, %s)", ago(v.OldestOpen), showTime(v.OldestOpen), v.OldestID)
	}
	fmt.Fprintf(a.stdout, "oldest export not landed: %s\n", oldest)
	fmt.Fprintf(a.stdout, "need a person:            %d\n", v.NeedPerson)
	fmt.Fprintf(a.stdout, "on the way:               %d\n", v.OnTheWay)
	if len(v.Cadences) > 0 {
		fmt.Fprintf(a.stdout, "flows that are late:      %d\n", v.Late)
	}
	if v.LinksLate > 0 {
		fmt.Fprintf(a.stdout, "links past their time:    %d, not fetched yet: their rows are at risk (finrelay shipments --state pending,fetching,waiting)\n", v.LinksLate)
	}
	if !v.Serving {
		fmt.Fprintln(a.stdout, "no server is running here: nothing is received or landed until finrelay serve")
	}
	a.drawHealth(v)
	for _, c := range v.Cadences {
		a.drawCadence(c)
	}
	for _, q := range v.Queues {
		if q.Problem == "" && q.DrainedAt.Before(q.LastPolledAt) {
			fmt.Fprintf(a.stdout, "\nqueue of flow %s (%s): being drained since %s, %s\n", q.Flow, q.Environment, ago(q.LastPolledAt), drainText(q))
		}
		if q.Problem != "" {
			fmt.Fprintf(a.stdout, "\nqueue of flow %s (%s): last found empty: %s\n    error: %s\n    next: it is polled again by itself, and at once with: finrelay poll %s\n",
				q.Flow, q.Environment, agoOrNever(q.DrainedAt), oneLine(q.Problem), q.Flow)
		}
	}
	for _, w := range v.Waiting {
		a.drawWait(w)
	}
	a.drawRemarks(v.Remarks)
	standing := 0
	for _, g := range v.Groups {
		standing += g.Count
		a.drawGroup(g)
	}
	if n := v.NeedPerson - v.Overdue - int64(standing); n > 0 {
		fmt.Fprintf(a.stdout, "\n%d more: finrelay exports --state parked, finrelay shipments --state parked,expired, finrelay events --state unreadable, finrelay executions --state failed,stuck\n", n)
	}
	return nil
}

// drawGroup says what is in one trouble: where its rows are, why, and what to do.
func (a *app) drawGroup(g web.Group) {
	things := g.First.ID + "  " + oneLine(g.Environment)
	if g.Count > 1 {
		things = fmt.Sprintf("%d %ss  %s", g.Count, g.Kind, oneLine(g.Environment))
	}
	names := oneLine(strings.Join(g.Entities, ", "))
	switch {
	case g.MoreNames > 0:
		names += fmt.Sprintf(" and %d more", g.MoreNames)
	case g.Count == 1:
		names = strings.TrimSpace(names + " " + oneLine(g.First.LegalEntity))
	}
	fmt.Fprintf(a.stdout, "\n%s\n", strings.TrimSpace(things+"  "+names))
	since := ""
	if g.Count > 1 {
		since = fmt.Sprintf(", the first since %s (%s, %s)", ago(g.Since), showTime(g.Since), g.First.ID)
	}
	fmt.Fprintf(a.stdout, "    %s (%s)%s; rows are: %s\n", g.State, g.Reason, since, g.Whereabouts)
	a.drawWhy(g.Why)
	if g.OtherWhys > 0 {
		fmt.Fprintf(a.stdout, "         that is the first; %s\n", plural(int64(g.OtherWhys), "other has a reason of its own", "others have reasons of their own"))
	}
	fmt.Fprintf(a.stdout, "    next: %s\n", oneLine(g.Next))
	if g.Skip != "" {
		fmt.Fprintf(a.stdout, "    or: %s\n", g.Skip)
	}
	if g.Count > 1 {
		list := fmt.Sprintf("finrelay %ss --state %s", g.Kind, g.State)
		if found := strings.ReplaceAll(g.Found, " --state "+string(g.State), ""); found != "" && g.Kind != state.KindExecution {
			list += " " + found
		}
		fmt.Fprintf(a.stdout, "    each: %s\n", list)
	}
}

// mostPlaces bounds the lines of a reason: the first places of many.
const mostPlaces = 4

func (a *app) drawWhy(why string) {
	lines := strings.Split(strings.TrimSpace(printable(why)), "\n")
	for i, line := range lines {
		switch {
		case line == "":
		case i == 0:
			fmt.Fprintf(a.stdout, "    why: %s\n", line)
		case i < mostPlaces:
			fmt.Fprintf(a.stdout, "         %s\n", line)
		case i == mostPlaces:
			fmt.Fprintf(a.stdout, "         … %s more\n", plural(int64(len(lines)-i), "line", "lines"))
		}
	}
}

// entityTable has a line for each entity of a company.
func (a *app) entityTable(lines []state.StatusLine) error {
	if len(lines) == 0 {
		return nil
	}
	fmt.Fprintln(a.stdout)
	var rows [][]string
	for _, l := range lines {
		rows = append(rows, []string{l.Environment, dash(l.Entity), dash(l.LegalEntity), ago(l.LastLanded), rowsOfLast(l),
			fmt.Sprint(l.Exports), fmt.Sprint(l.Rows), fmt.Sprint(l.OnTheWay), fmt.Sprint(l.NeedPerson), ago(l.OldestOpen)})
	}
	return a.drawListing(listing{
		head: []string{"ENVIRONMENT", "ENTITY", "COMPANY", "LANDED", "ROWS", "EXPORTS", "ALL ROWS", "ON THE WAY", "NEED A PERSON", "OLDEST OPEN"}, rows: rows,
		spare: []string{"ALL ROWS", "EXPORTS", "ROWS", "OLDEST OPEN", "ON THE WAY"},
	})
}

// dies says when a link's time ends, or since when it is over: whether it is
// dead then only the server knows.
func dies(deadline time.Time) string {
	if time.Now().Before(deadline) {
		return ahead(deadline)
	}
	return fmt.Sprintf("its time was over %s (%s)", agoOrNever(deadline), showTime(deadline))
}

// rowsOfLast are those of the export that landed last; a dash when none has.
func rowsOfLast(l state.StatusLine) string {
	if l.LastLanded.IsZero() {
		return "-"
	}
	return fmt.Sprint(l.LastRows)
}

// drawWait says what one output or environment holds up, and what to press.
func (a *app) drawWait(w web.WaitView) {
	what, list := "output "+w.Output, "finrelay exports --state waiting --reason "+string(w.Reason)
	if w.Place != "" {
		what += " (" + w.Place + ")"
	}
	things := plural(w.Count, "export waits", "exports wait")
	if w.Kind == state.KindShipment {
		what, list = "environment "+w.Environment, "finrelay shipments --state waiting --environment "+w.Environment
		things = plural(w.Count, "link waits", "links wait")
	}
	since := ""
	if !w.Since.IsZero() {
		since = fmt.Sprintf(", since %s (%s)", ago(w.Since), showTime(w.Since))
	}
	fmt.Fprintf(a.stdout, "\n%s: %s (%s)%s, next try %s\n", oneLine(what), things, w.Reason, since, ahead(w.NextTry))
	if w.Detail != "" {
		fmt.Fprintf(a.stdout, "    error: %s\n", oneLine(w.Detail))
	}
	fmt.Fprintf(a.stdout, "    rows are: %s\n", w.Whereabouts)
	if !w.Deadline.IsZero() {
		fmt.Fprintf(a.stdout, "    first link dies: %s\n", dies(w.Deadline))
	}
	fmt.Fprintf(a.stdout, "    next: %s\n", oneLine(w.Next))
	fmt.Fprintf(a.stdout, "    each: %s\n", list)
}

// drawCadence says how a flow stands that exports are expected of; one that is
// punctual needs no words.
func (a *app) drawCadence(c flows.CadenceStands) {
	for _, m := range c.Missing {
		fmt.Fprintf(a.stdout, "\n%s: entity %s of flow %s (%s), expected every %s, last came %s ago\n    %s\n",
			m.State, oneLine(m.Entity), c.Flow, c.Environment, c.Every, ago(m.HeardAt), oneLine(m.Detail))
	}
	if c.State == state.Punctual {
		return
	}
	fmt.Fprintf(a.stdout, "\n%s: flow %s (%s), expected every %s, last heard of: %s\n    %s\n",
		c.State, c.Flow, c.Environment, c.Every, agoOrNever(c.HeardAt), oneLine(c.Detail))
}

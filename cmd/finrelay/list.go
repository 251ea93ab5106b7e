package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/state"
	"finrelay/web"
)

// filterFlags are the flags of every list.
type filterFlags struct {
	environment, entity, reason, since string
	remark                             string
	unseen                             bool
	states                             []string
	limit                              int
}

func (f *filterFlags) add(c *cobra.Command, states ...state.State) {
	c.Flags().StringVar(&f.environment, "environment", "", "only this environment")
	f.addEntity(c)
	c.Flags().StringVar(&f.since, "since", "", "only what arrived since: an age (90m, 24h, 7d), a date (2026-03-02) or a time (2026-03-02T09:15), in UTC as all times here, or with a zone (2026-03-02T09:15:00+01:00)")
	if len(states) > 0 {
		f.addStates(c, states)
		c.Flags().StringVar(&f.reason, "reason", "", "only this reason")
	}
}

func (f *filterFlags) addEntity(c *cobra.Command) {
	c.Flags().StringVar(&f.entity, "entity", "", entityFlag)
}

const entityFlag = `only this entity label, letter case ignored; * and ? as in flows: "Cust*"`

// addStates is the flag of states, of which one that is unknown is refused.
func (f *filterFlags) addStates(c *cobra.Command, states []state.State) {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	c.Flags().StringSliceVar(&f.states, "state", nil, "only these states, by comma: "+strings.Join(names, ", "))
	complete(c, "state", names...)
	check := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		for _, s := range f.states {
			if !slices.Contains(names, s) {
				return usage(fmt.Errorf("--state %q: it is one of %s", s, strings.Join(names, ", ")))
			}
		}
		if check != nil {
			return check(c, args)
		}
		return nil
	}
}

// addRemark is the flags of what exports landed with.
func (f *filterFlags) addRemark(c *cobra.Command) {
	c.Flags().StringVar(&f.remark, "remark", "", "only with this remark: "+strings.Join(remarkWords(), ", "))
	c.Flags().BoolVar(&f.unseen, "unseen", false, "only landed with a remark that nobody has looked at; see finrelay seen")
	complete(c, "remark", remarkWords()...)
}

func (f *filterFlags) addLimit(c *cobra.Command) {
	c.Flags().IntVar(&f.limit, "limit", state.DefaultLimit, "most rows to list, newest first; -1 for all")
}

func (f *filterFlags) filter() (state.Filter, error) {
	out := state.Filter{Environment: f.environment, Entity: f.entity, Reason: state.Reason(f.reason), Limit: f.limit,
		Remark: state.Remark(f.remark), Unseen: f.unseen}
	if f.remark != "" {
		if err := knownRemark(f.remark); err != nil {
			return out, err
		}
	}
	for _, s := range f.states {
		out.States = append(out.States, state.State(s))
	}
	since, err := parseSince(f.since)
	out.Since = since
	return out, err
}

// lister makes a command that lists one kind of thing: asked for with the
// flags' filter, printed as JSON or drawn.
func lister[T any](a *app, f *filterFlags, c *cobra.Command,
	get func(s *session, ctx context.Context, filter state.Filter) ([]T, error), draw func([]T) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, _ []string) error {
		filter, err := f.filter()
		if err != nil {
			return err
		}
		return a.withLook(c.Context(), func(s *session) error {
			list, err := get(s, c.Context(), filter)
			if err == nil && len(list) == 0 {
				err = a.sayNoEntity(c.Context(), s, "no "+strings.TrimSuffix(c.Name(), "s"), f.entity)
			}
			if err != nil {
				return err
			}
			if err := a.print(list, func() error { return draw(list) }); err != nil {
				return err
			}
			return a.sayCut(len(list), f)
		})
	}
	a.addOutput(c)
	return c
}

// sayCut says that a list was cut, where nobody sees that it was.
func (a *app) sayCut(listed int, f *filterFlags) error {
	if a.output != "table" || f.limit <= 0 || listed < f.limit {
		return nil
	}
	_, err := fmt.Fprintf(a.stderr, "the newest %d; there may be more: --limit -1 lists all\n", listed)
	return err
}

func (a *app) events() *cobra.Command {
	var f filterFlags
	c := lister(a, &f, &cobra.Command{
		Use:   "events",
		Short: "List events as they arrived; show ID tells one's whole story",
		Args:  knownWord,
	}, (*session).Events, a.eventTable)
	f.add(c, web.EventStates...)
	f.addLimit(c)
	c.AddCommand(a.show("event", func(s *session, c *cobra.Command, id string) (any, func() error, error) {
		e, err := s.Event(c.Context(), id)
		return e, func() error { return a.showEvent(e) }, err
	}))
	return c
}

func (a *app) eventTable(events []web.EventView) error {
	var rows [][]string
	for _, e := range events {
		rows = append(rows, []string{e.ID, ago(e.ReceivedAt), e.Environment, dash(e.Entity), dash(e.LegalEntity),
			string(e.State), dash(string(e.Reason)), fmt.Sprint(e.Duplicates), dash(e.ShipmentID)})
	}
	return table(a.stdout, []string{"EVENT", "AGE", "ENVIRONMENT", "ENTITY", "COMPANY", "STATE", "REASON", "REPEATS", "SHIPMENT"}, rows)
}

func (a *app) shipments() *cobra.Command {
	var f filterFlags
	c := lister(a, &f, &cobra.Command{
		Use:   "shipments",
		Short: "List what FinOps handed over: link, deadline, raw file",
		Args:  knownWord,
	}, (*session).Shipments, a.shipmentTable)
	f.add(c, web.ShipmentStates...)
	f.addLimit(c)
	c.AddCommand(a.show("shipment", func(s *session, c *cobra.Command, id string) (any, func() error, error) {
		v, err := s.Shipment(c.Context(), id)
		return v, func() error { return a.showShipment(v) }, err
	}))
	return c
}

func (a *app) shipmentTable(shipments []web.ShipmentView) error {
	var rows, files [][]string
	for _, s := range shipments {
		var raw []string
		if s.Where.Raw != "" {
			raw = []string{s.Where.Raw}
		}
		files = append(files, raw)
		rows = append(rows, []string{s.ID, ago(s.ReceivedAt), s.Environment, dash(s.Entity), dash(s.LegalEntity),
			string(s.State), dash(string(s.Reason)), bytesHere(s), s.Whereabouts})
	}
	return a.drawListing(listing{
		head: []string{"SHIPMENT", "AGE", "ENVIRONMENT", "ENTITY", "COMPANY", "STATE", "REASON", "BYTES", "ROWS ARE"}, rows: rows, files: files, fileHead: "RAW FILE",
		spare: []string{"BYTES", "AGE", "COMPANY", "ENVIRONMENT"},
	})
}

// bytesHere are those of a raw file that came; a dash when none did.
func bytesHere(s web.ShipmentView) string {
	if s.RawFile == "" {
		return "-"
	}
	return fmt.Sprint(s.RawBytes)
}

func (a *app) exports() *cobra.Command {
	var f filterFlags
	c := lister(a, &f, &cobra.Command{
		Use:   "exports",
		Short: "List exports: one entity's data file each",
		Args:  knownWord,
	}, (*session).Exports, a.exportTable)
	f.add(c, web.ExportStates...)
	f.addRemark(c)
	f.addLimit(c)
	c.AddCommand(a.show("export", func(s *session, c *cobra.Command, id string) (any, func() error, error) {
		v, err := s.Export(c.Context(), id)
		return v, func() error { return a.showExport(v) }, err
	}))
	return c
}

func (a *app) exportTable(exports []web.ExportView) error {
	var rows, files [][]string
	for _, e := range exports {
		files = append(files, e.Where.Paths)
		at, why := e.Stands()
		rows = append(rows, []string{e.ID, ago(e.ReceivedAt), e.Environment, e.Entity, dash(e.LegalEntity), dash(e.Flow),
			string(at), dash(why), number(e.Rows), e.Whereabouts})
	}
	return a.drawListing(listing{
		head: []string{"EXPORT", "AGE", "ENVIRONMENT", "ENTITY", "COMPANY", "FLOW", "STATE", "REASON", "ROWS", "ROWS ARE"}, rows: rows, files: files, fileHead: "FILE",
		spare: []string{"FLOW", "ROWS", "AGE", "COMPANY", "ENVIRONMENT"},
	})
}

func (a *app) checkpoints() *cobra.Command {
	var f filterFlags
	c := lister(a, &f, &cobra.Command{
		Use:   "checkpoints",
		Short: "List how far each entity has come in each output",
		Long: `For each environment, flow, entity, legal entity and output: the highest order key
(event time / control number) that is delivered, the oldest one that is not, and
how fresh the data is. A checkpoint never moves back.`,
		Args: cobra.NoArgs,
	}, (*session).Checkpoints, a.checkpointTable)
	c.Flags().StringVar(&f.environment, "environment", "", "only this environment")
	f.addEntity(c)
	return c
}

func (a *app) checkpointTable(points []state.Checkpoint) error {
	var rows [][]string
	for _, p := range points {
		oldest := "-"
		if p.OldestOpen != nil {
			oldest = p.OldestOpen.String()
		}
		rows = append(rows, []string{p.Environment, p.Flow, p.Entity, dash(p.LegalEntity), p.Output, p.Highest.String(), oldest,
			fmt.Sprint(p.OpenCount), fmt.Sprint(p.Exports), fmt.Sprint(p.Rows), ago(p.DeliveredAt)})
	}
	return table(a.stdout, []string{"ENVIRONMENT", "FLOW", "ENTITY", "COMPANY", "OUTPUT", "HIGHEST DELIVERED", "OLDEST OPEN", "OPEN", "EXPORTS", "ROWS", "FRESH"}, rows)
}

// print gives the value as JSON, or draws it.
func (a *app) print(v any, draw func() error) error {
	if a.output == "json" {
		return printJSON(a.stdout, v)
	}
	return draw()
}

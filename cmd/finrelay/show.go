package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"finrelay/state"
	"finrelay/web"
)

// show makes the "show ID" below a list.
func (a *app) show(what string, get func(*session, *cobra.Command, string) (any, func() error, error)) *cobra.Command {
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show one " + what + " and its story; the start of an id is enough",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(s *session) error {
				v, draw, err := get(s, c, args[0])
				if err != nil {
					return err
				}
				return a.print(v, draw)
			})
		},
	}
	a.addOutput(c)
	return c
}

// field prints "name   value", and nothing for an empty value.
func (a *app) field(name, value string) {
	if value != "" && value != "-" {
		fmt.Fprintf(a.stdout, "%-14s %s\n", name, indent(printable(value)))
	}
}

// indent puts further lines of a value under its first.
func indent(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+strings.Repeat(" ", 15))
}

func (a *app) showEvent(e web.EventView) error {
	a.field("event", e.ID)
	a.field("environment", e.Environment)
	a.field("state", stateAndReason(e.State, e.Reason))
	a.field("next", e.Next)
	a.field("entity", e.Entity)
	a.field("company", e.LegalEntity)
	a.field("class", e.BusinessEventID)
	a.field("event id", e.FinOpsEventID)
	a.field("control no", number(e.ControlNumber))
	a.field("rec id", number(e.RecID))
	a.field("event time", showTime(e.EventAt))
	a.field("received", showTime(e.ReceivedAt))
	a.field("repeats", fmt.Sprint(e.Duplicates))
	a.field("shipment", e.ShipmentID)
	a.field("body", e.Body)
	return a.story(e.Story)
}

func (a *app) showShipment(s web.ShipmentView) error {
	a.field("shipment", s.ID)
	a.field("rows are", s.Whereabouts)
	a.field("where", strings.Join(s.Where.Paths, "\n"))
	a.field("next", s.Where.Next)
	a.field("state", stateAndReason(s.State, s.Reason))
	a.field("detail", s.Detail)
	a.field("environment", s.Environment)
	a.field("entity", s.Entity)
	a.field("company", s.LegalEntity)
	a.field("event", s.EventID)
	a.field("execution", s.ExecutionID)
	a.field("project", s.DefinitionGroup)
	a.field("link", s.LinkPath)
	a.field("deadline", showTime(s.Deadline))
	a.field("attempts", fmt.Sprint(s.Attempts))
	if s.State == state.Waiting {
		a.field("again at", showTime(s.DueAt))
	}
	a.field("raw file", s.RawFile)
	a.field("sha256", s.RawSHA256)
	if len(s.Exports) > 0 {
		fmt.Fprintln(a.stdout)
		if err := a.exportTable(s.Exports); err != nil {
			return err
		}
	}
	return a.story(s.Story)
}

func (a *app) showExport(e web.ExportView) error {
	a.field("export", e.ID)
	a.field("rows are", e.Whereabouts)
	a.field("where", strings.Join(e.Where.Paths, "\n"))
	a.field("next", e.Where.Next)
	a.field("state", stateAndReason(e.State, e.Reason))
	a.field("detail", e.Detail)
	a.field("notes", e.Notes)
	a.field("remarks", remarksText(e.Export))
	a.field("possibly same", e.Twin)
	a.field("environment", e.Environment)
	a.field("entity", e.Entity)
	a.field("target entity", e.TargetEntity)
	a.field("company", e.LegalEntity)
	a.field("flow", e.Flow)
	a.field("project", e.Project)
	a.field("refresh type", e.RefreshType)
	a.field("data file", e.Member)
	a.field("shipment", e.ShipmentID)
	a.field("order key", e.Order.String())
	a.field("rows", rowsText(e.Rows))
	if e.BadRows > 0 {
		a.field("rows not good", fmt.Sprint(e.BadRows))
	}
	a.field("announced", number(e.ExpectedRows))
	a.field("received", showTime(e.ReceivedAt))
	if e.State == state.Skipped {
		a.field("skipped", showTime(e.LandedAt))
	} else {
		a.field("landed", showTime(e.LandedAt))
	}
	for _, d := range e.Deliveries {
		a.field("output "+d.Output, stateAndReason(d.State, d.Reason)+" "+d.Path)
		if d.State == state.Waiting {
			a.field("again", ahead(d.DueAt))
			a.field("error", d.Detail)
		}
	}
	return a.story(e.Story)
}

// rowsText gives counted rows, or says that nobody counted them.
func rowsText(rows *int64) string {
	if rows == nil {
		return "not counted"
	}
	return fmt.Sprint(*rows)
}

func stateAndReason(s state.State, r state.Reason) string {
	if r == "" {
		return string(s)
	}
	return fmt.Sprintf("%s (%s)", s, r)
}

func (a *app) story(entries []state.JournalEntry) error {
	if len(entries) == 0 {
		return nil
	}
	fmt.Fprintln(a.stdout)
	var rows [][]string
	for _, e := range entries {
		rows = append(rows, storyRow(e))
	}
	return table(a.stdout, []string{"TIME", "WHAT", "ID", "FROM", "TO", "REASON", "DETAIL"}, rows)
}

func storyRow(e state.JournalEntry) []string {
	detail, _, _ := strings.Cut(e.Detail, "\n")
	return []string{e.At.UTC().Format("2006-01-02 15:04:05.000Z"), string(e.Kind), e.Subject, dash(string(e.From)), string(e.To), dash(string(e.Reason)), detail}
}

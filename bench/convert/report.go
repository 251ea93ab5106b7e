//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"finrelay/bench/figures"
)

// report writes a table for each task, and who the contestants are.
func report(all []contestant, results []*result) string {
	var text strings.Builder
	for _, r := range results {
		fmt.Fprintf(&text, "### %s\n\n%s", r.title, r.text())
	}
	fmt.Fprintf(&text, "### Contestants\n\n%s", roster(all))
	return text.String()
}

func (r *result) text() string {
	var text strings.Builder
	proof := "The rows of all that are ranked are equal in every value."
	if r.role == huge {
		proof = "Its rows were counted and not compared. It is more than the page cache holds: the time is what the system takes to make room."
	}
	fmt.Fprintf(&text, "%s %s\n\n", r.describe(), proof)
	table := figures.Table{Head: []string{"", "wall s", "CPU s", "peak anonymous", "peak resident", "its main process", "finrelay ÷ it, round by round"}}
	ranked := r.ranked()
	slices.SortStableFunc(ranked, func(a, b contestant) int {
		return cmp.Compare(figures.Median(r.walls(a.name)), figures.Median(r.walls(b.name)))
	})
	for _, c := range ranked {
		table.Add(r.row(c)...)
	}
	table.Add("writing and syncing "+megabytes(r.outBytes)+" (limit)", figures.Spread(r.writes()), "", "", "", "",
		figures.Spread(figures.Ratios(r.walls(r.ours()), r.writes())))
	fmt.Fprintf(&text, "%s\n", &table)
	for _, c := range r.entered {
		if reason := r.wrong[c.name]; reason != "" {
			if c.known != "" {
				reason += " (" + c.known + ")"
			}
			fmt.Fprintf(&text, "- WRONG and not ranked: %s: %s.\n", c.name, reason)
		}
	}
	if len(r.leftOut) > 0 {
		fmt.Fprintf(&text, "- Left out at this size, being slow or wrong: %s.\n", strings.Join(r.leftOut, "; "))
	}
	for _, note := range r.notes {
		fmt.Fprintf(&text, "- %s\n", note)
	}
	if len(r.walls(unzip)) == 0 && r.role != huge {
		text.WriteString("- Without unzip nobody watched whether the machine stayed the same.\n")
	}
	if r.inside != nil {
		fmt.Fprintf(&text, "- Inside finrelay, converting in process: %s.\n", r.inside)
	}
	return strings.TrimRight(text.String(), "\n") + "\n\n"
}

func (r *result) row(c contestant) []string {
	var resident, mark int64
	for _, lap := range r.laps {
		resident, mark = max(resident, lap.costs[c.name].Resident), max(mark, lap.costs[c.name].Mark)
	}
	name, ratio := c.name, figures.Spread(r.ratios(c.name))
	if c.floor {
		name += " (limit)"
	}
	if c.name == r.ours() {
		name, ratio = "**"+name+"**", ""
	}
	return []string{
		name, figures.Spread(r.walls(c.name)), figures.Spread(r.cpus(c.name)),
		mebibytes(slices.Max(r.anons(c.name))), mebibytes(resident), mebibytes(mark), ratio,
	}
}

// roster names the contestants with their versions and commands, the absent
// ones too.
func roster(all []contestant) string {
	table := figures.Table{Head: []string{"", "version", "command"}}
	for _, c := range all {
		version := c.version
		if c.absent != "" {
			version = "**absent**: " + c.absent
		}
		table.Add(c.name, version, "`"+strings.ReplaceAll(c.typed(), "|", `\|`)+"`")
	}
	return table.String()
}

// chart draws what was measured, in times of the best peer.
func chart(results []*result) figures.Chart {
	c := figures.Chart{Title: "Zip to durable JSON Lines: wall time, in times of the best peer's"}
	for _, r := range results {
		best := r.best()
		if best == "" {
			continue
		}
		group := figures.Group{Title: r.title}
		for _, entry := range r.ranked() {
			value := figures.Median(figures.Ratios(r.walls(entry.name), r.walls(best)))
			bar := figures.Bar{Label: entry.name, Value: value, Text: times(value)}
			switch {
			case entry.floor:
				bar.Kind, bar.Text = figures.Limit, bar.Text+" (limit)"
			case entry.name == ours, entry.name == together:
				bar.Kind = figures.Ours
			}
			group.Bars = append(group.Bars, bar)
		}
		slices.SortStableFunc(group.Bars, func(a, b figures.Bar) int { return cmp.Compare(a.Value, b.Value) })
		c.Groups = append(c.Groups, group)
	}
	return c
}

func times(ratio float64) string {
	if ratio < 0.1 {
		return fmt.Sprintf("%.3f", ratio)
	}
	return fmt.Sprintf("%.2f", ratio)
}

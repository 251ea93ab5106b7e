//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finrelay/bench/customers"
	"finrelay/bench/figures"
)

// The goals, of finrelay's median ratio where they are ratios.
const (
	goalCSVBest     = 0.40     // of the best peer's time
	goalCSVUnzip    = 1.0      // of inflating alone
	goalXMLObvious  = 0.06     // of the obvious program's time
	goalXMLUnzip    = 0.5      // of inflating alone
	goalAnon        = 24 << 20 // bytes, of the command, in every case
	goalMemoryGrows = 1.05     // from the small file to the large one
	goalTimeGrows   = 1.05     // beyond the size: 10.5 times for ten times the file
	goalMany        = 2.0      // times what as many bytes take in the large file
)

// judgement is one goal and what was measured.
type judgement struct {
	goal, figure string
	met, known   bool
}

// judged writes the goals, and how cost grows with the file.
func judged(all []*result) string {
	table := figures.Table{Head: []string{"goal", "measured", ""}}
	for _, j := range judge(all) {
		verdict := "not measured"
		if j.known {
			verdict = figures.Met(j.met)
		}
		table.Add(j.goal, j.figure, verdict)
	}
	return fmt.Sprintf("%s\n%s", &table, growth(all))
}

func judge(all []*result) (js []judgement) {
	if r := find(all, large, customers.CSV); r != nil {
		js = append(js,
			atMost(fmt.Sprintf("%s ÷ the best peer (%s)", r.title, r.best()), r.ratios(r.best()), goalCSVBest),
			atMost(r.title+" ÷ unzip alone", r.ratios(unzip), goalCSVUnzip))
	}
	for _, format := range xmlOnly {
		if r := find(all, large, format); r != nil {
			js = append(js,
				atMost(r.title+" ÷ the obvious program", r.ratios(obvious), goalXMLObvious),
				atMost(r.title+" ÷ unzip alone", r.ratios(unzip), goalXMLUnzip))
		}
	}
	js = append(js, memory(all))
	for _, format := range append(csvOnly, xmlOnly...) {
		js = append(js, growths(find(all, small, format), find(all, large, format))...)
		// Of the huge file only memory is judged: it is larger than the machine's
		// page cache, so time is what the system takes to make room.
		if grown := growths(find(all, small, format), find(all, huge, format)); grown != nil {
			js = append(js, grown[0])
		}
	}
	return append(js, manyPackages(find(all, many, customers.CSV), find(all, large, customers.CSV)))
}

func find(all []*result, role role, format customers.Format) *result {
	i := slices.IndexFunc(all, func(r *result) bool { return r.role == role && r.format == format })
	if i < 0 {
		return nil
	}
	return all[i]
}

func atMost(what string, ratios []float64, goal float64) judgement {
	return judgement{
		goal: fmt.Sprintf("%s: at most %.2f", what, goal), figure: figures.Spread(ratios),
		met: figures.Median(ratios) <= goal, known: len(ratios) > 0,
	}
}

// memory judges the most that the command ever had.
func memory(all []*result) judgement {
	var most int64
	for _, r := range all {
		most = max(most, slices.Max(append(slices.Concat(r.anons(ours), r.anons(together)), 0)))
	}
	return judgement{
		goal: "anonymous memory, every case: at most " + mebibytes(goalAnon), figure: mebibytes(most),
		met: most <= goalAnon, known: most > 0,
	}
}

func growths(from, to *result) []judgement {
	if from == nil || to == nil {
		return nil
	}
	size := float64(to.size) / float64(from.size)
	what := fmt.Sprintf("%s → %s", from.title, to.size)
	memory := float64(figures.Median(to.anons(ours))) / float64(figures.Median(from.anons(ours)))
	time := figures.Median(to.walls(ours)) / figures.Median(from.walls(ours))
	return []judgement{
		{fmt.Sprintf("%s, memory: at most × %.2f", what, goalMemoryGrows), fmt.Sprintf("× %.2f", memory), memory <= goalMemoryGrows, true},
		{fmt.Sprintf("%s, time: at most × %.1f", what, goalTimeGrows*size), fmt.Sprintf("× %.1f", time), time <= goalTimeGrows*size, true},
	}
}

func manyPackages(r, rate *result) judgement {
	j := judgement{goal: fmt.Sprintf("many small packages ÷ as many bytes of a large one: at most %.1f", goalMany)}
	if r == nil || rate == nil {
		return j
	}
	perByte := figures.Median(rate.walls(ours)) / float64(rate.size)
	ratio := figures.Median(r.walls(together)) / (float64(r.size) * perByte)
	j.figure, j.met, j.known = fmt.Sprintf("%.2f", ratio), ratio <= goalMany, true
	return j
}

// growth shows what the same command costs when the file grows: exponent 1 is a
// cost that grows as the file does, 0 one that does not.
func growth(all []*result) string {
	table := figures.Table{Head: []string{"growth", "wall", "CPU", "anonymous memory", "heap allocations"}}
	for _, to := range all {
		from := find(all, small, to.format)
		if to.role != large && to.role != huge || from == nil {
			continue
		}
		size := float64(to.size) / float64(from.size)
		ratio := func(figure func(*result) float64) string {
			r := figure(to) / figure(from)
			exponent := math.Round(100*math.Log(r)/math.Log(size))/100 + 0 // + 0 for -0
			return fmt.Sprintf("× %.2f (exponent %.2f)", r, exponent)
		}
		allocations := ""
		if from.inside != nil && to.inside != nil {
			allocations = fmt.Sprintf("%d → %d", from.inside.Mallocs, to.inside.Mallocs)
		}
		table.Add(fmt.Sprintf("%s → %s", from.title, to.size),
			ratio(func(r *result) float64 { return figures.Median(r.walls(ours)) }),
			ratio(func(r *result) float64 { return figures.Median(r.cpus(ours)) }),
			ratio(func(r *result) float64 { return float64(figures.Median(r.anons(ours))) }),
			allocations)
	}
	if len(table.Rows) == 0 {
		return ""
	}
	return strings.TrimRight(table.String(), "\n") + "\n\n"
}

//go:build linux

package main

import (
	"slices"

	"finrelay/bench/figures"
	"finrelay/bench/tree"
)

// result is what a task's rounds gave.
type result struct {
	*task
	entered  []contestant
	wrong    map[string]string // by contestant: what is wrong with its rows
	leftOut  []string          // contestants that are given less than this
	laps     []round
	notes    []string // on rounds that were run again
	outBytes int64    // of JSON Lines
	inside   *inside  // nil when not looked at
}

// ranked are the contestants whose rows are right, floors among them. The others
// have no time worth showing, however short.
func (r *result) ranked() []contestant {
	return slices.DeleteFunc(slices.Clone(r.entered), func(c contestant) bool { return r.wrong[c.name] != "" })
}

// best is the fastest of the ranked that is neither ours nor a floor; "" when
// there is none.
func (r *result) best() (name string) {
	for _, c := range r.ranked() {
		if c.floor || c.name == ours || c.name == together || len(r.walls(c.name)) == 0 {
			continue
		}
		if name == "" || figures.Median(r.walls(c.name)) < figures.Median(r.walls(name)) {
			name = c.name
		}
	}
	return name
}

// each gives one figure of a contestant's rounds; none when it was not ranked.
func each[T any](r *result, name string, figure func(tree.Cost) T) (values []T) {
	for _, lap := range r.laps {
		if cost, ok := lap.costs[name]; ok && r.wrong[name] == "" {
			values = append(values, figure(cost))
		}
	}
	return values
}

func (r *result) walls(name string) []float64 {
	return each(r, name, func(c tree.Cost) float64 { return c.Wall.Seconds() })
}

func (r *result) cpus(name string) []float64 {
	return each(r, name, func(c tree.Cost) float64 { return c.CPU.Seconds() })
}

func (r *result) anons(name string) []int64 {
	return each(r, name, func(c tree.Cost) int64 { return c.Anon })
}

func (r *result) writes() (seconds []float64) {
	for _, lap := range r.laps {
		seconds = append(seconds, lap.write.Seconds())
	}
	return seconds
}

// ours is the contestant that stands for finrelay: with many packages the one
// that converts them all in one command.
func (r *result) ours() string {
	if r.role == many {
		return together
	}
	return ours
}

// ratios divides finrelay's wall time by a contestant's, round by round.
func (r *result) ratios(name string) []float64 {
	return figures.Ratios(r.walls(r.ours()), r.walls(name))
}

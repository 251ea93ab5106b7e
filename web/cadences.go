package web

import (
	"cmp"
	"context"
	"slices"

	"finrelay/flows"
	"finrelay/state"
)

// cadences gives the flows that exports are expected of, those that are late
// first, and how many they are.
func (a *API) cadences(ctx context.Context, environment string) (list []flows.CadenceStands, late int, err error) {
	all, err := a.Relay.Cadences(ctx)
	list = []flows.CadenceStands{}
	for _, c := range all {
		if environment != "" && c.Environment != environment {
			continue
		}
		list = append(list, c)
		if isLate(c) {
			late++
		}
	}
	rank := func(c flows.CadenceStands) int {
		switch {
		case isLate(c):
			return 0
		case c.State == state.Quiet:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(list, func(x, y flows.CadenceStands) int { return cmp.Compare(rank(x), rank(y)) })
	return list, late, err
}

// isLate: nothing of the flow comes, or not all of it.
func isLate(c flows.CadenceStands) bool { return c.State == state.Late || len(c.Missing) > 0 }

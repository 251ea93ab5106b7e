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
		if c.State == state.Late {
			late++
		}
	}
	rank := map[state.State]int{state.Late: 0, state.Quiet: 1, state.Punctual: 2}
	slices.SortStableFunc(list, func(x, y flows.CadenceStands) int { return cmp.Compare(rank[x.State], rank[y.State]) })
	return list, late, err
}

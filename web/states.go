package web

import (
	"strings"

	"finrelay/state"
)

// The states by which lists can be narrowed: those that a thing shows, in the
// order of its way.
var (
	EventStates     = []state.State{state.Accepted, state.Ignored, state.Unreadable}
	ShipmentStates  = []state.State{state.Pending, state.Fetching, state.Waiting, state.Expired, state.Fetched, state.Settled, state.Parked}
	ExportStates    = []state.State{state.Open, state.Waiting, state.Landed, state.Parked, state.Skipped}
	ExecutionStates = []state.State{state.Queued, state.Starting, state.Running, state.Done, state.Failed, state.Stuck, state.Skipped}
)

// stateNames lists states for a person; of none it says so.
func stateNames(states []state.State) string {
	if len(states) == 0 {
		return "none: these have no state"
	}
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

package flows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"finrelay/exporter/outputs"
	"finrelay/state"
)

// How an output's place stands.
const (
	PlaceThere   = "there"
	PlaceNew     = "new" // nothing landed there yet; its marker comes with the first landing
	PlaceMissing = "missing"
	PlaceUnclear = "unclear" // it cannot be read
)

// OutputStand is how an output's place stands at this moment.
type OutputStand struct {
	Output string    `json:"output"`
	Place  string    `json:"place"`
	Stands string    `json:"stands"`           // PlaceThere, PlaceNew, PlaceMissing or PlaceUnclear
	Marker string    `json:"marker,omitempty"` // id of the marker that it must hold
	Since  time.Time `json:"since,omitzero"`   // when it became the place
	Detail string    `json:"detail,omitempty"` // what is wrong
	Next   string    `json:"next,omitempty"`   // what to do about it
}

// OutputStands looks at the place of each output, in the order of their names.
// The error is about the ledger.
func (r *Relay) OutputStands(ctx context.Context) ([]OutputStand, error) {
	all := []OutputStand{}
	for _, name := range slices.Sorted(maps.Keys(r.cfg.Outputs)) {
		stand, err := r.outputStand(ctx, r.cfg.Outputs[name])
		if err != nil {
			return nil, err
		}
		all = append(all, stand)
	}
	return all, nil
}

func (r *Relay) outputStand(ctx context.Context, out outputs.Output) (OutputStand, error) {
	stand := OutputStand{Output: out.Name(), Place: out.Place(), Stands: PlaceThere}
	known, err := r.db.Place(ctx, out.Name(), out.Place())
	switch {
	case err == nil:
		stand.Marker, stand.Since = known.Marker, known.Since
		err = out.Check(ctx, known.Marker)
	case errors.Is(err, state.ErrNotFound):
		var s sighting
		s, err = r.sight(ctx, out)
		if err == nil && s.do == makePlace {
			stand.Stands = PlaceNew
		}
		err = errors.Join(err, s.refusal(out.Place()))
	}
	var unreadable *outputError
	switch {
	case err == nil:
	case errors.Is(err, outputs.ErrMissing):
		stand.Stands, stand.Detail = PlaceMissing, err.Error()
		stand.Next = strings.ReplaceAll(Advice(state.ReasonOutputMissing), "OUTPUT-NAME", stand.Output)
	case stand.Marker != "" || errors.As(err, &unreadable):
		stand.Stands, stand.Detail, stand.Next = PlaceUnclear, err.Error(), Advice(state.ReasonOutput)
	default:
		return stand, err
	}
	return stand, nil
}

// Adoption is what a person's word about an output's place came to.
type Adoption struct {
	Output string `json:"output"`
	Place  string `json:"place"`
	Marker string `json:"marker"`          // id of the marker that counts from now on
	Was    string `json:"was,omitempty"`   // of the one that counted until now
	Found  bool   `json:"found,omitempty"` // the marker was there, and nothing was written
	// Retry is what waited for the output and is tried now.
	Retry Retry `json:"retry"`
}

// AdoptOutput takes what is at an output's place now for its place, whatever
// was there before: a marker of the output that is there counts, else one is
// written. What waits for the output is tried at once; idle is as for RetryNow.
// A refusal says why nothing was done.
func (r *Relay) AdoptOutput(ctx context.Context, name, by string, idle bool) (a Adoption, refusal string, err error) {
	out := r.cfg.Outputs[name]
	if out == nil {
		return a, fmt.Sprintf("no output is called %s; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(r.cfg.Outputs)), ", ")), nil
	}
	a = Adoption{Output: name, Place: out.Place(), Retry: Retry{Queued: []state.Retried{}}}
	if refusal, err := r.adopt(ctx, out, by, &a); err != nil || refusal != "" {
		return a, refusal, err
	}
	r.log.Info("output has its place", keyOutput, name, "place", a.Place, "marker", a.Marker, "why", "adopted by "+by)
	return a, "", r.retryScope(ctx, &a.Retry, state.RetryScope{Output: name}, by, idle)
}

// adopt marks the place before the ledger remembers it: who is interrupted in
// between says it again, and the marker that is there is taken.
func (r *Relay) adopt(ctx context.Context, out outputs.Output, by string, a *Adoption) (refusal string, err error) {
	defer r.lockPlace(a.Output)()
	known, err := r.db.Place(ctx, a.Output, a.Place)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return "", err
	}
	seen, err := out.Look(ctx, "", "")
	if err != nil {
		return "", asOutput(a.Output, err)
	}
	if seen.Absent != "" {
		return fmt.Sprintf("%s %s: mount its disk or make the folder, then finrelay output adopt %s", a.Place, seen.Absent, a.Output), nil
	}
	marker := seen.Marker
	if a.Found = marker.ID != ""; !a.Found {
		installation, err := r.db.Installation(ctx)
		if err != nil {
			return "", err
		}
		marker = newMarker(installation)
	}
	if err := out.Mark(ctx, marker); err != nil {
		return "", asOutput(a.Output, err)
	}
	a.Was, a.Marker = known.Marker, marker.ID
	if a.Was == a.Marker {
		return "", nil
	}
	return "", r.db.AdoptPlace(ctx, state.Place{Output: a.Output, Folder: a.Place, Marker: a.Marker}, by)
}

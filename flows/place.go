package flows

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"finrelay/exporter/outputs"
	"finrelay/state"
)

// placing is what to do about a place whose marker the ledger does not know.
type placing int

const (
	makePlace   placing = iota // nothing landed there yet: make it if need be, and mark it
	markPlace                  // ours, from before there were markers
	takePlace                  // it holds a marker that is ours
	refusePlace                // it is not there, or somebody else's
)

// remembered is what the ledger knows that bears on such a place.
type remembered struct {
	installation string        // whose markers are ours
	places       []state.Place // all folders that outputs have had
	// last is the manifest of the youngest export that landed in this folder;
	// zero when none did.
	last state.Manifest
}

// foreign says whether a marker is neither this ledger's nor one that a person
// has adopted.
func (k remembered) foreign(m outputs.Marker) bool {
	return m.Installation != k.installation && !slices.ContainsFunc(k.places, func(p state.Place) bool { return p.Marker == m.ID })
}

// judgePlace decides about a place whose marker the ledger does not know. When
// it refuses, why is the whole error's Seen.
func judgePlace(k remembered, s outputs.Sight) (do placing, why string) {
	other := slices.IndexFunc(s.Others, k.foreign)
	switch {
	case s.Marker.ID != "" && !k.foreign(s.Marker):
		return takePlace, "its marker is of this ledger"
	case s.Landed && s.Marker.ID != "":
		return takePlace, "what landed last is in it"
	case s.Landed:
		return markPlace, "what landed last is in it"
	case s.Marker.ID != "":
		return refusePlace, "holds the marker of another finrelay, or of a ledger from before this one"
	case k.last.Path != "" && s.Absent != "":
		return refusePlace, s.Absent
	case k.last.Path != "":
		return refusePlace, "holds neither a marker nor what landed there last"
	case other >= 0:
		return refusePlace, "holds the marker of output " + s.Others[other].Output + " of another finrelay"
	}
	return makePlace, "nothing landed there before"
}

// sighting is such a place, seen and judged.
type sighting struct {
	do     placing
	why    string
	marker outputs.Marker // to write, or to take
	want   string         // of a refusal: what was expected
}

// sight looks at a place whose marker the ledger does not know.
func (r *Relay) sight(ctx context.Context, out outputs.Output) (s sighting, err error) {
	k := remembered{}
	if k.installation, err = r.db.Installation(ctx); err != nil {
		return s, err
	}
	if k.places, err = r.db.Places(ctx); err != nil {
		return s, err
	}
	last, err := r.db.LastManifest(ctx, out.Name())
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return s, err
	}
	if outputs.Below(out.Place(), last.Path) { // else the configuration names another folder now
		k.last = last
	}
	seen, err := out.Look(ctx, k.last.Path, k.last.ExportID)
	if err != nil {
		return s, asOutput(out.Name(), err)
	}
	s.do, s.why = judgePlace(k, seen)
	if s.marker = seen.Marker; s.marker.ID == "" {
		s.marker = newMarker(k.installation)
	}
	if s.want = k.last.Path; s.want == "" {
		s.want = "a folder that is nobody else's"
	}
	return s, nil
}

func (s sighting) refusal(place string) error {
	if s.do != refusePlace {
		return nil
	}
	return &outputs.MissingError{Place: place, Seen: s.why, Want: s.want}
}

// newMarker is one for a place that has none. Its id is random: unlike an
// export's it must not be the same again on another disk.
func newMarker(installation string) outputs.Marker {
	return outputs.Marker{Installation: installation, ID: strings.ToLower(rand.Text()[:16])}
}

// placeOf gives the id of the marker that an output's place must hold. A place
// that the ledger does not know is marked, or found to be ours, and then
// remembered, in this order: a crash in between leaves a marker that names this
// ledger, which the next try takes. Whether the place of a known marker is there,
// only who uses it finds out.
//
// Without create nothing is made where nothing landed yet; the id is "" then.
func (r *Relay) placeOf(ctx context.Context, out outputs.Output, create bool) (marker string, err error) {
	known, err := r.db.Place(ctx, out.Name(), out.Place())
	if !errors.Is(err, state.ErrNotFound) {
		return known.Marker, err
	}
	defer r.lockPlace(out.Name())()
	known, err = r.db.Place(ctx, out.Name(), out.Place())
	if !errors.Is(err, state.ErrNotFound) {
		return known.Marker, err
	}
	s, err := r.sight(ctx, out)
	if err != nil || s.do == makePlace && !create {
		return "", err
	}
	if err := s.refusal(out.Place()); err != nil {
		return "", asOutput(out.Name(), err)
	}
	if s.do == makePlace {
		if err := out.Make(ctx); err != nil {
			return "", asOutput(out.Name(), err)
		}
	}
	r.cfg.Trace("mark-place")
	if err := out.Mark(ctx, s.marker); err != nil {
		return "", asOutput(out.Name(), err)
	}
	r.cfg.Trace("place-known")
	if err := r.db.PlaceKnown(ctx, state.Place{Output: out.Name(), Folder: out.Place(), Marker: s.marker.ID}, s.why); err != nil {
		return "", err
	}
	r.log.Info("output has its place", keyOutput, out.Name(), "place", out.Place(), "marker", s.marker.ID, "why", s.why)
	return s.marker.ID, nil
}

// lockPlace keeps two first landings from marking a place twice.
func (r *Relay) lockPlace(output string) (unlock func()) {
	v, _ := r.placing.LoadOrStore(output, &sync.Mutex{})
	mu := v.(*sync.Mutex)
	mu.Lock()
	return mu.Unlock
}

// sweep removes what an earlier process left half written in an output. Where
// nothing landed yet there is nothing, and where the place is not there, nothing
// is touched.
func (r *Relay) sweep(ctx context.Context, out outputs.Output) {
	marker, err := r.placeOf(ctx, out, false)
	if marker == "" && err == nil {
		return
	}
	n := 0
	if err == nil {
		n, err = out.Sweep(ctx, marker)
	}
	if err != nil {
		// A folder that is away today must not stop events from being taken.
		r.log.Error("leftovers not swept", keyOutput, out.Name(), keyError, err)
	} else if n > 0 {
		r.log.Info("leftovers of unfinished attempts removed", keyOutput, out.Name(), "files", n)
	}
}

// withdraw removes an export from where it landed before. A place that is not
// the output's any more, because the operator has named another folder, holds
// nothing up when it is not there: left says then what may still stand in it.
func (r *Relay) withdraw(ctx context.Context, job state.DeliveryJob) (left string, err error) {
	old := outputs.Landed{Path: job.Delivery.Path, ExportID: job.Export.ID, Output: job.Delivery.Output}
	places, err := r.db.Places(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range places {
		if p.Output == old.Output && len(p.Folder) > len(old.Place) && outputs.Below(p.Folder, old.Path) {
			old.Place, old.Marker = p.Folder, p.Marker
		}
	}
	err = outputs.Withdraw(old)
	if missing, ok := errors.AsType[*outputs.MissingError](err); ok && old.Place != r.OutputPlace(old.Output) {
		return fmt.Sprintf("it landed as %s before, which may still be there: %v", old.Path, missing), nil
	}
	return "", asOutput(old.Output, err)
}

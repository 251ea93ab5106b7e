package state

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func init() {
	situations["output placed"] = func(l *ledger) subject {
		l.must(l.PlaceKnown(bg, Place{Output: "lake", Folder: "/srv/lake", Marker: "one"}, "first landing"))
		return subject{output: "lake", shipment: l.pending("a")}
	}
	transitions["place known"] = func(l *ledger, _ subject) error {
		return l.PlaceKnown(bg, Place{Output: "lake", Folder: "/srv/lake", Marker: "two"}, "first landing")
	}
	transitions["adopt place"] = func(l *ledger, _ subject) error {
		return l.AdoptPlace(bg, Place{Output: "lake", Folder: "/srv/lake", Marker: "three"}, "eve")
	}
}

// A folder's marker is remembered once; after that only a person changes it,
// and the journal has who. Each folder that an output had stays known.
func TestPlaces(t *testing.T) {
	l := newLedger(t)
	if _, err := l.Place(bg, "lake", "/srv/lake"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("a place nobody told of: %v", err)
	}
	at := l.Now()
	l.must(l.PlaceKnown(bg, Place{Output: "lake", Folder: "/srv/lake", Marker: "one"}, "first landing"))
	if err := l.PlaceKnown(bg, Place{Output: "lake", Folder: "/srv/lake", Marker: "two"}, "first landing"); !errors.As(err, new(*TransitionError)) {
		t.Errorf("another marker without a person: %v; want a TransitionError", err)
	}
	l.pass(time.Hour)
	l.must(l.PlaceKnown(bg, Place{Output: "lake", Folder: "/mnt/lake", Marker: "two"}, "first landing"))
	l.must(l.PlaceKnown(bg, Place{Output: "other", Folder: "/srv/lake", Marker: "three"}, "first landing"))
	want := Place{Output: "lake", Folder: "/srv/lake", Marker: "one", Since: at}
	if p, err := l.Place(bg, "lake", "/srv/lake"); err != nil || p != want {
		t.Errorf("%+v, %v; want %+v", p, err, want)
	}
	l.must(l.AdoptPlace(bg, Place{Output: "lake", Folder: "/srv/lake", Marker: "four"}, "eve"))
	all, err := l.Places(bg)
	l.must(err)
	if len(all) != 3 || all[2].Output != "other" || all[0].Folder != "/mnt/lake" || all[0].Marker != "two" || all[1].Marker != "four" || !all[1].Since.Equal(l.Now()) {
		t.Errorf("places are %+v", all)
	}
	journal := l.journal()
	last := journal[len(journal)-1]
	if last.Kind != KindOutput || last.Subject != "lake" || last.From != Placed || last.Reason != ReasonPlace || !strings.Contains(last.Detail, "four: adopted by eve") {
		t.Errorf("the journal ends with %+v", last)
	}
}

func TestInstallationStays(t *testing.T) {
	one, two := openLedger(t, t.TempDir()), openLedger(t, t.TempDir())
	id, err := one.Installation(bg)
	one.must(err)
	other, err := two.Installation(bg)
	two.must(err)
	if len(id) != 16 || id == other {
		t.Errorf("two ledgers are %q and %q; want two ids", id, other)
	}
	one.must(one.Close())
	if again, err := openLedger(t, one.Folder()).Installation(bg); err != nil || again != id {
		t.Errorf("opened again it is %q, %v; want %q", again, err, id)
	}
}

// The last manifest is that of the youngest export that left one in this
// output: one of 0 rows that its flow wanted no file of left none.
func TestLastManifest(t *testing.T) {
	l := newLedger(t)
	if _, err := l.LastManifest(bg, "out"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of nothing: %v; want ErrNotFound", err)
	}
	deliver := func(identity, manifest string) string {
		id := l.opened(identity, "out")
		l.running()
		l.must(l.Delivered(bg, DeliveryKey{id, "out"}, Landing{ManifestPath: manifest}))
		return id
	}
	deliver("none", "")
	if _, err := l.LastManifest(bg, "out"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of an export without a file: %v; want ErrNotFound", err)
	}
	deliver("first", "/srv/first")
	id := deliver("second", "/srv/second")
	deliver("empty", "")
	if m, err := l.LastManifest(bg, "out"); err != nil || m != (Manifest{id, "/srv/second"}) {
		t.Errorf("%+v, %v; want the second's", m, err)
	}
	if _, err := l.LastManifest(bg, "other"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of another output: %v; want ErrNotFound", err)
	}
}

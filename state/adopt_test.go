package state

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func init() {
	situations["package adopted whole"] = func(l *ledger) subject {
		return subject{shipment: l.adopt("adopted")[0].ShipmentID}
	}
	situations["one entity of a package adopted"] = func(l *ledger) subject {
		return subject{shipment: l.adopt("adopted", "Customer groups")[0].ShipmentID}
	}
	transitions["adopt a package"] = func(l *ledger, _ subject) error {
		return errOf(l.AdoptPackage(bg, adoption("adopted")))
	}
	transitions["adopt one entity"] = func(l *ledger, _ subject) error {
		return errOf(l.AdoptPackage(bg, adoption("adopted", "Customer groups", "Vendor groups")))
	}
	transitions["adopt the package of our own run"] = func(l *ledger, _ subject) error {
		return errOf(l.AdoptPackage(bg, adoption("x-first")))
	}
}

func adoption(executionID string, entities ...string) Adoption {
	return Adoption{Environment: "prod", Project: "Nightly", ExecutionID: executionID, Entities: entities, At: testTime.Add(-time.Hour),
		Link: "https://a.example/p?sig=s", LinkPath: "a.example/p", Deadline: testTime.Add(time.Hour), By: "eve"}
}

func (l *ledger) adopt(executionID string, entities ...string) []Adopted {
	l.t.Helper()
	all, err := l.AdoptPackage(bg, adoption(executionID, entities...))
	l.must(err)
	return all
}

// arrivalOf is an event of one entity that names its execution.
func arrivalOf(executionID, entity string) Arrival {
	a := arrival(executionID + entity)
	a.Entity, a.Shipment.ExecutionID = entity, executionID
	return a
}

func TestAdoptedTwiceIsOnce(t *testing.T) {
	l := newLedger(t)
	first := l.adopt("run-1")
	s := l.shipment(first[0].ShipmentID)
	if !first[0].New || s.Source != "package" || s.State != Pending || s.ExecutionID != "run-1" || s.DefinitionGroup != "Nightly" ||
		s.WholePackage || s.Entity != "" || !s.Order.At.Equal(testTime.Add(-time.Hour)) || !l.hasLink(s.ID) {
		t.Errorf("adopted as %+v", s)
	}
	l.claim(1)
	l.must(l.Fetched(bg, s.ID, RawFile{File: "raw/x", Bytes: 1, Proof: ProofWhole}))
	l.must(l.Opened(bg, s.ID, "Nightly", []NewExport{newExport("a.csv", "out")}))
	for _, again := range [][]Adopted{l.adopt("run-1"), l.adopt("RUN-1"), l.adopt("run-1", "customer GROUPS")} {
		if again[0].New || again[0].ShipmentID != s.ID {
			t.Errorf("adopted again as %+v; want %s, not new", again, s.ID)
		}
	}
	if n := l.count(`SELECT count(*) FROM shipments`); n != 1 {
		t.Errorf("%d shipments, want 1", n)
	}
	story, err := l.Story(bg, s.ID)
	l.must(err)
	if !strings.Contains(story[0].Detail, "run-1") || !strings.Contains(story[0].Detail, "eve") {
		t.Errorf("the story begins with %+v; want the execution and who it was", story[0])
	}
}

// Of an execution of which a part is here, only the rest is taken.
func TestAdoptTheRest(t *testing.T) {
	l := newLedger(t)
	held := l.accept(arrivalOf("run-1", "Customer groups"), arrivalOf("run-1", "Units"), arrivalOf("run-1", "Nightly"), arrivalOf("run-2", "Vendor groups"))
	for _, x := range l.claim(9) {
		switch x.Shipment.ID {
		case held[1].ShipmentID: // a person has said that its rows are not needed
			l.must(l.ParkShipment(bg, x.Shipment.ID, ReasonLinkGone, ""))
			l.must(l.Skip(bg, x.Shipment.ID, "eve", "not needed"))
		case held[2].ShipmentID: // no event of the project as a whole is on its way any more
			l.must(l.Fetched(bg, x.Shipment.ID, RawFile{File: "raw/x", Bytes: 1, Proof: ProofWhole}))
			l.must(l.Opened(bg, x.Shipment.ID, "Nightly", []NewExport{{Member: "s.csv", Entity: "Sites", Reason: ReasonNoFlow}}))
		}
	}
	got := l.adopt("run-1", "Customer groups", "Units", "Sites", "Vendor groups")
	for i, want := range []string{held[0].ShipmentID, held[1].ShipmentID, held[2].ShipmentID} {
		if got[i].New || got[i].ShipmentID != want {
			t.Errorf("%s: %+v; want what %s holds left alone", got[i].Entity, got[i], want)
		}
	}
	s := l.shipment(got[3].ShipmentID)
	if !got[3].New || s.Entity != "Vendor groups" || !s.WholePackage || s.Source != "package" {
		t.Errorf("the rest became %+v, %+v", got[3], s)
	}
	// An event that bears the project's name may bring any of its entities.
	pending := l.accept(arrivalOf("run-3", "Nightly"))[0]
	if one := l.adopt("run-3", "Units"); one[0].New || one[0].ShipmentID != pending.ShipmentID {
		t.Errorf("beside the whole package's event: %+v; want %s left to bring it", one, pending.ShipmentID)
	}
	if whole := l.adopt("run-1"); whole[0].New {
		t.Errorf("the whole package was taken beside its parts: %+v", whole)
	}
	checkInvariants(t, l.DB, "adoptions")
}

func TestAdoptionsRefused(t *testing.T) {
	l := newLedger(t)
	l.request("own")
	before := l.dump()
	if _, err := l.AdoptPackage(bg, adoption("OWN")); !errors.As(err, new(*TransitionError)) {
		t.Errorf("our own run that has not begun: %v, want a TransitionError", err)
	}
	for name, a := range map[string]Adoption{"no execution": adoption(""), "no time": {Environment: "prod", ExecutionID: "x"}} {
		if _, err := l.AdoptPackage(bg, a); err == nil {
			t.Errorf("%s was adopted", name)
		}
	}
	if l.dump() != before {
		t.Error("a refusal left rows behind")
	}
}

func TestProjects(t *testing.T) {
	l := newLedger(t)
	id := l.fetched("event")
	l.must(l.Opened(bg, id, "From a manifest", []NewExport{newExport("", "out")}))
	l.adopt("run-1")
	l.request("own")
	got, err := l.Projects(bg, "prod")
	l.must(err)
	slices.Sort(got)
	if want := []string{"From a manifest", "Nightly"}; !slices.Equal(got, want) {
		t.Errorf("projects %q, want %q", got, want)
	}
	if got, err := l.Projects(bg, "uat"); err != nil || len(got) != 0 {
		t.Errorf("another environment: %q, %v", got, err)
	}
}

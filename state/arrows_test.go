package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
)

var bg = context.Background()

// subject is what a transition is tried on: ids and the states they are in.
type subject struct {
	event, shipment, export string
	output                  string
	execution               string
}

func (s subject) key() DeliveryKey { return DeliveryKey{s.export, s.output} }

// situations build one subject each, with everything else in the ledger at rest.
var situations = map[string]func(*ledger) subject{
	"event unreadable": func(l *ledger) subject {
		return subject{event: l.accept(unreadable("u"))[0].EventID}
	},
	"event ignored": func(l *ledger) subject {
		return subject{event: l.accept(Arrival{Environment: "prod", Identity: "i", State: Ignored, Body: []byte("{}")})[0].EventID}
	},
	"event ignored, without a link": func(l *ledger) subject {
		return subject{event: l.accept(Arrival{Environment: "prod", Identity: "a", State: Ignored, Reason: ReasonNoLink, Body: []byte("{}")})[0].EventID}
	},
	"shipment pending":  func(l *ledger) subject { return subject{shipment: l.pending("a")} },
	"shipment fetching": func(l *ledger) subject { return subject{shipment: l.fetching("a")} },
	"shipment waiting": func(l *ledger) subject {
		id := l.fetching("a")
		l.must(l.WaitFetch(bg, id, l.Now(), ReasonBusy, ""))
		return subject{shipment: id}
	},
	"shipment expired": func(l *ledger) subject {
		id := l.fetching("a")
		l.must(l.Expire(bg, id, l.shipment(id).Deadline, ""))
		return subject{shipment: id}
	},
	"shipment parked": func(l *ledger) subject {
		id := l.fetching("a")
		l.must(l.ParkShipment(bg, id, ReasonLinkRefused, ""))
		return subject{shipment: id}
	},
	"shipment parked with its raw file": func(l *ledger) subject {
		id := l.fetched("a")
		l.must(l.ParkShipment(bg, id, ReasonDamaged, ""))
		return subject{shipment: id}
	},
	"shipment fetched": func(l *ledger) subject { return subject{shipment: l.fetched("a")} },
	"shipment being opened for the third time": func(l *ledger) subject {
		id := l.fetched("a")
		for range MaxInterruptions - 1 {
			l.claimOpenings(1)
			l.recover()
		}
		l.claimOpenings(1)
		return subject{shipment: id}
	},
	"export open, delivery ready": func(l *ledger) subject {
		id := l.opened("a", "out")
		return subject{shipment: l.export(id).ShipmentID, export: id, output: "out"}
	},
	"export open, delivery running": func(l *ledger) subject {
		id := l.opened("a", "out")
		l.running()
		return subject{shipment: l.export(id).ShipmentID, export: id, output: "out"}
	},
	"export open, delivery waiting": func(l *ledger) subject {
		id := l.opened("a", "out")
		l.running()
		l.must(l.WaitDelivery(bg, DeliveryKey{id, "out"}, l.Now(), ReasonOutput, ""))
		return subject{shipment: l.export(id).ShipmentID, export: id, output: "out"}
	},
	"export parked, delivery parked": func(l *ledger) subject {
		id := l.opened("a", "out")
		l.running()
		l.must(l.ParkDelivery(bg, DeliveryKey{id, "out"}, ReasonBadRows, "", Counts{}))
		return subject{shipment: l.export(id).ShipmentID, export: id, output: "out"}
	},
	"export parked by another output, delivery waiting": func(l *ledger) subject {
		id := l.opened("a", "out", "bad")
		l.running()
		l.must(l.WaitDelivery(bg, DeliveryKey{id, "out"}, l.Now(), ReasonOutput, ""))
		l.must(l.ParkDelivery(bg, DeliveryKey{id, "bad"}, ReasonBadRows, "", Counts{}))
		return subject{shipment: l.export(id).ShipmentID, export: id, output: "out"}
	},
	"export parked by another output, delivery delivered": func(l *ledger) subject {
		id := l.opened("a", "out", "bad")
		l.running()
		l.deliver(id, "out", 1)
		l.must(l.ParkDelivery(bg, DeliveryKey{id, "bad"}, ReasonBadRows, "", Counts{}))
		return subject{shipment: l.export(id).ShipmentID, export: id, output: "out"}
	},
	"export landed, delivery delivered": func(l *ledger) subject {
		id := l.landed("a", 1)
		return subject{shipment: l.export(id).ShipmentID, export: id, output: "out"}
	},
	"export skipped": func(l *ledger) subject {
		id := l.fetched("a")
		l.must(l.Opened(bg, id, "", []NewExport{{Entity: "E", Reason: ReasonNoFlow}}))
		l.must(l.Skip(bg, ExportID(id, ""), "eve", "not needed"))
		return subject{shipment: id, export: ExportID(id, "")}
	},
}

var transitions = map[string]func(*ledger, subject) error{
	"accept its like again with a fresher link": func(l *ledger, s subject) error {
		a := arrival("a")
		a.Shipment.Deadline, a.Shipment.Link = testTime.Add(48*time.Hour), "https://a.example/dmf/x?sig=fresh"
		_, err := l.Accept(bg, []Arrival{a})
		return err
	},
	"claim fetches": func(l *ledger, s subject) error {
		_, err := l.ClaimFetches(bg, FetchClaims{Limit: 10})
		return err
	},
	"mark": func(l *ledger, s subject) error { return l.Mark(bg, s.shipment, "e", 5) },
	"fetched": func(l *ledger, s subject) error {
		return l.Fetched(bg, s.shipment, RawFile{File: "raw/x", Proof: ProofWhole})
	},
	"wait fetch": func(l *ledger, s subject) error {
		return l.WaitFetch(bg, s.shipment, l.Now().Add(time.Hour), ReasonBusy, "")
	},
	"expire": func(l *ledger, s subject) error {
		return l.Expire(bg, s.shipment, testTime.Add(99*time.Hour), "")
	},
	"park shipment":   func(l *ledger, s subject) error { return l.ParkShipment(bg, s.shipment, ReasonLinkRefused, "") },
	"release fetch":   func(l *ledger, s subject) error { return l.ReleaseFetch(bg, s.shipment) },
	"rerun shipment":  func(l *ledger, s subject) error { return l.RerunShipment(bg, s.shipment, "by eve") },
	"claim openings":  func(l *ledger, s subject) error { _, err := l.ClaimOpenings(bg, "o", time.Minute, 9); return err },
	"release opening": func(l *ledger, s subject) error { return l.ReleaseOpening(bg, s.shipment) },
	"opened": func(l *ledger, s subject) error {
		return l.Opened(bg, s.shipment, "", []NewExport{newExport("", "out"), {Member: "b", Entity: "B", Reason: ReasonNoFlow}})
	},
	"opened, all parked": func(l *ledger, s subject) error {
		return l.Opened(bg, s.shipment, "", []NewExport{{Member: "b", Entity: "B", Reason: ReasonNoFlow}})
	},
	"claim deliveries": func(l *ledger, s subject) error { _, err := l.ClaimDeliveries(bg, "o", time.Minute, 9); return err },
	"delivered":        func(l *ledger, s subject) error { return l.Delivered(bg, s.key(), Landing{Path: "p"}) },
	"wait delivery": func(l *ledger, s subject) error {
		return l.WaitDelivery(bg, s.key(), l.Now().Add(time.Hour), ReasonOutput, "")
	},
	"park delivery":    func(l *ledger, s subject) error { return l.ParkDelivery(bg, s.key(), ReasonOutput, "", Counts{}) },
	"release delivery": func(l *ledger, s subject) error { return l.ReleaseDelivery(bg, s.key()) },
	"rerun export": func(l *ledger, s subject) error {
		return l.RerunExport(bg, s.export, "all", []NewDelivery{{"out", "all"}}, "by eve")
	},
	"recover":       func(l *ledger, s subject) error { _, _, err := l.Recover(bg); return err },
	"skip event":    func(l *ledger, s subject) error { return l.Skip(bg, s.event, "eve", "") },
	"skip shipment": func(l *ledger, s subject) error { return l.Skip(bg, s.shipment, "eve", "") },
	"skip export":   func(l *ledger, s subject) error { return l.Skip(bg, s.export, "eve", "") },
	"reread as an export": func(l *ledger, s subject) error {
		_, err := l.Reread(bg, s.event, []Arrival{arrival("read")})
		return err
	},
	"reread as nothing": func(l *ledger, s subject) error {
		_, err := l.Reread(bg, s.event, []Arrival{{Environment: "prod", Identity: "read", State: Ignored, Reason: ReasonNoLink}})
		return err
	},
}

func unreadable(identity string) Arrival {
	return Arrival{Environment: "prod", Door: "finops", Identity: identity, State: Unreadable, Reason: ReasonUnreadable,
		Body: []byte("bo?sig=removed"), Unread: []byte("bo?sig=secret")}
}

func (l *ledger) claimOpenings(limit int) []Shipment {
	l.t.Helper()
	claimed, err := l.ClaimOpenings(bg, "test", time.Minute, limit)
	l.must(err)
	return claimed
}

func (l *ledger) recover() (returned, parked int) {
	l.t.Helper()
	returned, parked, err := l.Recover(bg)
	l.must(err)
	return returned, parked
}

type arrow struct {
	kind     Kind
	from, to State
}

// Every transition is tried in every situation. What it journals must be an
// arrow of the table or a note that changes no state; what it refuses must
// leave every row as it was; and each arrow of the table must have been taken.
func TestEveryTransitionInEverySituation(t *testing.T) {
	var mu sync.Mutex
	seen := map[arrow]bool{{KindEvent, "", Accepted}: true} // journaled as its shipment's row
	refused := 0
	t.Run("tries", func(t *testing.T) {
		for situation, build := range situations {
			t.Run(situation, func(t *testing.T) {
				t.Parallel()
				tried, saw := trySituation(t, build)
				mu.Lock()
				defer mu.Unlock()
				refused += tried
				maps.Copy(seen, saw)
			})
		}
	})
	if refused < 100 {
		t.Errorf("only %d transitions were refused; the table of situations has lost its point", refused)
	}
	for kind, from := range arrows {
		for from, all := range from {
			for _, to := range all {
				if !seen[arrow{kind, from, to}] {
					t.Errorf("no transition took the listed arrow %s %q → %q", kind, from, to)
				}
			}
		}
	}
}

// trySituation tries every transition. A ledger that a refusal left as it was
// serves for the next one.
func trySituation(t *testing.T, build func(*ledger) subject) (refused int, seen map[arrow]bool) {
	seen = map[arrow]bool{}
	var l *ledger
	var s subject
	var before string
	for name, transition := range transitions {
		if l == nil || l.dump() != before {
			l = newLedger(t)
			s = build(l)
			before = l.dump()
		}
		entries := len(l.journal())
		err := transition(l, s)
		if err != nil {
			refused++
			if !errors.As(err, new(*TransitionError)) && !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v; want a TransitionError", name, err)
			}
			if l.dump() != before {
				t.Errorf("%s: refused (%v) but rows changed", name, err)
			}
		}
		journal := l.journal()
		for i, e := range journal {
			seen[arrow{e.Kind, e.From, e.To}] = true
			if i >= entries && e.From != e.To && e.To != Removed && !slices.Contains(arrows[e.Kind][e.From], e.To) {
				t.Errorf("%s: took %s %q → %q, which is no arrow", name, e.Kind, e.From, e.To)
			}
		}
		checkInvariants(t, l.DB, name)
	}
	return refused, seen
}

// The one place that checks arrows refuses every other pair of words.
func TestUnlistedArrowsAreRefused(t *testing.T) {
	all := []State{"", Accepted, Ignored, Unreadable, Pending, Fetching, Expired, Fetched, Settled, Open, Landed, Skipped, Ready, Running, Delivered, Waiting, Parked, Removed, Held, Due, Stale, Acked, Assumed, Queued, Starting, Stuck, Done, Failed, Punctual, Quiet, Late, Placed}
	l := newLedger(t)
	before := l.dump()
	for kind := range arrows {
		for _, from := range all {
			for _, to := range all {
				if slices.Contains(arrows[kind][from], to) {
					continue
				}
				err := l.update(bg, func(t *tx) error { return t.step(kind, "x", "", from, to, "", "") })
				te, ok := errors.AsType[*TransitionError](err)
				if !ok || *te != (TransitionError{kind, "x", from, to}) {
					t.Errorf("%s %q → %q gave %v; want a TransitionError", kind, from, to, err)
				}
			}
		}
	}
	if l.dump() != before {
		t.Error("a refused arrow left rows behind")
	}
	if got := fmt.Sprint(&TransitionError{KindExport, "ex_1", "", Landed}); got != "export ex_1 is new and cannot become landed" {
		t.Errorf("error reads %q", got)
	}
}

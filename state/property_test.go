package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// walk is a ledger under a random sequence of transitions, with what a reader
// could have been told so far.
type walk struct {
	t        *rapid.T
	db       *DB
	folder   string
	now      time.Time
	events   map[string]string   // identity and epoch → event id that was answered
	epoch    int                 // of the one environment
	highest  map[string]OrderKey // checkpoint by output
	refusals int
}

func (w *walk) open() {
	db, err := OpenLedger(bg, w.folder, Options{AnyFilesystem: true})
	if err != nil {
		w.t.Fatal(err)
	}
	w.db = db
	db.Now = func() time.Time { return w.now }
	if _, err := db.conn.ExecContext(bg, "PRAGMA synchronous = OFF"); err != nil {
		w.t.Fatal(err)
	}
}

// may takes an error that a transition is allowed to give.
func (w *walk) may(err error) {
	w.t.Helper()
	switch {
	case err == nil:
	case errors.As(err, new(*TransitionError)), errors.Is(err, ErrNotFound):
		w.refusals++
	default:
		w.t.Fatal(err)
	}
}

func pick[T any](w *walk, name string, all []T) (T, bool) {
	if len(all) == 0 {
		var none T
		return none, false
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(w.t, name)], true
}

func (w *walk) shipment(name string) string {
	all, err := w.db.Shipments(bg, Filter{Limit: -1})
	w.may(err)
	s, _ := pick(w, name, all)
	return s.ID
}

func (w *walk) export() Export {
	all, err := w.db.Exports(bg, Filter{Limit: -1})
	w.may(err)
	e, _ := pick(w, "export", all)
	return e
}

func (w *walk) delivery() DeliveryKey {
	all, err := w.db.Deliveries(bg, w.export().ID)
	w.may(err)
	d, _ := pick(w, "delivery", all)
	return DeliveryKey{d.ExportID, d.Output}
}

func (w *walk) outputs() (list []NewDelivery) {
	for _, o := range []string{"out", "lake"} {
		if rapid.Bool().Draw(w.t, o) {
			list = append(list, NewDelivery{o, "all"})
		}
	}
	return list
}

func (w *walk) accept(*rapid.T) {
	identity := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(w.t, "identity")
	a := arrival(identity)
	a.EventAt = testTime.Add(time.Duration(rapid.IntRange(0, 9).Draw(w.t, "minute")) * time.Minute)
	life := rapid.IntRange(0, 5).Draw(w.t, "hours")
	a.Shipment.Deadline = testTime.Add(time.Duration(life) * time.Hour)
	a.Shipment.Link = fmt.Sprint("https://a.example/x?sig=", life)
	a.Shipment.ExecutionID = map[string]string{"a": "run of a", "b": "run of b and c", "c": "run of b and c"}[identity]
	if rapid.IntRange(0, 5).Draw(w.t, "unreadable") == 0 {
		a = unreadable(identity)
	}
	key := fmt.Sprint(identity, w.epoch)
	was, err := w.db.Event(bg, w.events[key])
	if err != nil && err != ErrNotFound {
		w.t.Fatal(err)
	}
	receipts, err := w.db.Accept(bg, []Arrival{a})
	if err != nil {
		w.t.Fatal(err) // an arrival is never refused
	}
	understood := was.State == Unreadable && a.State == Accepted // what was not until now is no duplicate
	if known := w.events[key]; (known != "" && !understood) != receipts[0].Duplicate || known != "" && known != receipts[0].EventID {
		w.t.Fatalf("%s: %+v, but it was %q", key, receipts[0], known)
	}
	w.events[key] = receipts[0].EventID
}

func (w *walk) actions() map[string]func(*rapid.T) {
	on := func(do func() error) func(*rapid.T) { return func(*rapid.T) { w.may(do()) } }
	return map[string]func(*rapid.T){
		"accept":  w.accept,
		"accept ": w.accept, // twice as likely
		"claim fetches": on(func() error {
			_, err := w.db.ClaimFetches(bg, FetchClaims{Limit: 2})
			return err
		}),
		"fetched": on(func() error {
			id := w.shipment("s")
			return w.db.Fetched(bg, id, RawFile{File: "raw/" + id, Proof: ProofWhole})
		}),
		"doubted": on(func() error {
			s, err := w.db.Shipment(bg, w.shipment("s"))
			if err != nil {
				return err
			}
			as := rapid.SampledFrom([]Doubt{DoubtNoExport, DoubtUnframed, DoubtUnknown}).Draw(w.t, "as")
			seen := Seen{File: "raw/" + s.ID + ".doubted", As: as, SHA256: rapid.SampledFrom([]string{"ab", "cd"}).Draw(w.t, "sha"), Bytes: 2}
			due := rapid.SampledFrom([]time.Time{{}, w.now.Add(time.Minute)}).Draw(w.t, "due")
			return w.db.Doubted(bg, s.ID, seen, due, ReasonUnproved, "")
		}),
		"taken":      on(func() error { return errOf(w.db.TakeAsIs(bg, w.shipment("s"), "eve", "")) }),
		"claim acks": on(func() error { return errOf(w.db.ClaimAcks(bg, 5)) }),
		"wait":       on(func() error { return w.db.WaitFetch(bg, w.shipment("s"), w.now.Add(time.Minute), ReasonBusy, "") }),
		"expire": on(func() error {
			return w.db.Expire(bg, w.shipment("s"), testTime.Add(time.Duration(rapid.IntRange(0, 5).Draw(w.t, "of"))*time.Hour), "")
		}),
		"park":            on(func() error { return w.db.ParkShipment(bg, w.shipment("s"), ReasonLinkRefused, "") }),
		"release fetch":   on(func() error { return w.db.ReleaseFetch(bg, w.shipment("s")) }),
		"rerun shipment":  on(func() error { return w.db.RerunShipment(bg, w.shipment("s"), "eve") }),
		"claim openings":  on(func() error { return errOf(w.db.ClaimOpenings(bg, "o", 0, 1)) }),
		"release opening": on(func() error { return w.db.ReleaseOpening(bg, w.shipment("s")) }),
		"opened": on(func() error {
			e := NewExport{Member: "x", Entity: "Customer groups", LegalEntity: "usmf", Deliveries: w.outputs()}
			return w.db.Opened(bg, w.shipment("s"), "", []NewExport{newExport("", "out"), e})
		}),
		"claim deliveries": on(func() error { return errOf(w.db.ClaimDeliveries(bg, "o", 0, 2)) }),
		"delivered":        on(func() error { return w.db.Delivered(bg, w.delivery(), Landing{Path: "p", Counts: Counts{Rows: 1}}) }),
		"delivered ":       on(func() error { return w.db.Delivered(bg, w.delivery(), Landing{Path: "p", Counts: Counts{Rows: 1}}) }),
		"wait delivery":    on(func() error { return w.db.WaitDelivery(bg, w.delivery(), w.now.Add(time.Minute), ReasonOutput, "") }),
		"park delivery":    on(func() error { return w.db.ParkDelivery(bg, w.delivery(), ReasonOutput, "", Counts{}) }),
		"release delivery": on(func() error { return w.db.ReleaseDelivery(bg, w.delivery()) }),
		"rerun export": on(func() error {
			outputs := append(w.outputs(), NewDelivery{"new", "all"})
			return w.db.RerunExport(bg, w.export().ID, "all", outputs, "eve")
		}),
		"message": on(func() error {
			run := rapid.SampledFrom([]string{"", "run of a", "run of b and c"}).Draw(w.t, "of")
			m := NewMessage{Environment: "prod", Activity: "a1", CorrelationID: "of " + run, Body: []byte("receipt"), ExecutionID: run}
			if err := w.db.PollBegun(bg, m.Environment, m.Activity); err != nil {
				return err
			}
			return errOf(w.db.AcceptMessage(bg, m))
		}),
		"renew": on(func() error {
			return w.db.Renewed(bg, w.shipment("s"), FreshLink{Link: "https://a.example/y?sig=new"}, "")
		}),
		"next rung": on(func() error {
			s, err := w.db.Shipment(bg, w.shipment("s"))
			if err != nil {
				return err
			}
			return w.db.NextRung(bg, s, RungQueue, "")
		}),
		"watch": on(func() error { return w.db.Watch(bg, "all", "prod") }),
		"silent": on(func() error {
			c, err := w.db.Cadence(bg, "all", "prod")
			if err != nil {
				return err
			}
			to := rapid.SampledFrom([]State{Quiet, Late}).Draw(w.t, "to")
			return w.db.Silent(bg, Silence{Flow: "all", Environment: "prod", HeardAt: c.HeardAt, To: to})
		}),
		"skip shipment": on(func() error { return w.db.Skip(bg, w.shipment("s"), "eve", "") }),
		"skip export":   on(func() error { return w.db.Skip(bg, w.export().ID, "eve", "") }),
		"reread": on(func() error {
			all, err := w.db.Events(bg, Filter{States: []State{Unreadable}})
			e, ok := pick(w, "event", all)
			if err != nil || !ok {
				return err
			}
			identity := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(w.t, "read as")
			receipts, err := w.db.Reread(bg, e.ID, []Arrival{arrival(identity)})
			// Read as what it was taken for, it stays the event of its own epoch.
			if err == nil && receipts[0].EventID != e.ID {
				w.events[fmt.Sprint(identity, w.epoch)] = receipts[0].EventID
			}
			return err
		}),
		"adopt": on(func() error {
			entities := [][]string{nil, {"Customer groups"}, {"Customer groups", "Vendor groups"}}
			return errOf(w.db.AdoptPackage(bg, adoption("run", entities[rapid.IntRange(0, 2).Draw(w.t, "entities")]...)))
		}),
		"new epoch": on(func() error {
			if rapid.IntRange(0, 3).Draw(w.t, "really") > 0 {
				return nil
			}
			w.epoch++
			return errOf(w.db.ResetEnvironment(bg, "prod", ""))
		}),
		"release raw": on(func() error { return errOf(w.db.ReleaseRaw(bg, w.now.Add(-2*time.Minute), 5)) }),
		"recover":     on(func() error { _, _, err := w.db.Recover(bg); return err }),
		"a minute":    func(*rapid.T) { w.now = w.now.Add(time.Minute) },
		"restart": func(*rapid.T) {
			if err := w.db.Close(); err != nil {
				w.t.Fatal(err)
			}
			w.open()
		},
		"": w.check,
	}
}

// check runs after each transition.
func (w *walk) check(*rapid.T) {
	checkInvariants(w.t, w.db, "a random walk")
	checkpoints, err := w.db.Checkpoints(bg, Filter{})
	w.may(err)
	for _, c := range checkpoints {
		was := w.highest[c.Output]
		if c.Highest.At.Before(was.At) || c.Highest.At.Equal(was.At) && c.Highest.No < was.No {
			w.t.Errorf("checkpoint of %s moved back from %s to %s", c.Output, was, c.Highest)
		}
		w.highest[c.Output] = c.Highest
	}
	status, err := w.db.Status(bg, "")
	w.may(err)
	var way, person int64
	for _, line := range status.Lines {
		way, person = way+line.OnTheWay, person+line.NeedPerson
	}
	if way != status.OnTheWay || person != status.NeedPerson || (way+person == 0) != status.OldestOpen.IsZero() {
		w.t.Errorf("status %+v does not add up", status)
	}
}

// Whatever happens in whatever order, with restarts between, the ledger keeps
// its invariants, and nobody's event is forgotten or doubled.
func TestRandomWalks(t *testing.T) {
	file, err := template()
	if err != nil {
		t.Fatal(err)
	}
	landed := 0
	rapid.Check(t, func(rt *rapid.T) {
		folder, err := os.MkdirTemp(t.TempDir(), "walk")
		if err != nil {
			rt.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, File), file, 0o600); err != nil {
			rt.Fatal(err)
		}
		w := &walk{t: rt, folder: folder, now: testTime, events: map[string]string{}, highest: map[string]OrderKey{}}
		w.open()
		defer func() { w.db.Close() }()
		rt.Repeat(w.actions())
		landed += w.finish()
	})
	if landed == 0 {
		t.Error("no walk landed anything; it has lost its point")
	}
}

// finish works off what is open: after any walk nothing may be stuck.
func (w *walk) finish() (landed int) {
	if _, _, err := w.db.Recover(bg); err != nil {
		w.t.Fatal(err)
	}
	for range 200 {
		w.now = w.now.Add(time.Minute)
		fetches, err := w.db.ClaimFetches(bg, FetchClaims{Limit: 99})
		w.may(err)
		for _, j := range fetches {
			w.may(w.db.Fetched(bg, j.Shipment.ID, RawFile{File: "raw/" + j.Shipment.ID, Proof: ProofWhole}))
		}
		renewals, err := w.db.ClaimRenewals(bg, 99)
		w.may(err)
		for _, s := range renewals {
			w.may(w.db.Renewed(bg, s.ID, FreshLink{Link: "https://a.example/p?sig=fresh", LinkPath: "a.example/p", Package: true}, ""))
		}
		openings, err := w.db.ClaimOpenings(bg, "o", 0, 99)
		w.may(err)
		for _, s := range openings {
			w.may(w.db.Opened(bg, s.ID, "", []NewExport{newExport("", "out")}))
		}
		deliveries, err := w.db.ClaimDeliveries(bg, "o", 0, 99)
		w.may(err)
		for _, j := range deliveries {
			w.may(w.db.Delivered(bg, DeliveryKey{j.Export.ID, j.Delivery.Output}, Landing{Path: "p"}))
		}
		if len(fetches)+len(renewals)+len(openings)+len(deliveries) == 0 {
			break
		}
	}
	w.check(nil)
	if s, err := w.db.Status(bg, ""); err != nil || s.OnTheWay != 0 {
		w.t.Errorf("%d are on the way and nothing moves them (%v)", s.OnTheWay, err)
	}
	exports, err := w.db.Exports(bg, Filter{Limit: -1})
	w.may(err)
	for _, e := range exports {
		if !slices.Contains([]State{Landed, Parked, Skipped}, e.State) {
			w.t.Errorf("%s ends as %s", e.ID, e.State)
		}
		if e.State == Landed {
			landed++
		}
	}
	return landed
}

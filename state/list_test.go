package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zoo is a ledger with a bit of everything, its clock a minute on at each step.
type zoo struct {
	*ledger
	landed, parked, expired, pending, ignored, unreadable string
}

func newZoo(t *testing.T) zoo {
	z := zoo{ledger: newLedger(t)}
	z.landed = z.ledger.landed("landed", 7)
	z.pass(time.Minute)
	z.parked = z.opened("parked", "out")
	z.running()
	z.must(z.ParkDelivery(bg, DeliveryKey{z.parked, "out"}, ReasonBadRows, "line 7", Counts{Rows: 6, BadRows: 1}))
	z.pass(time.Minute)
	z.expired = z.fetching("expired")
	z.must(z.Expire(bg, z.expired, z.shipment(z.expired).Deadline, "dead"))
	z.must(z.WaitRenewal(bg, z.shipment(z.expired), time.Time{}, "no way left"))
	z.pass(time.Minute)
	a := arrival("pending")
	a.Environment, a.Entity, a.LegalEntity = "uat", "Vendors", "demf"
	z.pending = z.accept(a)[0].ShipmentID
	z.pass(time.Minute)
	z.ignored = z.accept(Arrival{Environment: "prod", Identity: "test", State: Ignored, Reason: ReasonEndpointTest, Body: []byte("{}")})[0].EventID
	z.pass(time.Minute)
	z.unreadable = z.accept(unreadable("body:1"))[0].EventID
	return z
}

func TestLists(t *testing.T) {
	z := newZoo(t)
	settled := z.export(z.landed).ShipmentID
	parkedIn := z.export(z.parked).ShipmentID
	for _, c := range []struct {
		name   string
		filter Filter
		events int // how many; ids are clear from the others
		want   [2][]string
	}{
		{"all, newest first", Filter{}, 6, [2][]string{{z.pending, z.expired, parkedIn, settled}, {z.parked, z.landed}}},
		{"environment", Filter{Environment: "uat"}, 1, [2][]string{{z.pending}, nil}},
		{"entity, letter case ignored", Filter{Entity: "customer GROUPS"}, 3, [2][]string{{z.expired, parkedIn, settled}, {z.parked, z.landed}}},
		{"nothing is a pattern", Filter{Entity: "%"}, 0, [2][]string{nil, nil}},
		{"state", Filter{States: []State{Parked}}, 0, [2][]string{nil, {z.parked}}},
		{"states of which one is at rest", Filter{States: []State{Parked, Landed, Settled, Expired}}, 0, [2][]string{{z.expired, parkedIn, settled}, {z.parked, z.landed}}},
		{"states that all move", Filter{States: []State{Pending, Expired, Open}}, 0, [2][]string{{z.pending, z.expired}, nil}},
		{"unreadable", Filter{States: []State{Unreadable}}, 1, [2][]string{nil, nil}},
		{"a state that is none", Filter{States: []State{"x' OR '1'='1"}}, 0, [2][]string{nil, nil}},
		{"reason", Filter{Reason: ReasonBadRows}, 0, [2][]string{nil, {z.parked}}},
		{"since", Filter{Since: testTime.Add(time.Minute)}, 5, [2][]string{{z.pending, z.expired, parkedIn}, {z.parked}}},
		{"one shipment's exports", Filter{ShipmentID: settled}, 6, [2][]string{{z.pending, z.expired, parkedIn, settled}, {z.landed}}},
		{"limit", Filter{Limit: 1}, 1, [2][]string{{z.pending}, {z.parked}}},
		{"no limit", Filter{Limit: -1}, 6, [2][]string{{z.pending, z.expired, parkedIn, settled}, {z.parked, z.landed}}},
		{"all at once", Filter{Environment: "prod", Entity: "Customer groups", States: []State{Parked}, Reason: ReasonBadRows, ShipmentID: parkedIn,
			Since: testTime, Limit: 5}, 0, [2][]string{nil, {z.parked}}},
	} {
		events, err := z.Events(bg, c.filter)
		z.must(err)
		shipments, err := z.Shipments(bg, c.filter)
		z.must(err)
		exports, err := z.Exports(bg, c.filter)
		z.must(err)
		var got [2][]string
		for _, s := range shipments {
			got[0] = append(got[0], s.ID)
		}
		for _, e := range exports {
			got[1] = append(got[1], e.ID)
		}
		if len(events) != c.events || !slices.Equal(got[0], c.want[0]) || !slices.Equal(got[1], c.want[1]) {
			t.Errorf("%s: %d events, %v; want %d, %v", c.name, len(events), got, c.events, c.want)
		}
	}
}

func TestListsHaveADefaultLimit(t *testing.T) {
	l := newLedger(t)
	var arrivals []Arrival
	for i := range DefaultLimit + 10 {
		arrivals = append(arrivals, arrival(fmt.Sprint(i)))
	}
	l.accept(arrivals...)
	for limit, want := range map[int]int{0: DefaultLimit, -1: DefaultLimit + 10, 7: 7} {
		if all, err := l.Events(bg, Filter{Limit: limit}); err != nil || len(all) != want {
			t.Errorf("limit %d gave %d, %v; want %d", limit, len(all), err, want)
		}
	}
}

func TestFind(t *testing.T) {
	z := newZoo(t)
	for _, id := range []string{z.landed, z.pending, z.unreadable} {
		for _, start := range []string{id, id[:10]} {
			if got, err := z.Find(bg, start); err != nil || got != id {
				t.Errorf("%s gave %q, %v; want %s", start, got, err, id)
			}
		}
	}
	for start, says := range map[string]string{
		"ex_": "several", "sh": "several", "ev_": "several",
		"ex_zzzz": "ex_zzzz", z.landed + "0": "not in the ledger",
		"": "begins with", "banana": "begins with", "zz_1": "begins with",
		"ex_%": "ex_%", "sh_________________": "sh_", "ev_*": "ev_*",
	} {
		if got, err := z.Find(bg, start); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q gave %q, %v; want ErrNotFound that says %q", start, got, err, says)
		}
	}
	for name, err := range map[string]error{
		"event":    errOf(z.Event(bg, "ev_nobody")),
		"shipment": errOf(z.Shipment(bg, "sh_nobody")),
		"export":   errOf(z.Export(bg, "ex_nobody")),
		"body":     errOf(z.Body(bg, "ev_nobody")),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("an unknown %s: %v; want ErrNotFound", name, err)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestStory(t *testing.T) {
	l := newLedger(t)
	other := l.landed("other", 1)
	event := l.accept(arrival("a"))[0]
	sh := event.ShipmentID
	l.claim(1)
	l.must(l.Fetched(bg, sh, RawFile{File: "raw/x", Detail: "resumed twice", Proof: ProofWhole}))
	l.must(l.Opened(bg, sh, "", []NewExport{newExport("", "out")}))
	id := ExportID(sh, "")
	l.running()
	l.deliver(id, "out", 1)
	tell := func(id string) (told []string) {
		t.Helper()
		story, err := l.Story(bg, id)
		l.must(err)
		for _, e := range story {
			if strings.Contains(e.Subject, other) {
				t.Errorf("the story of %s tells of %s", id, e.Subject)
			}
			told = append(told, fmt.Sprintf("%s %s", e.Kind, e.To))
		}
		return told
	}
	whole := []string{"shipment pending", "shipment fetching", "shipment fetched", "export open", "delivery ready", "delivery running",
		"delivery delivered", "export landed", "shipment settled"}
	for _, c := range []struct {
		id   string
		want []string
	}{
		{sh, whole},
		{event.EventID, whole},
		{id, []string{"export open", "delivery ready", "delivery running", "delivery delivered", "export landed"}},
		{"ex_nobody", nil},
	} {
		if got := tell(c.id); !slices.Equal(got, c.want) {
			t.Errorf("the story of %s: %v; want %v", c.id, got, c.want)
		}
	}
	all := l.journal()
	part, err := l.Journal(bg, all[2].Seq, 3)
	l.must(err)
	if len(part) != 3 || part[0] != all[3] || part[2] != all[5] {
		t.Errorf("3 entries after %d: %+v", all[2].Seq, part)
	}
}

func TestStatusNumbers(t *testing.T) {
	z := newZoo(t)
	s, err := z.Status(bg, "")
	z.must(err)
	if s.NeedPerson != 3 || s.OnTheWay != 1 || s.OldestID != z.parked || !s.OldestOpen.Equal(testTime.Add(time.Minute)) {
		t.Errorf("status %+v; want 3 for a person (parked, expired, unreadable), 1 on the way, the oldest %s", s, z.parked)
	}
	lines := map[string]StatusLine{}
	for _, line := range s.Lines {
		lines[line.Environment+"/"+line.Entity+"/"+line.LegalEntity] = line
	}
	want := map[string]StatusLine{
		"prod/Customer groups/usmf": {Environment: "prod", Entity: "Customer groups", LegalEntity: "usmf", LastLanded: testTime, LastRows: 7, Exports: 1, Rows: 7,
			NeedPerson: 2, OldestOpen: testTime.Add(time.Minute)},
		"uat/Vendors/demf": {Environment: "uat", Entity: "Vendors", LegalEntity: "demf", OnTheWay: 1, OldestOpen: testTime.Add(3 * time.Minute)},
		"prod//":           {Environment: "prod", NeedPerson: 1, OldestOpen: testTime.Add(5 * time.Minute)},
	}
	for name, line := range want {
		if lines[name] != line {
			t.Errorf("line %s: %+v; want %+v", name, lines[name], line)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%d lines; want %d", len(lines), len(want))
	}
	if s, err := z.Status(bg, "uat"); err != nil || s.NeedPerson != 0 || s.OnTheWay != 1 || s.OldestID != z.pending || len(s.Lines) != 1 {
		t.Errorf("status of uat %+v, %v", s, err)
	}
	if s, err := newLedger(t).Status(bg, ""); err != nil || !s.OldestOpen.IsZero() || s.OldestID != "" || s.OnTheWay != 0 || len(s.Lines) != 0 {
		t.Errorf("status of an empty ledger %+v, %v", s, err)
	}
}

// The last rows are those of the last delivery, of whichever output, and an
// export that two outputs have counts once.
func TestStatusOfSeveralOutputs(t *testing.T) {
	l := newLedger(t)
	for _, rows := range []int64{9, 4} {
		l.pass(time.Hour)
		id := l.opened(fmt.Sprint(rows), "out", "lake")
		l.running()
		l.deliver(id, "lake", rows)
		l.pass(time.Second)
		l.deliver(id, "out", rows)
	}
	s, err := l.Status(bg, "")
	l.must(err)
	if len(s.Lines) != 1 || s.Lines[0].LastRows != 4 || s.Lines[0].Exports != 2 || s.Lines[0].Rows != 13 || !s.Lines[0].LastLanded.Equal(l.Now()) {
		t.Errorf("lines %+v; want 2 exports, 13 rows, the last 4", s.Lines)
	}
}

func TestHostsSeen(t *testing.T) {
	z := newZoo(t)
	forged := arrival("forged")
	forged.Shipment.Link, forged.Shipment.LinkPath = "https://evil.example/x.csv", "evil.example/x.csv"
	id := z.accept(forged)[0].ShipmentID
	z.claim(9)
	z.must(z.ParkShipment(bg, id, ReasonLinkHostile, "not allowed"))
	check := func(when string) {
		t.Helper()
		got, err := z.HostsSeen(bg)
		z.must(err)
		if len(got.Seen) != 2 || !slices.Equal(got.Seen["prod"], []string{"a.example", "evil.example"}) || !slices.Equal(got.Refused["prod"], []string{"evil.example"}) || len(got.Refused) != 1 {
			t.Errorf("%s: hosts %+v; want both, one of them refused", when, got)
		}
	}
	check("parked")
	z.must(z.Skip(bg, id, "eve", "forged"))
	check("skipped")
}

// A list finds the entities that a flow with the same glob would take.
func TestEntityGlobs(t *testing.T) {
	z := newZoo(t)
	for label := range map[string]bool{"Ünits/[a]": true, "Vendor groups": true} {
		a := arrival(label)
		a.Entity = label
		z.accept(a)
	}
	names, err := z.Entities(bg)
	z.must(err)
	if want := []string{"Customer groups", "Vendor groups", "Vendors", "Ünits/[a]"}; !slices.Equal(names, want) {
		t.Fatalf("labels %q, want %q", names, want)
	}
	for _, glob := range []string{"*", "cust*", "vendor?", "*GROUPS", "üNITS*", "ünits/[A]", "*[a]", "[Ü]*", "?endor*", "x*", "%", "Vendors", "VENDORS", "Ünits/*", ""} {
		var want []string
		for _, name := range names {
			if glob == "" || MatchGlob(glob, name) {
				want = append(want, name)
			}
		}
		shipments, err := z.Shipments(bg, Filter{Entity: glob, Limit: -1})
		z.must(err)
		got := map[string]bool{}
		for _, s := range shipments {
			got[s.Entity] = true
		}
		if len(got) != len(want) {
			t.Errorf("%q finds %v, want %q", glob, got, want)
		}
		for _, name := range want {
			if !got[name] {
				t.Errorf("%q does not find %q", glob, name)
			}
		}
	}
	// Exports are looked for by another index.
	exports, err := z.Exports(bg, Filter{Entity: "C*gro?ps"})
	z.must(err)
	points, err := z.Checkpoints(bg, Filter{Entity: "C*gro?ps"})
	z.must(err)
	if len(exports) != 2 || len(points) != 1 {
		t.Errorf("%d exports and %d checkpoints, want 2 and 1", len(exports), len(points))
	}
	if points, err = z.Checkpoints(bg, Filter{Entity: "V*"}); err != nil || len(points) != 0 {
		t.Errorf("%d checkpoints, %v; want none", len(points), err)
	}
}

func TestSQLGlobIsMatchGlob(t *testing.T) {
	l := newLedger(t)
	letters := rapid.SampledFrom([]rune(`abAB/. éÉ*?\[]^-ßẞk` + "K"))
	rapid.Check(t, func(t *rapid.T) {
		glob := string(rapid.SliceOfN(letters, 0, 8).Draw(t, "glob"))
		value := string(rapid.SliceOfN(letters, 0, 12).Draw(t, "value"))
		var got bool
		if err := l.readRow(bg, `SELECT ?1 GLOB ?2`, []any{value, sqlGlob(glob)}, &got); err != nil {
			t.Fatal(err)
		}
		if want := MatchGlob(glob, value); got != want {
			t.Fatalf("%q on %q: SQLite says %t with %q, want %t", glob, value, got, sqlGlob(glob), want)
		}
	})
}

// The journal can be followed for one environment, entity or flow.
func TestJournalOf(t *testing.T) {
	z := newZoo(t)
	z.must(errOf(z.ResetEnvironment(bg, "uat", "refreshed")))
	z.must(z.Watch(bg, "all", "prod"))
	all := z.journal()
	about := func(e JournalEntry) (environment, entity, flow string) {
		environment, entity = "prod", "Customer groups"
		switch {
		case e.Kind == KindEnvironment:
			return "uat", "", ""
		case e.Kind == KindCadence:
			return "prod", "", "all"
		case e.Subject == z.pending:
			return "uat", "Vendors", ""
		case e.Kind == KindEvent:
			x, err := z.Event(bg, e.Subject)
			z.must(err)
			environment, entity, e.ShipmentID = x.Environment, x.Entity, x.ShipmentID
		}
		if e.ShipmentID != "" {
			exports, err := z.Exports(bg, Filter{ShipmentID: e.ShipmentID})
			z.must(err)
			if len(exports) > 0 {
				flow = exports[0].Flow
			}
		}
		return environment, entity, flow
	}
	for _, f := range []JournalFilter{{}, {Environment: "prod"}, {Environment: "uat"}, {Entity: "customer*"}, {Entity: "V*"}, {Entity: "*"}, {Flow: "all"}, {Flow: "none"},
		{Kinds: []Kind{KindExport, KindDelivery}}, {Kinds: []Kind{KindEvent}, Entity: "?endors", Environment: "uat"}, {Kinds: []Kind{KindCadence}}, {Environment: "nowhere"}} {
		var want []int64
		for _, e := range all {
			environment, entity, flow := about(e)
			switch {
			case f.Environment != "" && f.Environment != environment, f.Entity != "" && f.Entity != "*" && !MatchGlob(f.Entity, entity),
				f.Entity == "*" && e.Kind == KindEnvironment, f.Entity == "*" && e.Kind == KindCadence, // are of none
				f.Flow != "" && f.Flow != flow, len(f.Kinds) > 0 && !slices.Contains(f.Kinds, e.Kind):
				continue
			}
			want = append(want, e.Seq)
		}
		entries, err := z.JournalOf(bg, f, 0, 1000)
		z.must(err)
		var got []int64
		for _, e := range entries {
			got = append(got, e.Seq)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v gives %v, want %v", f, got, want)
		}
	}
}

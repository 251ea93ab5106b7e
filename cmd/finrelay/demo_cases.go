package main

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/encoding/charmap"

	"finrelay/dmf/sim"
	"finrelay/state"
)

// demoCase is one event that the simulated FinOps posts.
type demoCase struct {
	entity string
	sent   string        // format and quirk, as the table shows it
	age    time.Duration // how long ago FinOps ran the export
	after  bool          // posted when the case before has come to rest
	again  bool          // posts the body of the case before once more
	make   func(s *sim.Sim, entity string) demoParcel
	want   []demoWant // an export each, in the order of the package
}

// demoWant is what must become of an export, or of an event without one.
type demoWant struct {
	entity string // "" = the case's
	sent   string // "" = the case's
	answer int    // HTTP status of the door
	known  bool   // the event was known: nothing starts
	state  state.State
	reason state.Reason
	also   func(*demoCheck) // what else must be so
}

// demoParcel is what FinOps holds for a case, and how it was received.
type demoParcel struct {
	body   []byte
	event  sim.Event
	blob   *sim.Blob            // nil when there is nothing to fetch
	tables map[string]sim.Table // what a faithful reader finds, by entity

	status   int    // of the door's last answer
	tries    int    // posts it took
	eventID  string // ours
	shipment string // ours; "" when the event has none
}

var (
	demoLanded = demoWant{answer: http.StatusAccepted, state: state.Landed}
	demoTested = demoWant{answer: http.StatusAccepted, state: state.Ignored, reason: state.ReasonEndpointTest}
)

// The cut falls behind the bytes that must come for a download to go on at once.
const (
	demoCut     = 160 << 10 // bytes
	demoCutRows = 4000      // about twice that
	demoBadRow  = 7         // of the file with a bad row, from 1
)

// demoCases is the programme, in the order of posting.
func demoCases() []demoCase {
	return []demoCase{
		{entity: "(endpoint test)", sent: "what FinOps posts first", make: endpointTest,
			want: []demoWant{demoTested}},

		{entity: "Customers V3", sent: "CSV, UTF-8 with BOM", make: bare(sim.CSVUTF8BOM, 60),
			want: []demoWant{demoLanded}},
		{entity: "Vendors V2", sent: "CSV-Unicode: UTF-16LE", make: bare(sim.CSVUTF16LE, 45),
			want: []demoWant{demoLanded}},
		{entity: "Released products V2", sent: "windows-1252 CSV, semicolon", make: semicolons1252(80),
			want: []demoWant{demoLanded}},
		{entity: "Exchange rates", sent: "XML-Element", make: bare(sim.XMLElement, 24),
			want: []demoWant{demoLanded}},
		{entity: "Fixed asset major type", sent: "XML-Attribute", make: bare(sim.XMLAttribute, 9),
			want: []demoWant{demoLanded}},
		{entity: "Customer groups", sent: "JSON, event of 2019", make: json2019(12),
			want: []demoWant{demoLanded}},

		{entity: "Order to cash", sent: "package of three", make: threeInOne, want: []demoWant{
			{entity: "Sales order headers V2", sent: "package, CSV-Unicode", answer: http.StatusAccepted, state: state.Landed},
			{entity: "Sales order lines V2", sent: "same package, XML-Element", answer: http.StatusAccepted, state: state.Landed},
			{entity: "Vendor groups", sent: "same package, no flow", answer: http.StatusAccepted,
				state: state.Parked, reason: state.ReasonNoFlow},
		}},

		{entity: "Warehouses", sent: "CSV", make: bare(sim.CSVUTF8, 15),
			want: []demoWant{demoLanded}},
		{entity: "Warehouses", sent: "the same event again", after: true, again: true,
			want: []demoWant{{answer: http.StatusOK, known: true, state: state.Landed, also: (*demoCheck).onlyOnce}}},

		{entity: "Main accounts", sent: "CSV, the newer of two", age: time.Minute, make: bare(sim.CSVUTF8BOM, 31),
			want: []demoWant{demoLanded}},
		{entity: "Main accounts", sent: "CSV, older but comes later", age: 5 * time.Minute, after: true, make: bare(sim.CSVUTF8BOM, 30),
			want: []demoWant{{answer: http.StatusAccepted, state: state.Landed, also: (*demoCheck).checkpointStays}}},

		{entity: "General journal lines", sent: "CSV, cut in the middle", make: cutInTheMiddle,
			want: []demoWant{{answer: http.StatusAccepted, state: state.Landed, also: (*demoCheck).resumed}}},
		{entity: "Purchase order headers V2", sent: "CSV, sent 70 min late", age: 70 * time.Minute, make: bare(sim.CSVUTF8BOM, 20),
			want: []demoWant{{answer: http.StatusAccepted, state: state.Expired, reason: state.ReasonLinkExpired, also: (*demoCheck).triedOnce}}},
		{entity: "Bank accounts", sent: "CSV, a field too many", make: withBadRow,
			want: []demoWant{{answer: http.StatusAccepted, state: state.Parked, reason: state.ReasonBadRows, also: (*demoCheck).positionShown}}},
	}
}

// pack lets FinOps run the exports, the oldest first, as its numbers rise with
// time. The parcels come in the order of the cases.
func (d *demo) pack() []demoParcel {
	order := make([]int, len(d.cases))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(d.cases[b].age, d.cases[a].age) })
	parcels := make([]demoParcel, len(d.cases))
	clock := d.sim.Clock()
	for _, i := range order {
		if c := d.cases[i]; !c.again {
			clock.Advance(-c.age)
			parcels[i] = c.make(d.sim, c.entity)
			clock.Advance(c.age)
		}
	}
	for i, c := range d.cases {
		if c.again {
			parcels[i] = parcels[i-1]
		}
	}
	return parcels
}

func endpointTest(s *sim.Sim, _ string) demoParcel { return demoParcel{body: s.TestEvent()} }

// bare exports sample rows as a file of their own.
func bare(f sim.Format, rows int) func(*sim.Sim, string) demoParcel {
	return func(s *sim.Sim, entity string) demoParcel {
		t := s.SampleEntity(entity, rows)
		return export(s, sim.ExportSpec{Entity: entity, Format: f, Table: &t}, t.As(f))
	}
}

// json2019 sends the published event: JSON data, the id in braces, no base fields.
func json2019(rows int) func(*sim.Sim, string) demoParcel {
	return func(s *sim.Sim, entity string) demoParcel {
		t := s.SampleEntity(entity, rows)
		return export(s, sim.ExportSpec{Entity: entity, Format: sim.JSON, Table: &t, Style: sim.Style2019}, t)
	}
}

// semicolons1252 is a source data format as shops in Europe set it up.
func semicolons1252(rows int) func(*sim.Sim, string) demoParcel {
	return func(s *sim.Sim, entity string) demoParcel {
		t := s.SampleEntity(entity, rows).As(sim.CSVWindows1252) // only what the code page holds
		data, err := charmap.Windows1252.NewEncoder().Bytes(s.Render(sim.CSVSemicolon, t))
		if err != nil {
			panic("demo: windows-1252: " + err.Error()) // As has replaced what cannot be encoded
		}
		return export(s, sim.ExportSpec{Entity: entity, Format: sim.CSVSemicolon, Data: data, NoOfRecords: &rows}, t)
	}
}

// threeInOne is a data package. Its last entity has no flow.
func threeInOne(s *sim.Sim, project string) demoParcel {
	headers := s.SampleEntity("Sales order headers V2", 36)
	lines := s.SampleEntity("Sales order lines V2", 110)
	vendors := s.SampleEntity("Vendor groups", 6)
	spec := sim.ExportSpec{Entity: project, DefinitionGroup: project, Members: []sim.Member{
		s.Member(sim.CSVUTF16LE, headers), s.Member(sim.XMLElement, lines), s.Member(sim.CSVUTF8BOM, vendors),
	}}
	return export(s, spec, headers, lines, vendors)
}

// cutInTheMiddle has the store hang up once while it sends the file.
func cutInTheMiddle(s *sim.Sim, entity string) demoParcel {
	p := bare(sim.CSVUTF8, demoCutRows)(s, entity)
	s.Fault(sim.Fault{Blob: p.blob.Name(), CutAfter: demoCut})
	return p
}

// withBadRow has a value with a comma that nobody has quoted.
func withBadRow(s *sim.Sim, entity string) demoParcel {
	t := s.SampleEntity(entity, 12)
	bad := append(slices.Clone(t.Rows[demoBadRow-1]), "00")
	t.Rows[demoBadRow-1] = bad
	return export(s, sim.ExportSpec{Entity: entity, Format: sim.CSVUTF8BOM, Table: &t}, t)
}

// badLine is the line of the file on which the bad row begins, from 1.
func badLine(s *sim.Sim, t sim.Table) int {
	t.Rows = t.Rows[:demoBadRow-1]
	return 1 + bytes.Count(s.Render(sim.CSVUTF8BOM, t), []byte("\n"))
}

func export(s *sim.Sim, spec sim.ExportSpec, tables ...sim.Table) demoParcel {
	p := demoParcel{tables: map[string]sim.Table{}}
	for _, t := range tables {
		p.tables[t.Label] = t
	}
	p.event, p.blob = s.Export(spec)
	p.body = s.Payload(p.event)
	return p
}

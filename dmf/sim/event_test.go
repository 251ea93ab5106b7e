package sim_test

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"finrelay/dmf"
	"finrelay/dmf/sim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestPayloads compares bodies byte for byte with testdata/events.txtar.
func TestPayloads(t *testing.T) {
	s := sim.New(sim.Options{Seed: 1, Clock: sim.NewClock(morning.Add(718281800))})
	e := sim.Event{
		EventID:       "6070E2A4-A3D8-4074-B105-4F2666CCA04C",
		EntityName:    "Customer groups",
		LegalEntity:   "usmf",
		DownloadURL:   "https://contosodmf.blob.core.windows.net/dmf/Customer%20g%7BD1%7D.json?sv=2014-02-14&sr=b&sig=x%3D&sp=r",
		NoOfRecords:   7,
		ControlNumber: 5637210077,
		RecID:         9007199254745001,
		Time:          s.Clock().Now(),
	}
	style := func(st sim.EventStyle) sim.Event { c := e; c.Style = st; return c }
	odd := e
	odd.Omit = []string{"EntityName", "EventTimeIso8601"}
	odd.Extra = map[string]any{"EventId": nil, "IntegrationActivityId": "x"}
	odd.ExecutionID, odd.DefinitionGroup = "Nightly-2026-03-02T09:15:42-6B0E", "Nightly"
	bodies := []struct {
		name string
		body []byte
	}{
		{"2019", s.Payload(style(sim.Style2019))},
		{"2020", s.Payload(style(""))},
		{"escaped", s.Payload(style(sim.StyleEscaped))},
		{"odd", s.Payload(odd)},
		{"endpoint-test", s.TestEvent()},
		{"import-status", s.ImportStatusEvent(e)},
	}
	const golden = "testdata/events.txtar"
	got := &txtar.Archive{Comment: []byte("Bodies of events, as FinOps posts them. Rewritten by: go test ./dmf/sim -update\n")}
	for _, b := range bodies {
		got.Files = append(got.Files, txtar.File{Name: b.name, Data: append(b.body, '\n')})
	}
	if *update {
		if err := os.WriteFile(golden, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Files) != len(got.Files) {
		t.Fatalf("%d bodies, the golden file has %d", len(got.Files), len(want.Files))
	}
	for i, f := range want.Files {
		if g := got.Files[i]; f.Name != g.Name || string(f.Data) != string(g.Data) {
			t.Errorf("%s:\n got %s\nwant %s", f.Name, g.Data, f.Data)
		}
	}
}

// TestPayloadsAreUnderstood reads the bodies with the package that the product
// reads them with.
func TestPayloadsAreUnderstood(t *testing.T) {
	s := sim.New(sim.Options{Seed: 1, Clock: sim.NewClock(morning)})
	for _, style := range []sim.EventStyle{sim.Style2019, sim.Style2020, sim.StyleEscaped} {
		e, _ := s.Export(sim.ExportSpec{Entity: "Customer groups", Rows: 7, Style: style})
		got := decodeOne(t, s.Payload(e))
		if got.Kind() != dmf.KindExport || len(got.Warnings) > 0 ||
			got.EntityName != "Customer groups" || got.EventID != dmf.Fold(e.EventID) || got.DownloadURL != e.DownloadURL ||
			got.LegalEntity != "usmf" || !got.EventTime.Equal(morning) ||
			got.RecID == nil || *got.RecID != e.RecID || got.NoOfRecords == nil || *got.NoOfRecords != 7 {
			t.Errorf("style %s is read as %+v", style, got)
		}
		if (got.ControlNumber == nil) != (style == sim.Style2019) {
			t.Errorf("style %s: control number %v", style, got.ControlNumber)
		}
	}
	if k := decodeOne(t, s.TestEvent()).Kind(); k != dmf.KindEndpointTest {
		t.Errorf("test event is read as %s", k)
	}
	if k := decodeOne(t, s.ImportStatusEvent(sim.Event{EntityName: "Vendors V2"})).Kind(); k != dmf.KindImportStatus {
		t.Errorf("import status is read as %s", k)
	}
}

func TestExport(t *testing.T) {
	s := started(t, sim.Options{Seed: 3})
	first, b := s.Export(sim.ExportSpec{Entity: "Country/regions of all", Format: sim.XMLElement, Rows: 4})
	if !regexp.MustCompile(`^Countryreg\{[0-9A-F]{32}\}\.xml$`).MatchString(b.Name()) {
		t.Errorf("blob name %s", b.Name())
	}
	if a := get(t, first.DownloadURL); a.status != 200 || a.body != string(b.Bytes()) {
		t.Errorf("the event's link: status %d, %d bytes", a.status, len(a.body))
	}
	if first.NoOfRecords != 4 || first.LegalEntity != "usmf" || !first.Time.Equal(morning) {
		t.Errorf("event %+v", first)
	}
	second, _ := s.Export(sim.ExportSpec{Entity: "Exchange rates"})
	if second.ControlNumber <= first.ControlNumber || second.RecID <= first.RecID || second.EventID == first.EventID {
		t.Errorf("numbers do not rise: %d, %d then %d, %d", first.ControlNumber, first.RecID, second.ControlNumber, second.RecID)
	}
	for _, e := range []sim.Event{first, second} {
		if e.RecID <= 1<<53 || int64(float64(e.RecID)) == e.RecID {
			t.Errorf("RecID %d survives a float64", e.RecID)
		}
	}
	three := 3
	counted, _ := s.Export(sim.ExportSpec{Entity: "x", Data: []byte("a,b\r\n1\r\n"), NoOfRecords: &three})
	if counted.NoOfRecords != 3 {
		t.Errorf("scripted count: %d", counted.NoOfRecords)
	}
	table := s.SampleEntity("Vendor groups", 5)
	packed, zipped := s.Export(sim.ExportSpec{Entity: "Nightly", Members: []sim.Member{s.Member(sim.CSVUTF8, table), {Entity: "Gone", Ext: "csv", Rows: 9, Absent: true}}})
	if packed.NoOfRecords != 5 || !strings.HasSuffix(zipped.Name(), "}.zip") {
		t.Errorf("package: %d rows, %s", packed.NoOfRecords, zipped.Name())
	}
}

// TestSameSeedSameBytes: same seed and calls give the same everything; another
// seed does not.
func TestSameSeedSameBytes(t *testing.T) {
	run := func(seed uint64, disturb bool) string {
		s := sim.New(sim.Options{Seed: seed, Clock: sim.NewClock(morning)})
		var all strings.Builder
		for _, f := range sim.Formats() {
			if disturb { // calls of another kind change nothing
				s.TestEvent()
				s.SampleEntity("Customers V3", 3)
			}
			e, b := s.Export(sim.ExportSpec{Entity: "Customers V3", Format: f, Rows: 20})
			if !disturb {
				all.Write(s.Payload(e))
			}
			all.WriteString(b.Name() + b.ETag() + e.DownloadURL)
			all.Write(b.Bytes())
			all.Write(s.Package("p", s.Member(f, s.SampleEntity("Vendors V2", 3))))
		}
		return all.String()
	}
	if first, second := run(1, false), run(1, false); first != second {
		t.Error("the same seed gave other bytes")
	}
	first, second, other := run(1, true), run(1, true), run(2, true)
	if first != second || first == other {
		t.Error("a seed must decide the bytes")
	}
	plain, disturbed := sim.New(sim.Options{Seed: 1}), sim.New(sim.Options{Seed: 1})
	disturbed.TestEvent()
	_, a := plain.Export(sim.ExportSpec{Entity: "x"})
	_, b := disturbed.Export(sim.ExportSpec{Entity: "x"})
	if a.Name() != b.Name() || a.ETag() != b.ETag() {
		t.Errorf("an event more changed the blob: %s, %s", a.Name(), b.Name())
	}
}

func TestISOTime(t *testing.T) {
	s := sim.New(sim.Options{})
	body := s.Payload(sim.Event{Time: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)})
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got["EventTime"] != "/Date(-2208988800000)/" || got["EventTimeIso8601"] != "1900-01-01T00:00:00.0000000Z" {
		t.Errorf("null date: %v, %v", got["EventTime"], got["EventTimeIso8601"])
	}
}

func decodeOne(t *testing.T, body []byte) dmf.BusinessEvent {
	t.Helper()
	events, err := dmf.DecodeBusinessEvents(body, dmf.DefaultFieldNames())
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	return events[0]
}

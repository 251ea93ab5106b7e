package dmf

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const eventFiles = "../testdata/events"

const (
	sampleLink    = "https://contosodmf.blob.core.windows.net/dmf/Customer%20g.csv?sv=2021-12-02&se=2026-03-02T10%3A15%3A42Z&sp=r&sig=AA%3D%3D"
	sampleEventID = "4e1b7c20-93ad-4f6e-8b15-0c7d2a9e5f31"
)

// sample is what most files in testdata/events say, with the quirk of the file
// put on top.
func sample(quirk func(e *BusinessEvent)) []BusinessEvent {
	e := BusinessEvent{EventID: sampleEventID, EntityName: "Customer groups", DownloadURL: sampleLink}
	quirk(&e)
	return []BusinessEvent{e}
}

func at(iso string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, iso)
	if err != nil {
		panic(err)
	}
	return t
}

var published2019 = BusinessEvent{
	EventID:         "6070e2a4-a3d8-4074-b105-4f2666cca04c",
	RecID:           new(int64(68719523988)),
	NoOfRecords:     new(int64(7)),
	EventTime:       at("2019-06-18T06:33:29Z"),
	EntityName:      "Customer groups",
	LegalEntity:     "usmf",
	DownloadURL:     "https://d365fo07dd4ba16f.blob.core.windows.net/dmf/Customer%20g%7BD1A2E1DB24F548AB9A24F8EC65D05DC1%7D.json?sv=2014-02-14&sr=b&sig=KbEE0xpf0Rm2rgfUuhN4R6R%2Fv88fSeImq%2BAFTpqjNO4%3D&st=2019-06-18T06%3A28%3A29Z&se=2019-06-18T07%3A33%3A29Z&sp=r",
	OperationType:   "Export",
	ProjectCategory: "Integration",
}

var baseFields = BusinessEvent{
	BusinessEventID: "DMFDataExportBusinessEvent",
	EventID:         sampleEventID,
	ControlNumber:   new(int64(5637210077)),
	EventTime:       at("2026-03-02T09:15:42.7182818Z"),
	EntityName:      "Customer groups",
	LegalEntity:     "USMF",
	DownloadURL:     "https://contosodmf.blob.core.windows.net/dmf/%7B0B8D1F6E-2F0D-4A57-8E7D-6D3C1A2B4C5D%7D?sv=2021-12-02&st=2026-03-02T09%3A10%3A42Z&se=2026-03-02T10%3A15%3A42Z&sr=b&sp=r&sig=ZmFrZVNpZ25hdHVyZUZvckNvbnRvc28lM0Q%3D",
	ExecutionID:     "Contoso nightly customers-2026-03-02T09:15:42-6B0E93D5A1C24F7880D4F2E9157ACB36",
	DefinitionGroup: "Contoso nightly customers",
}

func TestDecodeBusinessEvents(t *testing.T) {
	one := sample(func(e *BusinessEvent) { e.RecID = new(int64(1)) })
	timed := func(iso string) []BusinessEvent {
		return sample(func(e *BusinessEvent) { e.EventTime = at(iso) })
	}
	cases := map[string][]BusinessEvent{
		"published-2019": {published2019},
		"base-fields":    {baseFields},
		"endpoint-test": {{
			BusinessEventID: "BusinessEventsTestEndpointContract",
			EventID:         "d2f6a8b1-70c4-4e39-9a5d-13b8e4f7c602",
			ControlNumber:   new(int64(math.MinInt64)),
			EventTime:       at("2026-03-02T09:15:42Z"),
			LegalEntity:     "USMF",
		}},
		"import-status": {{
			BusinessEventID: "NAVAXDMFImportStatusBusinessEvent",
			EventID:         "0b8d1f6e-2f0d-4a57-8e7d-6d3c1a2b4c5d",
			RecID:           new(int64(68719523990)),
			EventTime:       at("2026-03-02T09:15:42Z"),
			EntityName:      "Customer groups",
			LegalEntity:     "usmf",
			OperationType:   "Import",
		}},
		"no-file": sample(func(e *BusinessEvent) {
			e.DownloadURL, e.OperationType, e.NoOfRecords = "", "Export", new(int64(0))
		}),
		"array": append(one[:1:1], sample(func(e *BusinessEvent) {
			e.RecID, e.EventID = new(int64(2)), "0b8d1f6e-2f0d-4a57-8e7d-6d3c1a2b4c5d"
		})...),
		"array-of-strings":           append(one[:1:1], sample(func(e *BusinessEvent) { e.RecID = new(int64(2)) })...),
		"string-holding-json":        one,
		"string-holding-array-twice": one,
		"utf8-bom":                   one,
		"utf16le-bom":                sample(func(e *BusinessEvent) { e.EntityName = "Kundengruppen für Österreich" }),
		"date-escaped":               timed("2026-03-02T09:15:42Z"),
		"date-offset":                timed("2026-03-02T09:15:42Z"),
		"date-negative":              timed("1969-12-31T00:00:00Z"),
		"date-null":                  sample(func(*BusinessEvent) {}),
		"date-iso-no-zone":           timed("2026-03-02T09:15:42.7182818Z"),
		"date-iso-offset":            timed("2026-03-02T09:15:42.5Z"),
		"date-milliseconds":          timed("2026-03-02T09:15:42.123Z"),
		"date-milliseconds-string":   timed("2026-03-02T09:15:42.123Z"),
		"date-iso-unreadable": sample(func(e *BusinessEvent) {
			e.EventTime = at("2026-03-02T09:15:42Z")
			e.Warnings = []string{"EventTimeIso8601 is not a time in a known form"}
		}),
		"keys-any-case": sample(func(e *BusinessEvent) {
			e.ControlNumber, e.EventTime = new(int64(7)), at("2026-03-02T09:15:42Z")
		}),
		"numbers-as-strings": sample(func(e *BusinessEvent) {
			e.ControlNumber, e.RecID = new(int64(9007199254740993)), new(int64(68719523988))
			e.NoOfRecords, e.MajorVersion = new(int64(12)), 2
		}),
		"numbers-full-int64": sample(func(e *BusinessEvent) {
			e.ControlNumber, e.RecID = new(int64(math.MaxInt64)), new(int64(math.MinInt64))
		}),
		"nulls": sample(func(*BusinessEvent) {}),
		"wrong-types": sample(func(e *BusinessEvent) {
			e.Warnings = []string{
				"ControlNumber is an object",
				"RecId is not an integer of 64 bits",
				"NoOfRecords is not an integer of 64 bits",
				"LegalEntity is a boolean",
				"ExecutionId is an array",
				"MajorVersion is too large for a version",
				"EventTime is an array",
			}
		}),
		"shop-fields": sample(func(e *BusinessEvent) {
			e.ExecutionID, e.DefinitionGroup = "Nightly-2026-03-02", "Nightly"
		}),
		"legal-entity-second-name": sample(func(e *BusinessEvent) { e.LegalEntity = "USMF" }),
		"legal-entity-number":      sample(func(e *BusinessEvent) { e.LegalEntity = "100" }),
		"key-twice": sample(func(e *BusinessEvent) {
			e.EntityName, e.EventID = "Second", "1"
		}),
		"link-escaped": sample(func(*BusinessEvent) {}),
		"latin1-bytes": sample(func(e *BusinessEvent) {
			e.EntityName, e.Warnings = "Gruppe f\uFFFDr", []string{warnReplaced}
		}),
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeBusinessEvents(readEvent(t, name), DefaultFieldNames())
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if !json.Valid(got[i].Raw) {
					t.Errorf("event %d: Raw is not JSON: %s", i, got[i].Raw)
				}
				got[i].Raw = nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %s\nwant %s", show(got), show(want))
			}
		})
	}
	every(t, func(name string) bool {
		_, ok := cases[name]
		return ok || strings.HasPrefix(name, "unreadable-")
	})
}

func TestDecodeBusinessEventsUnreadable(t *testing.T) {
	cases := map[string]string{
		"unreadable-empty":             "event body at byte 0: the body is empty",
		"unreadable-not-json":          "event body at byte 0: not JSON",
		"unreadable-number":            "event body at byte 0: a number, want an event",
		"unreadable-null":              "event body at byte 0: null, want an event",
		"unreadable-cut":               "event body at byte 200: JSON ends too early",
		"unreadable-trailing":          "event body at byte 225: more text after the event",
		"unreadable-array-empty":       "event body at byte 0: an array without events",
		"unreadable-array-with-number": "event body at byte 227: a number, want an event",
		"unreadable-array-in-array":    "event body at byte 1: an array, want an event",
		"unreadable-link-object":       "event body at byte 16: DownloadURL is not a string, so the link cannot be read",
		"unreadable-unknown-object":    "event body at byte 0: an object with none of the fields that make a business event",
		"unreadable-event-grid":        "event body at byte 1: an object with none of the fields that make a business event",
		"unreadable-string-text":       "event body at byte 0: not JSON",
		"unreadable-deep":              "event body at byte 118: nested too deeply",
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			events, err := DecodeBusinessEvents(readEvent(t, name), DefaultFieldNames())
			if events != nil {
				t.Errorf("got events beside the error: %s", show(events))
			}
			if _, ok := errors.AsType[*EventError](err); !ok || err.Error() != want {
				t.Errorf("got  %v (%T)\nwant %s", err, err, want)
			}
		})
	}
	every(t, func(name string) bool {
		_, ok := cases[name]
		return ok || !strings.HasPrefix(name, "unreadable-")
	})
}

func TestDecodeBusinessEventsSyntax(t *testing.T) {
	for _, body := range []string{
		`{"EventId":"1",}`, `{"EventId" "1"}`, `{EventId:1}`, `{"EventId":01}`, `{"EventId":1.}`, `{"EventId":1e}`,
		`{"EventId":-}`, `{"EventId":nul}`, `{"EventId":"\x"}`, "{\"EventId\":\"a\nb\"}", `{"EventId":"1"`, `{"EventId":"\"}`,
		`[{"EventId":"1"},]`, `{"EventId":+1}`, `{"EventId":"\u12"}`, `{"EventId":"1"}x`, "\x00", `{"a":tru`,
	} {
		if json.Valid([]byte(body)) {
			t.Fatalf("%s: the case is wrong, this is JSON", body)
		}
		if events, err := DecodeBusinessEvents([]byte(body), DefaultFieldNames()); err == nil {
			t.Errorf("%s: got %s, want an error", body, show(events))
		}
	}
}

func TestFieldNames(t *testing.T) {
	names := DefaultFieldNames().Merge(FieldNames{
		DownloadURL: []string{"FileLink", "DownloadURL"},
		ExecutionID: []string{"IntegrationActivityId"},
	})
	body := `{"DownloadURL":"https://b/", "filelink":"https://a/", "IntegrationActivityId":"run 1", "ExecutionId":"no", "EventId":"1"}`
	events, err := DecodeBusinessEvents([]byte(body), names)
	if err != nil {
		t.Fatal(err)
	}
	if e := events[0]; e.DownloadURL != "https://a/" || e.ExecutionID != "run 1" {
		t.Errorf("got link %q, execution %q; want the first of each list", e.DownloadURL, e.ExecutionID)
	}
	if got := string(events[0].Raw); got != body {
		t.Errorf("Raw is %s, want the object as it came", got)
	}
}

func TestDecodeBusinessEventsKeepsNoBody(t *testing.T) {
	body := readEvent(t, "published-2019")
	events, err := DecodeBusinessEvents(body, DefaultFieldNames())
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	events[0].Raw = nil
	if !reflect.DeepEqual(events[0], published2019) {
		t.Errorf("the event changed with the body: %s", show(events))
	}
}

func TestKind(t *testing.T) {
	cases := map[string]Kind{
		"published-2019": KindExport,
		"base-fields":    KindExport,
		"endpoint-test":  KindEndpointTest,
		"import-status":  KindImportStatus,
		"no-file":        KindNoLink,
	}
	for name, want := range cases {
		events, err := DecodeBusinessEvents(readEvent(t, name), DefaultFieldNames())
		if err != nil {
			t.Fatal(err)
		}
		if got := events[0].Kind(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// Without a link, an entity or a number of rows is what tells an export whose
// link stands elsewhere from an event of another class.
func TestKindWithoutLink(t *testing.T) {
	for body, want := range map[string]Kind{
		`{"EventId":"1","EntityName":"x"}`:                                                         KindNoLink,
		`{"EventId":"1","NoOfRecords":3,"Uri":"https://a/"}`:                                       KindNoLink,
		`{"EventId":"1","NoOfRecords":"0"}`:                                                        KindNoLink,
		`{"EventId":"1","NoOfRecords":"many"}`:                                                     KindOther,
		`{"EventId":"1","BusinessEventId":"SalesOrderConfirmed"}`:                                  KindOther,
		`{"BusinessEventId":"BusinessEventsTestEndpointContract","EntityName":"x"}`:                KindEndpointTest,
		`{"BusinessEventId":"MyImport","OperationType":"Import","EntityName":"x","NoOfRecords":1}`: KindImportStatus,
	} {
		events, err := DecodeBusinessEvents([]byte(body), DefaultFieldNames())
		if err != nil || events[0].Kind() != want {
			t.Errorf("%s: %v, %v; want %s", body, events, err, want)
		}
	}
}

// A field may stand inside objects of the event.
func TestFieldsByPath(t *testing.T) {
	names := DefaultFieldNames().Merge(FieldNames{
		DownloadURL: []string{"DownloadURL", "File.Url", "data.DownloadURL", "dotted.key"},
		EntityName:  []string{"data.EntityName", "EntityName"},
	})
	for body, want := range map[string]string{
		`{"EventId":"1","File":{"Url":"https://a/"}}`:                                  "https://a/ ",
		`{"EventId":"1","FILE":{"size":{"Url":"https://no/"},"url":"https://a/"}}`:     "https://a/ ",
		`{"EventId":"1","DownloadURL":"https://b/","File":{"Url":"https://a/"}}`:       "https://b/ ",
		`{"EventId":"1","DownloadURL":"","File":{"Url":"https://a/"}}`:                 "https://a/ ",
		`[{"id":"1","data":{"DownloadURL":"https://a/","EntityName":"Units"}}]`:        "https://a/ Units",
		`{"EventId":"1","dotted.key":"https://a/"}`:                                    "https://a/ ",
		`{"EventId":"1","File":"https://no/"}`:                                         " ",
		`{"EventId":"1","File":[{"Url":"https://no/"}],"data":{"EntityName":"Units"}}`: " Units",
	} {
		events, err := DecodeBusinessEvents([]byte(body), names)
		if err != nil || len(events) != 1 || events[0].DownloadURL+" "+events[0].EntityName != want {
			t.Errorf("%s: %v, %v; want %q", body, events, err, want)
		}
	}
	const bad = `{"EventId":"1", "File":{"Url":{"no":"string"}}}`
	_, err := DecodeBusinessEvents([]byte(bad), names)
	if e := new(EventError); !errors.As(err, &e) || e.Offset != int64(strings.Index(bad, `{"no"`)) {
		t.Errorf("a link that is no string: %v", err)
	}
}

func readEvent(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(eventFiles, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// every fails for a file of testdata/events that no case reads.
func every(t *testing.T, known func(name string) bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(eventFiles, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", eventFiles, err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); !known(name) {
			t.Errorf("%s has no case", file)
		}
	}
}

func show(events []BusinessEvent) string {
	text, err := json.Marshal(events)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"
)

// Names of the business events.
//
// Source: munib00/MSDYN365FO-EventBasedIntegration, the X++ classes of the
// export event and its import twin. Observed: the endpoint test's name, in
// receivers of HTTPS endpoints.
const (
	ExportEventID       = "NAVAXDMFExportBusinessEvent"
	ImportStatusEventID = "NAVAXDMFImportStatusBusinessEvent"
	TestEventID         = "BusinessEventsTestEndpointContract"
)

// EventStyle is how a generation of the platform writes events.
type EventStyle string

// The styles.
const (
	Style2020    EventStyle = "2020"    // base fields, ISO time, ControlNumber, EventId bare
	Style2019    EventStyle = "2019"    // EventId in braces, /Date(ms)/, no base fields
	StyleEscaped EventStyle = "escaped" // Style2020 with every slash escaped: "\/Date(ms)\/"
)

// Event is one business event of an export. Payload writes what stands here;
// nothing is made up for an empty field except the names of the event.
type Event struct {
	BusinessEventID string // "" = ExportEventID
	EventID         string // GUID without braces, upper case
	EntityName      string
	LegalEntity     string // as the execution has it, lower case
	DownloadURL     string // a link: a credential
	NoOfRecords     int
	ControlNumber   int64
	RecID           int64
	Time            time.Time
	Style           EventStyle // "" = Style2020
	ExecutionID     string     // shops add it; "" = not sent
	DefinitionGroup string     // shops add it; "" = not sent

	Extra map[string]any // further fields, or other values for those above
	Omit  []string       // fields left out, by their name on the wire
}

// Payload returns the event's body as FinOps sends it: one flat object, keys in
// alphabetical order, no white space.
func (s *Sim) Payload(e Event) []byte {
	fields := e.exportFields()
	if e.Style != Style2019 {
		maps.Copy(fields, e.baseFields(s))
	}
	return e.encode(fields)
}

// TestEvent returns the body FinOps posts when an endpoint is registered and
// when an event is activated for it. Each is a new event.
func (s *Sim) TestEvent() []byte {
	e := Event{
		BusinessEventID: TestEventID,
		EventID:         s.ids.guid("event"),
		LegalEntity:     "usmf",
		ControlNumber:   math.MinInt64, // Observed: a receiver's fixture holds this one
		Time:            s.clock.Now(),
	}
	fields := e.baseFields(s)
	fields["InitiatingUserAADObjectId"] = "{00000000-0000-0000-0000-000000000000}"
	return e.encode(fields)
}

// ImportStatusEvent returns the body of the export event's twin, which reports
// an import and has no link. Empty identities of e are filled in.
//
// Assumed: its fields are those of the export event without the link; the
// published class was read, a payload was not.
func (s *Sim) ImportStatusEvent(e Event) []byte {
	e = s.identify(e)
	e.BusinessEventID = orElse(e.BusinessEventID, ImportStatusEventID)
	fields := e.exportFields()
	delete(fields, "DownloadURL")
	fields["OperationType"] = "Import"
	if e.Style != Style2019 {
		maps.Copy(fields, e.baseFields(s))
	}
	return e.encode(fields)
}

// firstControlNumber and firstRecID are where a young environment's numbers
// begin. Record ids are odd and above 2^53: one that takes a detour through a
// float64 comes out changed.
const (
	firstControlNumber = 5637144576
	firstRecID         = 1<<53 + 4001
)

// identify fills in what FinOps allots to a new event.
func (s *Sim) identify(e Event) Event {
	if e.EventID == "" {
		e.EventID = s.ids.guid("event")
	}
	if e.ControlNumber == 0 {
		e.ControlNumber = s.ids.rising("control number", firstControlNumber)
	}
	if e.RecID == 0 {
		e.RecID = s.ids.rising("record id", firstRecID)
	}
	if e.Time.IsZero() {
		e.Time = s.clock.Now()
	}
	return e
}

// exportFields are the fields of the published class.
func (e Event) exportFields() map[string]any {
	id := e.EventID
	if e.Style == Style2019 {
		id = "{" + id + "}"
	}
	fields := map[string]any{
		"DownloadURL":     e.DownloadURL,
		"EntityName":      e.EntityName,
		"EventId":         id,
		"EventTime":       jsonDate(e.Time),
		"LegalEntity":     e.LegalEntity,
		"MajorVersion":    0,
		"MinorVersion":    0,
		"NoOfRecords":     e.NoOfRecords,
		"OperationType":   "Export",
		"ProjectCategory": "Integration",
		"RecId":           e.RecID,
	}
	if e.ExecutionID != "" {
		fields["ExecutionId"] = e.ExecutionID
	}
	if e.DefinitionGroup != "" {
		fields["DefinitionGroup"] = e.DefinitionGroup
	}
	return fields
}

// baseFields are those that later platforms put into every event.
func (e Event) baseFields(s *Sim) map[string]any {
	user := derive(s.opt.Seed, "user")
	return map[string]any{
		"BusinessEventId":             orElse(e.BusinessEventID, ExportEventID),
		"BusinessEventLegalEntity":    strings.ToUpper(e.LegalEntity),
		"ContextRecordSubject":        "",
		"ControlNumber":               e.ControlNumber,
		"EventId":                     e.EventID,
		"EventTime":                   jsonDate(e.Time),
		"EventTimeIso8601":            e.Time.UTC().Format("2006-01-02T15:04:05.0000000Z"),
		"InitiatingUserAADObjectId":   fmt.Sprintf("{%X-%X-%X-%X-%X}", user[:4], user[4:6], user[6:8], user[8:10], user[10:16]),
		"MajorVersion":                0,
		"MinorVersion":                0,
		"ParentContextRecordSubjects": []string{},
	}
}

// jsonDate is .NET's old JSON date: milliseconds, of whole seconds.
// Observed: all published samples end in 000.
func jsonDate(t time.Time) string { return fmt.Sprintf("/Date(%d)/", t.Unix()*1000) }

// encode writes the fields after Extra and Omit; encoding/json sorts the keys.
func (e Event) encode(fields map[string]any) []byte {
	maps.Copy(fields, e.Extra)
	for _, k := range e.Omit {
		delete(fields, k)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fields); err != nil {
		panic("sim: encode event: " + err.Error()) // an Extra that JSON cannot hold: the test's mistake
	}
	body := bytes.TrimRight(b.Bytes(), "\n")
	if e.Style == StyleEscaped {
		// .NET's DataContractJsonSerializer escapes every slash, not dates alone.
		body = bytes.ReplaceAll(body, []byte("/"), []byte(`\/`))
	}
	return body
}

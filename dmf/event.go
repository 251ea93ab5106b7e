package dmf

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// BusinessEvent is one notification of FinOps. Every field may be missing:
// the base fields came with later platforms, the others belong to a class that
// shops rename and extend. A field that is missing, null or "" is the zero
// value here; a field whose value could not be understood is too, and then
// Warnings says so.
type BusinessEvent struct {
	// BusinessEventID is the X++ class name. It does not tell an export event
	// from another; see Kind.
	BusinessEventID string
	EventID         string // folded as by Fold
	ControlNumber   *int64 // rises with gaps; math.MinInt64 in the endpoint test
	RecID           *int64 // row of the exported file's record
	// NoOfRecords is the row count of the execution, read when the file row was
	// written. It may be early; compare and warn, do not trust.
	NoOfRecords *int64
	// EventTime is UTC, zero when absent or FinOps' null date (1900-01-01). The
	// ISO field with its fraction of a second is preferred over the other.
	EventTime  time.Time
	EntityName string // label, in the language of the environment
	// LegalEntity is as sent. It is the field LegalEntity (company of the
	// execution), else BusinessEventLegalEntity (company of the session).
	LegalEntity LegalEntity
	// DownloadURL is a SAS link, so a secret: it never goes into a log line.
	DownloadURL     string
	OperationType   string // "Export"
	ProjectCategory string // "Integration"
	ExecutionID     ExecutionID
	DefinitionGroup DefinitionGroup
	MajorVersion    int
	MinorVersion    int
	// Raw is the object as it came, after unwrapping, so that no field is
	// lost. It holds the link.
	Raw json.RawMessage
	// Warnings says which fields could not be understood and count as absent.
	// Values are not quoted, because they may be secret. Nil in a clean event.
	Warnings []string
}

// Kind says what an event reports.
type Kind string

// Kinds of business events. Only an export is worth a download. One without a
// link needs a person; the others are stored, answered 2xx and left alone.
const (
	KindExport       Kind = "export"        // carries a link to an exported file
	KindNoLink       Kind = "no-link"       // speaks of an exported file, and has no link where FieldNames says
	KindEndpointTest Kind = "endpoint-test" // sent when an endpoint is registered
	KindImportStatus Kind = "import-status" // reports an import
	KindOther        Kind = "other"         // anything else: another class's event
)

// Source: export-event classes of munib00/MSDYN365FO-EventBasedIntegration for
// the import twin. Observed: the test contract's name in receivers of HTTPS
// endpoints, who answer it 2xx and do nothing.
const (
	endpointTestID = "BusinessEventsTestEndpointContract"
	importStatusID = "NAVAXDMFImportStatusBusinessEvent"
)

// Kind tells what the event reports. An event is an export when it carries a
// link, whatever its id: shops rename the class. They rename its fields too, so
// one with an entity or a number of rows and no link is not left alone.
func (e BusinessEvent) Kind() Kind {
	switch {
	case e.DownloadURL != "":
		return KindExport
	case strings.EqualFold(e.BusinessEventID, endpointTestID):
		return KindEndpointTest
	case strings.EqualFold(e.BusinessEventID, importStatusID), strings.EqualFold(e.OperationType, "Import"):
		return KindImportStatus
	case e.EntityName != "", e.NoOfRecords != nil:
		return KindNoLink
	}
	return KindOther
}

// EventError is a body in which no event can be read.
type EventError struct {
	// Offset is the byte, from 0, where reading stopped. It counts in the JSON
	// text after a byte order mark is removed, and in a JSON string that holds
	// JSON, within the text held.
	Offset int64
	Err    error // what is wrong, in words; never quotes the body
}

// Error gives "event body at byte OFFSET: what is wrong".
func (e *EventError) Error() string {
	return fmt.Sprintf("event body at byte %d: %v", e.Offset, e.Err)
}

func (e *EventError) Unwrap() error { return e.Err }

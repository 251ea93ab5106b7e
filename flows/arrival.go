package flows

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"finrelay/dmf"
	"finrelay/exporter/fetch"
	"finrelay/state"
)

// Arrival is one event as a door received it: read, or not readable.
type Arrival struct {
	Environment string
	Door        string
	Body        []byte             // this event's JSON, or the whole body when it cannot be read
	Event       *dmf.BusinessEvent // nil when it cannot be read
	Problem     error              // why not
}

// ReadBody turns a body into arrivals: one for each event in it, or a single
// unreadable one. It never fails, because a body that is refused is a body
// that is lost: FinOps gives up after three tries. For the same reason one bad
// element of an array does not take its neighbours' links with it.
func ReadBody(environment, door string, body []byte, names dmf.FieldNames) []Arrival {
	events, err := dmf.DecodeBusinessEvents(body, names)
	if err != nil || len(events) == 0 {
		if apart := readApart(environment, door, body, names); apart != nil {
			return apart
		}
		return []Arrival{{Environment: environment, Door: door, Body: body, Problem: err}}
	}
	arrivals := make([]Arrival, len(events))
	for i := range events {
		arrivals[i] = Arrival{Environment: environment, Door: door, Body: events[i].Raw, Event: &events[i]}
	}
	return arrivals
}

// readApart reads the elements of an array one by one; nil when the body is no
// array or holds nothing that can be read.
func readApart(environment, door string, body []byte, names dmf.FieldNames) []Arrival {
	var elements []json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")), &elements) != nil || len(elements) < 2 {
		return nil
	}
	var arrivals []Arrival
	readable := false
	for _, element := range elements {
		events, err := dmf.DecodeBusinessEvents(element, names)
		if err != nil || len(events) == 0 {
			arrivals = append(arrivals, Arrival{Environment: environment, Door: door, Body: element, Problem: err})
			continue
		}
		readable = true
		for i := range events {
			arrivals = append(arrivals, Arrival{Environment: environment, Door: door, Body: events[i].Raw, Event: &events[i]})
		}
	}
	if !readable {
		return nil
	}
	return arrivals
}

// Identity is what makes two arrivals the same event, within an environment
// and its epoch:
//
//   - BusinessEventId and EventId, when there is an EventId;
//   - else RecId or ControlNumber;
//   - else the hash of the body;
//   - and when no link was found in it, that hash alone: the event that comes
//     again with its link found must not be taken for it.
//
// The blob's path is part of the first two: two different files are never
// duplicates, whatever else is equal. Content plays no part, since incremental
// exports repeat content legitimately.
func (a Arrival) Identity() string {
	if a.Event == nil {
		return "body:" + hash(a.Body)
	}
	e := a.Event
	if e.Kind() == dmf.KindNoLink {
		return "no-link:" + hash(a.Body)
	}
	blob := blobIdentity(e.DownloadURL)
	switch {
	case e.EventID != "":
		return "event:" + strings.ToLower(e.BusinessEventID) + ":" + dmf.Fold(e.EventID) + ":" + blob
	case e.RecID != nil && blob != "":
		return "rec:" + strconv.FormatInt(*e.RecID, 10) + ":" + blob
	case e.ControlNumber != nil && blob != "":
		return "control:" + strconv.FormatInt(*e.ControlNumber, 10) + ":" + blob
	}
	return "body:" + hash(a.Body)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// blobIdentity is the link's host and path, so that the same file with a fresh
// signature is the same. A link that cannot be parsed stands for itself, its
// query cut off.
func blobIdentity(link string) string {
	if link == "" {
		return ""
	}
	if info, err := fetch.ParseLink(link); err == nil && info.BlobPath != "" {
		return info.BlobPath
	}
	path, _, _ := strings.Cut(link, "?")
	return path
}

// ledgerEntry is the arrival as the ledger takes it.
func (a Arrival) ledgerEntry() state.Arrival {
	s := state.Arrival{
		Environment: a.Environment,
		Door:        a.Door,
		Identity:    unsigned(a.Identity()),
		Body:        withoutSignatures(a.Body),
	}
	if a.Event == nil {
		s.State, s.Reason, s.Unread = state.Unreadable, state.ReasonUnreadable, a.Body
		return s
	}
	e := a.Event
	s.BusinessEventID, s.FinOpsEventID = unsigned(e.BusinessEventID), unsigned(e.EventID)
	s.Entity, s.LegalEntity = unsigned(e.EntityName), unsigned(string(e.LegalEntity))
	s.ControlNumber, s.RecID, s.EventAt = e.ControlNumber, e.RecID, e.EventTime
	s.State, s.Reason = kindState(e.Kind())
	if s.State == state.Unreadable {
		s.Unread = a.Body // its signature is somewhere in it
	}
	if s.State != state.Accepted {
		return s
	}
	link := e.DownloadURL
	s.Shipment = &state.NewShipment{
		ExecutionID:     unsigned(string(e.ExecutionID)),
		DefinitionGroup: unsigned(string(e.DefinitionGroup)),
		ExpectedRows:    e.NoOfRecords,
		Link:            link,
		LinkPath:        linkPath(link),
		Deadline:        deadline(e),
	}
	return s
}

func kindState(k dmf.Kind) (state.State, state.Reason) {
	switch k {
	case dmf.KindExport:
		return state.Accepted, ""
	case dmf.KindNoLink:
		return state.Unreadable, state.ReasonNoLinkFound
	case dmf.KindEndpointTest:
		return state.Ignored, state.ReasonEndpointTest
	case dmf.KindImportStatus:
		return state.Ignored, state.ReasonImportStatus
	}
	return state.Ignored, state.ReasonNoLink
}

// linkPath is the link as it may be shown: host and path, no query.
//
// A link that is no proper one, percent-encoded as a whole or with its query
// behind "&", is shown as far as it holds no signature.
func linkPath(link string) string {
	if u, err := url.Parse(link); err == nil && u.Host != "" {
		return unsigned(strings.ToLower(u.Host) + u.EscapedPath())
	}
	path, _, _ := strings.Cut(link, "?")
	return unsigned(path)
}

// unsigned is withoutSignatures for a text of an event: somebody may have put a
// link where a name belongs.
func unsigned(s string) string { return string(withoutSignatures([]byte(s))) }

// deadline is when the link dies: what it says itself, else an hour after the
// event; zero leaves the ledger to count from the arrival.
func deadline(e *dmf.BusinessEvent) time.Time {
	if info, err := fetch.ParseLink(e.DownloadURL); err == nil && !info.Expiry.IsZero() {
		return info.Expiry
	}
	if !e.EventTime.IsZero() {
		return e.EventTime.Add(state.DefaultLinkLife)
	}
	return time.Time{}
}

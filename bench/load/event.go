package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Events makes bodies in the shape that FinOps publishes, without end. Each has
// an EventId, a RecId and a blob of its own.
//
// Source: munib00/MSDYN365FO-EventBasedIntegration, README, the payload of 2019:
// these fields in this order, EventId in braces.
type Events struct {
	// Link gives the link of the event with this number, query and all.
	Link func(n int64) string

	Entity string // label; "" = "Customer groups"
	Rows   int64  // announced
	At     time.Time
}

// Append appends the body of event n to b.
func (e Events) Append(b []byte, n int64) []byte {
	entity := e.Entity
	if entity == "" {
		entity = "Customer groups"
	}
	b = append(b, `{"DownloadURL":"`...)
	b = append(b, e.Link(n)...)
	b = append(b, `","EntityName":"`...)
	b = append(b, entity...)
	b = append(b, `","EventId":"{6070E2A4-A3D8-4074-B105-`...)
	b = appendHex(b, n)
	b = append(b, `}","EventTime":"/Date(`...)
	b = strconv.AppendInt(b, e.At.UnixMilli(), 10)
	b = append(b, `)/","LegalEntity":"usmf","MajorVersion":0,"MinorVersion":0,"NoOfRecords":`...)
	b = strconv.AppendInt(b, e.Rows, 10)
	b = append(b, `,"OperationType":"Export","ProjectCategory":"Integration","RecId":`...)
	b = strconv.AppendInt(b, 68719523988+n, 10)
	return append(b, '}')
}

// hexDigits is how many digits of an EventId carry the number of the event.
const hexDigits = 12

func appendHex(b []byte, n int64) []byte {
	const hex = "0123456789ABCDEF"
	for shift := 4 * (hexDigits - 1); shift >= 0; shift -= 4 {
		b = append(b, hex[n>>shift&15])
	}
	return b
}

// Number gives the number of the event with this EventId, in whatever case and
// with or without braces.
func Number(eventID string) (int64, error) {
	for len(eventID) > 0 && eventID[len(eventID)-1] == '}' {
		eventID = eventID[:len(eventID)-1]
	}
	if len(eventID) < hexDigits {
		return 0, fmt.Errorf("EventId %q is too short to be ours", eventID)
	}
	return strconv.ParseInt(eventID[len(eventID)-hexDigits:], 16, 64)
}

// SignedLinks makes links to a blob server on loopback as FinOps makes them:
// the entity's label cut short, a GUID, and a query with a signature that dies
// in an hour. ext is the blob's extension with its dot.
func SignedLinks(base, ext string, now time.Time) func(n int64) string {
	// Escaped after formatting: in a layout the 3 of %3A would be an hour.
	stamp := func(t time.Time) string {
		return strings.ReplaceAll(t.UTC().Format("2006-01-02T15:04:05Z"), ":", "%3A")
	}
	query := "?sv=2014-02-14&sr=b&sig=KbEE0xpf0Rm2rgfUuhN4R6R%2Fv88fSeImq%2BAFTpqjNO4%3D&st=" +
		stamp(now.Add(-5*time.Minute)) + "&se=" + stamp(now.Add(time.Hour)) + "&sp=r"
	return func(n int64) string {
		b := make([]byte, 0, 300)
		b = append(b, base...)
		b = append(b, "/dmf/Customer%20g%7BD1A2E1DB24F548AB9A24"...)
		b = appendHex(b, n)
		b = append(b, "%7D"...)
		b = append(b, ext...)
		return string(append(b, query...))
	}
}

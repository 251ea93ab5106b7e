package dmf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Message is what a dequeue hands over: one run's file, or the news that there
// is none. It hides in the queue for 30 minutes and then comes again with
// another PopReceipt, until it is acked.
//
// Source: Microsoft Learn, "Recurring integrations", visibility timeout.
type Message struct {
	// CorrelationID names the message, canonical like an ActivityID. It is the
	// same in every redelivery.
	CorrelationID string
	// PopReceipt is opaque and changes with each delivery.
	PopReceipt string
	// DownloadLocation as FinOps wrote it, "" for null; OpenDownload corrects
	// it.
	DownloadLocation string
	// HasFile is false for a run without a file: nothing to export, or an
	// error that FileError tells. Such a message is acked all the same.
	HasFile bool
	// FileError is FinOps' reason for a missing file; may be empty.
	FileError string
	// LastDequeued is when the message was delivered before, in FinOps' own
	// format; "" the first time, or when FinOps does not say.
	LastDequeued string
	// Raw is the answer byte for byte, for Ack.
	Raw []byte
}

// parseMessage reads a dequeue's answer. It returns ErrEmpty for an answer
// without a body.
//
// Source: microsoft/Recurring-Integrations-Scheduler and
// d365collaborative/d365fo.integrations: the names of the fields, "DownLoad"
// with its odd capital; issue 71 of the former: DownloadLocation can be null.
// Assumed: letter case and the types of scalars may vary between versions, and
// the body may be a JSON string that holds the object.
func parseMessage(raw []byte) (Message, error) {
	body := bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")))
	var quoted string
	if json.Unmarshal(body, &quoted) == nil {
		body = bytes.TrimSpace([]byte(quoted))
	}
	if len(body) == 0 || string(body) == "null" {
		return Message{}, ErrEmpty
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		what := "not JSON"
		if title, ok := htmlTitle(body); ok {
			what = cleanText(title, 200)
		}
		return Message{}, fmt.Errorf("%w: %s", ErrUnreadable, what)
	}
	m := Message{
		CorrelationID:    Fold(fieldText(fields, "CorrelationId")),
		PopReceipt:       fieldText(fields, "PopReceipt"),
		DownloadLocation: strings.TrimSpace(fieldText(fields, "DownloadLocation")),
		FileError:        strings.TrimSpace(fieldText(fields, "FileDownLoadErrorMessage")),
		LastDequeued:     lastDequeued(fields),
		Raw:              raw,
	}
	if m.CorrelationID == "" {
		return m, fmt.Errorf("%w: no CorrelationId", ErrUnreadable)
	}
	// An error that names a correlation is no message: it cannot be acknowledged,
	// and says nothing about a file.
	if m.PopReceipt == "" && m.DownloadLocation == "" {
		return m, fmt.Errorf("%w: neither PopReceipt nor DownloadLocation", ErrUnreadable)
	}
	// Assumed: a missing flag means there is a file, as older versions had no
	// flag; only a plain false denies one that has a location.
	exists := strings.ToLower(fieldText(fields, "IsDownLoadFileExist"))
	m.HasFile = m.DownloadLocation != "" && exists != "false" && exists != "0"
	return m, nil
}

// fieldText gives a scalar field as text, "" for null, missing or not scalar.
func fieldText(fields map[string]json.RawMessage, name string) string {
	raw, ok := fields[name]
	if !ok {
		for key, value := range fields {
			if strings.EqualFold(key, name) {
				raw = value
				break
			}
		}
	}
	return scalarText(raw)
}

// scalarText gives a JSON string, number or boolean as text, else "".
func scalarText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	if len(raw) == 0 || strings.IndexByte("{[n", raw[0]) >= 0 {
		return ""
	}
	return string(raw)
}

// lastDequeued finds the time of the previous delivery.
//
// Source: Microsoft Learn, "Recurring integrations": a response says when the
// message was last dequeued, blank the first time. Assumed: the name of that
// field, which is not published, holds "dequeue"; a recorded answer would show
// it.
func lastDequeued(fields map[string]json.RawMessage) string {
	var names []string
	for name := range fields {
		if strings.Contains(strings.ToLower(name), "dequeue") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if text := strings.TrimSpace(scalarText(fields[name])); text != "" && text != "0" {
			return text
		}
	}
	return ""
}

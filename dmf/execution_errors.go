package dmf

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
)

// ExecutionError is one row or field that FinOps could not export.
type ExecutionError struct {
	RecordID string
	Field    string
	Message  string
}

// ExecutionErrors are what FinOps says about an execution.
type ExecutionErrors struct {
	Items []ExecutionError
	Raw   string // as FinOps wrote it
	Exact bool   // Raw was valid JSON; else Items were cut out of it and may be cut wrong
}

// ExecutionErrors reads the errors of an execution; none is no error. It works
// for executions of the package API, not for queue messages, which have no id
// to ask with.
//
// Source: Microsoft Learn, "Data management package REST API",
// GetExecutionErrors.
func (c *Client) ExecutionErrors(ctx context.Context, id ExecutionID) (ExecutionErrors, error) {
	value, err := c.ask(ctx, "GetExecutionErrors", id)
	if err != nil {
		return ExecutionErrors{}, err
	}
	return parseExecutionErrors(value), nil
}

// parseExecutionErrors reads a JSON array, or what was meant as one.
//
// Observed: scripts of a 10.0.48 sandbox: messages contain quotes and line
// breaks that are not escaped; of 3,506 records a JSON parser read none, and
// the text had to be split at the beginnings of the records.
func parseExecutionErrors(raw string) ExecutionErrors {
	e := ExecutionErrors{Raw: raw}
	text := strings.TrimSpace(raw)
	var records []map[string]json.RawMessage
	switch {
	case text == "":
		e.Exact = true
	case json.Unmarshal([]byte(text), &records) == nil:
		e.Exact = true
		for _, r := range records {
			e.Items = append(e.Items, ExecutionError{fieldText(r, "RecordId"), fieldText(r, "Field"), fieldText(r, "ErrorMessage")})
		}
	default:
		e.Items = splitRecords(text)
	}
	return e
}

var (
	recordBegin  = regexp.MustCompile(`(?i)\{\s*"RecordId"\s*:\s*`)
	fieldBegin   = regexp.MustCompile(`(?i),\s*"Field"\s*:\s*`)
	messageBegin = regexp.MustCompile(`(?i),\s*"ErrorMessage"\s*:\s*`)
	recordEnd    = regexp.MustCompile(`\s*\}?\s*,?\s*\]?\s*$`)
)

// splitRecords cuts invalid JSON where a record begins. Text before the first
// beginning, or without any, is one error of its own: nothing is dropped.
//
// Assumed: the order RecordId, Field, ErrorMessage, as documented.
func splitRecords(text string) []ExecutionError {
	var items []ExecutionError
	begins := recordBegin.FindAllStringIndex(text, -1)
	first := len(text)
	if len(begins) > 0 {
		first = begins[0][0]
	}
	if lead := strings.Trim(text[:first], "[ \t\r\n,"); lead != "" {
		items = append(items, ExecutionError{Message: lead})
	}
	for i, at := range begins {
		end := len(text)
		if i+1 < len(begins) {
			end = begins[i+1][0]
		}
		items = append(items, cutRecord(text[at[1]:end]))
	}
	return items
}

// cutRecord reads one record from behind `"RecordId":` on.
func cutRecord(text string) ExecutionError {
	text = recordEnd.ReplaceAllString(text, "")
	id, rest := cutAt(text, fieldBegin)
	field, message := cutAt(rest, messageBegin)
	if rest == "" {
		id, message = cutAt(text, messageBegin)
	}
	return ExecutionError{looseString(id), looseString(field), looseString(message)}
}

func cutAt(text string, sep *regexp.Regexp) (before, after string) {
	at := sep.FindStringIndex(text)
	if at == nil {
		return text, ""
	}
	return text[:at[0]], text[at[1]:]
}

var escapes = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\r\n`, "\n", `\n`, "\n", `\t`, "\t", `\/`, "/")

// looseString reads a JSON string whose inside may not be valid.
func looseString(text string) string {
	text = strings.TrimSpace(text)
	var exact string
	if json.Unmarshal([]byte(text), &exact) == nil {
		return exact
	}
	if text == "null" {
		return ""
	}
	return escapes.Replace(strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`))
}

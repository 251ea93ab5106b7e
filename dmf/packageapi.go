package dmf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Conditions of the package API that callers branch on; test with errors.Is.
var (
	// ErrNotStarted: FinOps answered the start of an export with success and
	// no execution.
	ErrNotStarted = errors.New("FinOps did not start the export: see the project's execution history in FinOps")
	// ErrExecutionNotFound: FinOps does not know the execution, or not yet: for
	// some seconds after a start that is the normal answer.
	ErrExecutionNotFound = errors.New("FinOps does not know this execution, or not yet")
)

// ExportRequest asks for one execution of a data project.
type ExportRequest struct {
	// DefinitionGroup is the data project; it must exist. One at a time:
	// parallel executions of a project fail with deadlocks and mapping errors.
	//
	// Source: Microsoft Learn, "Data management error descriptions", DMF1996
	// and DMF2025.
	DefinitionGroup DefinitionGroup
	// PackageName is the package's; the execution id when empty.
	PackageName string
	// ExecutionID of the caller's own making, stored before the call; empty
	// lets FinOps make one, which is lost with a lost answer.
	ExecutionID ExecutionID
	// ReExecute repeats the execution of ExecutionID.
	ReExecute bool
	// LegalEntity that is read. Shared entities give all companies' rows.
	LegalEntity LegalEntity
}

const emptyGUID = "00000000-0000-0000-0000-000000000000"

// ExportToPackage starts an export and returns its execution id, FinOps' own
// when it gives another than asked for. It is never sent twice by itself: when
// errors.Is(err, ErrMaybeDone), ask ExecutionStatus before starting again.
// ErrNotStarted comes when FinOps says success and means failure.
//
// Source: Microsoft Learn, "Data management package REST API". Observed:
// Microsoft's Logic App sample tests for the empty GUID after a 200.
// Assumed: an empty value after an id of ours means that one; its status tells.
func (c *Client) ExportToPackage(ctx context.Context, r ExportRequest) (ExecutionID, error) {
	const op = "ExportToPackage"
	if r.DefinitionGroup == "" {
		return "", fmt.Errorf("%s: no data project given", op)
	}
	if r.PackageName == "" {
		r.PackageName = string(r.ExecutionID)
	}
	value, err := c.action(ctx, request{op: op, changes: true, timeout: startTimeout}, map[string]any{
		"definitionGroupId": r.DefinitionGroup,
		"packageName":       r.PackageName,
		"executionId":       r.ExecutionID,
		"reExecute":         r.ReExecute,
		"legalEntityId":     r.LegalEntity,
	})
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(value)
	if id == "" {
		id = string(r.ExecutionID)
	}
	if id == "" || Fold(id) == emptyGUID {
		return "", fmt.Errorf("%s of project %s: %w", op, r.DefinitionGroup, ErrNotStarted)
	}
	return ExecutionID(id), nil
}

// ExecutionStatus tells how an execution stands. ErrExecutionNotFound comes, in
// an *APIError, when FinOps does not know it, or not yet.
func (c *Client) ExecutionStatus(ctx context.Context, id ExecutionID) (Status, error) {
	value, err := c.ask(ctx, "GetExecutionSummaryStatus", id)
	if err != nil {
		return "", err
	}
	// Observed: microsoft/Recurring-Integrations-Scheduler polls on at the
	// text "Bad request".
	if strings.EqualFold(strings.TrimSpace(value), "Bad request") {
		return "", &APIError{Op: "GetExecutionSummaryStatus", StatusCode: http.StatusOK, Message: "Bad request", Err: ErrExecutionNotFound}
	}
	return parseStatus(value), nil
}

// ExportedPackageURL gives the SAS link of an execution's package, "" while it
// is not ready, which it can be for a while after the status is final. Each
// call gives a fresh link; the package is kept for 7 days. The link is a
// secret: print it without its query.
//
// Source: Microsoft Learn, "Data management package REST API". Assumed: a
// second call signs the same blob anew.
func (c *Client) ExportedPackageURL(ctx context.Context, id ExecutionID) (string, error) {
	return c.askURL(ctx, "GetExportedPackageUrl", id)
}

// ExecutionSummaryPageURL gives the page of FinOps that shows an execution, for
// people; "" when there is none.
func (c *Client) ExecutionSummaryPageURL(ctx context.Context, id ExecutionID) (string, error) {
	return c.askURL(ctx, "GetExecutionSummaryPageUrl", id)
}

func (c *Client) askURL(ctx context.Context, op string, id ExecutionID) (string, error) {
	value, err := c.ask(ctx, op, id)
	if err != nil {
		return "", err
	}
	value = strings.TrimSpace(value)
	if value == "" {
		return "", nil
	}
	if u, err := url.Parse(value); err != nil || u.Host == "" {
		// The value may be half a link, so it is not shown.
		return "", &APIError{Op: op, StatusCode: http.StatusOK, Err: fmt.Errorf("%w: not a URL", ErrUnreadable)}
	}
	return value, nil
}

// MessageStatus tells how far a queue message is. messageID is
// Message.CorrelationID.
//
// Source: Microsoft Learn, "Recurring integrations", GetMessageStatus.
// Assumed: the message id of an export is its correlation id.
func (c *Client) MessageStatus(ctx context.Context, messageID string) (MessageState, error) {
	value, err := c.action(ctx, request{op: "GetMessageStatus", timeout: askTimeout}, map[string]any{"messageId": messageID})
	return parseMessageState(value), err
}

// ExecutionOfMessage gives the execution that wrote a queue message's file, ""
// when FinOps tells none: the message has not been worked on yet, or FinOps
// knows of no execution. messageID is Message.CorrelationID.
//
// Source: Microsoft Learn, "Recurring integrations" (2024),
// GetExecutionIdByMessageId: its parameter has an underscore, which that of
// GetMessageStatus on the same page has not. Observed: a connector for imports
// gets the empty GUID while the message waits for the batch. Assumed: it
// answers for messages of export jobs, whose message id is the correlation id;
// a refusal of every message, or only empty GUIDs, would show it wrong.
func (c *Client) ExecutionOfMessage(ctx context.Context, messageID string) (ExecutionID, error) {
	const op = "GetExecutionIdByMessageId"
	if messageID == "" {
		return "", fmt.Errorf("%s: no message id given", op)
	}
	value, err := c.action(ctx, request{op: op, timeout: askTimeout}, map[string]any{"_messageId": messageID})
	value = strings.TrimSpace(value)
	if err != nil || Fold(value) == emptyGUID {
		return "", err
	}
	return ExecutionID(value), nil
}

// ask calls an action that reads something of one execution.
func (c *Client) ask(ctx context.Context, op string, id ExecutionID) (string, error) {
	if id == "" {
		return "", fmt.Errorf("%s: no execution id given", op)
	}
	value, err := c.action(ctx, request{op: op, timeout: askTimeout}, map[string]any{"executionId": id})
	if refused, ok := errors.AsType[*APIError](err); ok && notFoundYet(refused) {
		refused.Err = ErrExecutionNotFound
	}
	return value, err
}

// notFoundYet recognizes the answer to a question asked too early.
//
// Observed: microsoft/Recurring-Integrations-Scheduler issues 48 and 71: 400
// (500 at times) with "Execution details were not found for execution id", or
// "... were not found", for some seconds after the start.
func notFoundYet(e *APIError) bool {
	if e.StatusCode != http.StatusBadRequest && e.StatusCode != http.StatusNotFound && e.StatusCode != http.StatusInternalServerError {
		return false
	}
	text := strings.ToLower(e.Message)
	return strings.Contains(text, "were not found") || strings.Contains(text, "execution details") && strings.Contains(text, "not found") ||
		e.StatusCode == http.StatusBadRequest && (text == "" || strings.TrimRight(text, ".") == "bad request")
}

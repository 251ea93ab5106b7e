package dmf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// ErrEmpty: nothing waits in the queue.
var ErrEmpty = errors.New("the queue is empty")

// Dequeue takes the oldest message that is not hidden. There is no way to look
// without taking: the message hides for 30 minutes from this moment. Take one,
// bring its file to safety, Ack it, then take the next; of many taken first,
// the receipts go stale (microsoft/Recurring-Integrations-Scheduler issue 124).
//
// It returns ErrEmpty when nothing waits; ErrUnreadable, in an *APIError, when
// the answer is no message; other errors as *APIError or *SignInError. It is
// never sent twice by itself.
func (c *Client) Dequeue(ctx context.Context, activity ActivityID) (Message, error) {
	const op = "dequeue"
	if c.onPremises {
		return Message{}, &APIError{Op: op, Err: ErrOnPremises}
	}
	a, err := c.call(ctx, request{
		op: op, method: http.MethodGet, url: c.endpoint(connectorPath(op, activity)), changes: true, timeout: queueTimeout,
	})
	if err != nil {
		return Message{}, err
	}
	// Source: Microsoft Learn, "Recurring integrations"; Observed: both known
	// clients loop until 204, and read 200 without a body the same way.
	if a.status == http.StatusNoContent {
		return Message{}, ErrEmpty
	}
	m, err := parseMessage(a.body)
	if errors.Is(err, ErrEmpty) {
		return Message{}, ErrEmpty
	}
	if err != nil {
		return Message{}, &APIError{Op: op, StatusCode: a.status, RequestID: requestID(a.header), Err: err}
	}
	return m, nil
}

// Ack tells FinOps that the message may be forgotten. raw is Message.Raw of the
// newest delivery, sent back byte for byte. Rows of an incremental export do
// not come again: Ack only when the file is durable.
//
// An error of which errors.Is(err, ErrMaybeDone) holds may have been an ack
// all the same; a message that then does not come again was. Acking twice does
// no harm, so any failed Ack may be repeated.
//
// Source: Microsoft Learn, "Recurring integrations": the body of the dequeue is
// sent back, 200 is success. Assumed: a stale receipt answers 500 or 400.
func (c *Client) Ack(ctx context.Context, activity ActivityID, raw []byte) error {
	const op = "ack"
	if c.onPremises {
		return &APIError{Op: op, Err: ErrOnPremises}
	}
	if len(raw) == 0 {
		return fmt.Errorf("ack of activity %s: no message body was kept", activity)
	}
	a, err := c.call(ctx, request{
		op: op, method: http.MethodPost, url: c.endpoint(connectorPath(op, activity)), body: raw, changes: true, timeout: queueTimeout,
	})
	if title, page := htmlTitle(a.body); err == nil && page {
		return c.unreadable(op, a, cleanText(title, 200)) // a proxy's, which says nothing about the ack
	}
	return err
}

package doors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"finrelay/dmf"
	"finrelay/flows"
)

// DefaultMaxBody is the largest event body that is taken, in bytes. Real ones
// have about one kilobyte; Event Grid's limit is 1 MB.
const DefaultMaxBody = 1 << 20

// retryAfter is told to a sender when the store cannot be written, in seconds.
// FinOps waits one second between its tries whatever we say.
const retryAfter = "1"

// acceptor is what a door needs of flows.Relay.
type acceptor interface {
	KnowsEnvironment(name string) bool
	Configured(name string) bool
	Refused(environment string, status int, why, remote string)
	FieldNames() dmf.FieldNames
	Accept(ctx context.Context, arrivals []flows.Arrival) ([]flows.Receipt, error)
}

// FinOps is the door for FinOps' own business events, HTTPS endpoint or Power
// Automate: POST /in/finops/{environment}.
type FinOps struct {
	Relay acceptor
	// Keys gives the keys of an environment. An environment without keys is
	// closed: nobody can prove to be allowed.
	Keys    func(environment string) Keys
	MaxBody int64 // bytes; 0 is DefaultMaxBody
	// Logger hears of what is not stored: one line a second at most for each
	// kind of refusal.
	Logger *slog.Logger

	refused refusals
}

// Pattern is where the door stands in a http.ServeMux.
const Pattern = "/in/finops/{environment}"

// Answer is the body of a 2xx.
type Answer struct {
	Events []AnswerEvent `json:"events"`
}

// AnswerEvent is what became of one event of the body.
type AnswerEvent struct {
	ID        string `json:"id"`               // our event id
	State     string `json:"state"`            // accepted, ignored or unreadable
	Reason    string `json:"reason,omitempty"` // of an ignored or unreadable event
	Shipment  string `json:"shipment,omitempty"`
	Duplicate bool   `json:"duplicate,omitempty"`
}

// ServeHTTP answers 202 when an event was new and 200 when all were known, in
// both cases only after the commit is on disk; 401 without a valid key, 404
// for an environment that is not configured, 405 for another method than POST,
// 413 for a body over the limit, 400 for a body cut short on the wire, 503
// with Retry-After when the store cannot be written.
func (d *FinOps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		d.refuse(w, r, http.StatusMethodNotAllowed, "events are sent with POST")
		return
	}
	environment := r.PathValue("environment")
	if !d.Keys(environment).admit(r) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="finrelay"`)
		d.refuse(w, r, http.StatusUnauthorized, "no valid key: send it as ?code=, x-functions-key or Authorization: Bearer")
		return
	}
	if !d.Relay.KnowsEnvironment(environment) {
		d.refuse(w, r, http.StatusNotFound, fmt.Sprintf("environment %q is not configured", plainName(environment)))
		return
	}
	body, ok := d.read(w, r)
	if !ok {
		return
	}
	arrivals := flows.ReadBody(environment, "finops", body, d.Relay.FieldNames())
	// The event is worth storing even if its sender has hung up by now: its
	// next try will be a duplicate.
	receipts, err := d.Relay.Accept(context.WithoutCancel(r.Context()), arrivals)
	if err != nil {
		d.Logger.Error("event not stored", "environment", environment, "error", err)
		d.Relay.Refused(environment, http.StatusServiceUnavailable, "not stored: "+err.Error(), r.RemoteAddr)
		w.Header().Set("Retry-After", retryAfter)
		replyError(w, http.StatusServiceUnavailable, "the event could not be stored, send it again")
		return
	}
	answer(w, receipts)
}

func (d *FinOps) read(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	limit := d.MaxBody
	if limit <= 0 {
		limit = DefaultMaxBody
	}
	limited := http.MaxBytesReader(w, r.Body, limit)
	var err error
	if r.ContentLength > 0 && r.ContentLength <= limit {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(limited, body)
	} else {
		body, err = io.ReadAll(limited)
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		d.refuse(w, r, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit))
		return nil, false
	}
	if err != nil {
		d.refuse(w, r, http.StatusBadRequest, "the body broke off: send the event again")
		return nil, false
	}
	return body, true
}

func answer(w http.ResponseWriter, receipts []flows.Receipt) {
	status := http.StatusOK
	a := Answer{Events: make([]AnswerEvent, len(receipts))}
	for i, r := range receipts {
		if !r.Duplicate {
			status = http.StatusAccepted
		}
		a.Events[i] = AnswerEvent{ID: r.EventID, State: string(r.State), Reason: string(r.Reason), Shipment: r.ShipmentID, Duplicate: r.Duplicate}
	}
	reply(w, status, a)
}

func (d *FinOps) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	environment := r.PathValue("environment")
	d.refused.log(d.Logger, r, d.Relay.Configured(environment), status, why)
	if status != http.StatusMethodNotAllowed { // a browser or a health check, and no event
		d.Relay.Refused(environment, status, why, r.RemoteAddr)
	}
	replyError(w, status, why)
}

func replyError(w http.ResponseWriter, status int, why string) {
	reply(w, status, struct {
		Error string `json:"error"`
	}{why})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The sender may be gone; the event is stored all the same.
	_ = json.NewEncoder(w).Encode(body)
}

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"finrelay/flows"
	"finrelay/state"
)

// Client speaks the control API. Its methods may be called concurrently.
type Client struct {
	http *http.Client
}

// Dial speaks to the server that listens on a socket.
func Dial(socket string) *Client {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}
	return &Client{http: &http.Client{Transport: t}}
}

// Local speaks to a handler in this process, for when no server runs.
func Local(h http.Handler) *Client {
	return &Client{http: &http.Client{Transport: handlerTransport{h}}}
}

type handlerTransport struct{ h http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	t.h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// RequestError is an answer of the API that is not 2xx.
type RequestError struct {
	Status  int
	Message string
	Reason  state.Reason // see Problem
}

func (e *RequestError) Error() string { return e.Message }

// LostError is a server that went away, or did not answer, while it was asked.
// Whether it did what was asked is not known.
type LostError struct{ Err error }

func (e *LostError) Error() string { return e.Err.Error() }

func (e *LostError) Unwrap() error { return e.Err }

// lost is err as the loss of the server, unless it was the caller who went.
func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return &LostError{Err: err}
}

func call[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (T, error) {
	var out T
	var payload io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		payload = bytes.NewReader(b)
	default:
		buf, err := json.Marshal(b)
		if err != nil {
			return out, err
		}
		payload = bytes.NewReader(buf)
	}
	u := url.URL{Scheme: "http", Host: "finrelay", Path: "/api/" + path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), payload)
	if err != nil {
		return out, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ue := new(url.Error); errors.As(err, &ue) {
			err = ue.Err // the URL is ours and says nothing
		}
		return out, lost(ctx, fmt.Errorf("ask the server: %w", err))
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		var p Problem
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Error == "" {
			p.Error = resp.Status
		}
		refused := &RequestError{Status: resp.StatusCode, Message: p.Error, Reason: p.Reason}
		if refused.Status == http.StatusServiceUnavailable { // it stops, in good order
			return out, &LostError{Err: refused}
		}
		return out, refused
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, lost(ctx, fmt.Errorf("read the server's answer: %w", err))
	}
	return out, nil
}

// FilterQuery gives a filter in the form that the API's lists read.
func FilterQuery(f state.Filter) url.Values {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	set("environment", f.Environment)
	set("entity", f.Entity)
	set("reason", string(f.Reason))
	set("shipment", f.ShipmentID)
	set("remark", string(f.Remark))
	if f.Unseen {
		set("unseen", "true")
	}
	states := make([]string, len(f.States))
	for i, s := range f.States {
		states[i] = string(s)
	}
	set("state", strings.Join(states, ","))
	if !f.Since.IsZero() {
		q.Set("since", f.Since.Format(time.RFC3339Nano))
	}
	if f.Limit != 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return q
}

// Events lists events, newest first.
func (c *Client) Events(ctx context.Context, f state.Filter) ([]EventView, error) {
	return call[[]EventView](ctx, c, "GET", "events", FilterQuery(f), nil)
}

// Event shows one event; the start of its id will do.
func (c *Client) Event(ctx context.Context, id string) (EventView, error) {
	return call[EventView](ctx, c, "GET", "events/"+id, nil, nil)
}

// Shipments lists shipments, newest first.
func (c *Client) Shipments(ctx context.Context, f state.Filter) ([]ShipmentView, error) {
	return call[[]ShipmentView](ctx, c, "GET", "shipments", FilterQuery(f), nil)
}

// Shipment shows one shipment with its exports and its story.
func (c *Client) Shipment(ctx context.Context, id string) (ShipmentView, error) {
	return call[ShipmentView](ctx, c, "GET", "shipments/"+id, nil, nil)
}

// Exports lists exports, newest first.
func (c *Client) Exports(ctx context.Context, f state.Filter) ([]ExportView, error) {
	return call[[]ExportView](ctx, c, "GET", "exports", FilterQuery(f), nil)
}

// Export shows one export with its deliveries and its story.
func (c *Client) Export(ctx context.Context, id string) (ExportView, error) {
	return call[ExportView](ctx, c, "GET", "exports/"+id, nil, nil)
}

// Checkpoints lists how far each line of data has come.
func (c *Client) Checkpoints(ctx context.Context, f state.Filter) ([]state.Checkpoint, error) {
	return call[[]state.Checkpoint](ctx, c, "GET", "checkpoints", FilterQuery(f), nil)
}

// Status answers an operator's first questions.
func (c *Client) Status(ctx context.Context, environment string) (StatusView, error) {
	return call[StatusView](ctx, c, "GET", "status", FilterQuery(state.Filter{Environment: environment}), nil)
}

// Hosts gives the link hosts seen, by environment.
func (c *Client) Hosts(ctx context.Context) (state.Hosts, error) {
	return call[state.Hosts](ctx, c, "GET", "hosts", nil, nil)
}

// Stats gives counts of the server's process.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	return call[Stats](ctx, c, "GET", "stats", nil, nil)
}

// Poll drains a flow's queue now, and says what came of it.
func (c *Client) Poll(ctx context.Context, q PollRequest) (flows.PollResult, error) {
	return call[flows.PollResult](ctx, c, "POST", "poll", nil, q)
}

// Queues lists the configured queues with what is remembered of them.
func (c *Client) Queues(ctx context.Context) ([]QueueView, error) {
	return call[[]QueueView](ctx, c, "GET", "queues", nil, nil)
}

// Inspect says what is understood of a body.
func (c *Client) Inspect(ctx context.Context, environment string, body []byte) ([]flows.Inspection, error) {
	return call[[]flows.Inspection](ctx, c, "POST", "inspect/"+environment, nil, body)
}

// Epoch says in which epoch an environment is, and what a reset would make
// forgotten.
func (c *Client) Epoch(ctx context.Context, name string) (Epoch, error) {
	return call[Epoch](ctx, c, "GET", "environments/"+url.PathEscape(name)+"/epoch", nil, nil)
}

// ResetEnvironment starts a new epoch after a database refresh.
func (c *Client) ResetEnvironment(ctx context.Context, name, by string) (Epoch, error) {
	return call[Epoch](ctx, c, "POST", "environments/"+name+"/reset", url.Values{"by": {by}}, nil)
}

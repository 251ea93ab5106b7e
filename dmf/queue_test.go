package dmf

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestDequeue(t *testing.T) {
	var path, auth, accept string
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		path, auth, accept = r.Method+" "+r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Accept")
		answer200(wholeMessage)(w, r)
	})
	m, err := f.Dequeue(t.Context(), "{3F2504E0-4F89-41D3-9A0C-0305E82C3301}")
	if err != nil {
		t.Fatal(err)
	}
	if want := "GET /api/connector/dequeue/3f2504e0-4f89-41d3-9a0c-0305e82c3301"; path != want {
		t.Errorf("asked for %q, want %q", path, want)
	}
	if auth != "Bearer token-1" || accept != "application/json" {
		t.Errorf("sent Authorization %q, Accept %q", auth, accept)
	}
	if !m.HasFile || string(m.Raw) != wholeMessage {
		t.Errorf("got %+v", m)
	}
}

func TestDequeueEmpty(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"204":             answerStatus(http.StatusNoContent, ""),
		"200, no body":    answer200(""),
		"200, blank body": answer200("\r\n"),
	} {
		f := startFinOps(t, answer)
		if _, err := f.Dequeue(t.Context(), testActivity); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s: got %v, want ErrEmpty", name, err)
		}
	}
}

// TestDequeueOnlyOnce: each request hides a message for half an hour, so none
// may be made that the caller does not know of.
func TestDequeueOnlyOnce(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a gateway's 502": answerStatus(http.StatusBadGateway, "<html><title>Bad Gateway</title></html>"),
		"a hung-up line":  hangUp,
	} {
		// The first answer leaves a connection for the second request to reuse:
		// net/http repeats only on those.
		f := startFinOps(t, answers(answerStatus(http.StatusNoContent, ""), answer))
		if _, err := f.Dequeue(t.Context(), testActivity); !errors.Is(err, ErrEmpty) {
			t.Fatal(err)
		}
		_, err := f.Dequeue(t.Context(), testActivity)
		api, ok := errors.AsType[*APIError](err)
		if !ok || !api.Temporary() || !errors.Is(err, ErrMaybeDone) {
			t.Errorf("%s: got %v, want a temporary *APIError of ErrMaybeDone", name, err)
		}
		if n := f.count(); n != 2 {
			t.Errorf("%s: %d requests, want 2: %v", name, n, f.requests)
		}
	}
}

func TestDequeueUnreadable(t *testing.T) {
	f := startFinOps(t, answer200("<html><title>Maintenance</title></html>"))
	_, err := f.Dequeue(t.Context(), testActivity)
	api, ok := errors.AsType[*APIError](err)
	if !ok || !errors.Is(err, ErrUnreadable) || !api.Temporary() || !strings.Contains(err.Error(), "Maintenance") {
		t.Errorf("got %v, want a temporary ErrUnreadable that names the page", err)
	}
}

func TestAck(t *testing.T) {
	// Odd white space and an unknown field: what comes back must be the bytes.
	const raw = "{ \"CorrelationId\" :\t\"a\",\r\n \"Später\":\"\\u00e9&<\", \"PopReceipt\":\"p==\"}\n"
	var got, kind string
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got, kind = string(body), r.Header.Get("Content-Type")
	})
	if err := f.Ack(t.Context(), testActivity, []byte(raw)); err != nil {
		t.Fatal(err)
	}
	if got != raw || kind != "application/json" {
		t.Errorf("sent %q as %q, want %q", got, kind, raw)
	}
	if f.requests[0] != "POST /api/connector/ack/"+string(testActivity) {
		t.Errorf("asked for %s", f.requests[0])
	}
	if err := f.Ack(t.Context(), testActivity, nil); err == nil || f.count() != 1 {
		t.Errorf("an ack without a body: %v, %d requests", err, f.count())
	}
}

func TestAckRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		maybe  bool
		status int
	}{
		{"lost answer", hangUp, true, 0},
		{"cut answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		}, true, 0},
		{"gateway", answerStatus(http.StatusGatewayTimeout, ""), true, http.StatusGatewayTimeout},
		{"stale receipt", answerStatus(http.StatusInternalServerError, `{"Message":"PopReceiptMismatch"}`), false, http.StatusInternalServerError},
		{"stale receipt, as a queue says it", answerStatus(http.StatusBadRequest, `{"Message":"PopReceiptMismatch"}`), false, http.StatusBadRequest},
	} {
		f := startFinOps(t, c.answer)
		err := f.Ack(t.Context(), testActivity, []byte(wholeMessage))
		api, ok := errors.AsType[*APIError](err)
		if !ok || api.StatusCode != c.status || errors.Is(err, ErrMaybeDone) != c.maybe {
			t.Errorf("%s: got %v, want status %d, maybe done %v", c.name, err, c.status, c.maybe)
		}
		if f.count() != 1 {
			t.Errorf("%s: %d requests, want 1", c.name, f.count())
		}
	}
}

// TestAckUnsent: a connection that was never made did nothing.
func TestAckUnsent(t *testing.T) {
	f := startFinOps(t, hangUp)
	f.server.Close()
	err := f.Ack(t.Context(), testActivity, []byte(wholeMessage))
	api, ok := errors.AsType[*APIError](err)
	if !ok || !api.Temporary() || errors.Is(err, ErrMaybeDone) {
		t.Errorf("got %v, want a temporary *APIError that is not ErrMaybeDone", err)
	}
}

func TestCallCanceled(t *testing.T) {
	started := make(chan struct{})
	f := startFinOps(t, func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	stopping := errors.New("stopping")
	go func() { <-started; cancel(stopping) }()
	_, err := f.Dequeue(ctx, testActivity)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, stopping) || !errors.Is(err, ErrMaybeDone) {
		t.Errorf("got %v, want context.Canceled, its cause and ErrMaybeDone", err)
	}
	if open, _, _ := f.Circuit(); open || f.circuit.failures != 0 {
		t.Errorf("a caller that gave up counts as a failure of the environment")
	}
}

func TestQueueOnPremises(t *testing.T) {
	f := startFinOps(t, answer200(wholeMessage))
	c := f.connect(t, ClientOptions{OnPremises: true})
	_, dequeued := c.Dequeue(t.Context(), testActivity)
	acked := c.Ack(t.Context(), testActivity, []byte(wholeMessage))
	for _, err := range []error{dequeued, acked} {
		api, ok := errors.AsType[*APIError](err)
		if !ok || !errors.Is(err, ErrOnPremises) || api.Temporary() {
			t.Errorf("got %v, want a lasting ErrOnPremises", err)
		}
	}
	if f.count() != 0 {
		t.Errorf("%d requests, want none", f.count())
	}
}

func TestSlowCallEnds(t *testing.T) {
	f := startFinOps(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := f.call(t.Context(), request{op: "dequeue", method: http.MethodGet, url: f.endpoint("/x"), changes: true, timeout: 20 * time.Millisecond})
	if !errors.Is(err, ErrMaybeDone) || !strings.Contains(err.Error(), "no answer in time (20ms)") {
		t.Errorf("got %v, want ErrMaybeDone that names the limit", err)
	}
}

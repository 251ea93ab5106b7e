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

func TestDownload(t *testing.T) {
	const body = "PK\x03\x04 some bytes"
	var query, auth, encoding string
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		query, auth, encoding = r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Accept-Encoding")
		answerStatus(200, body, "Content-Type", "application/octet-stream")(w, r)
	})
	m := Message{HasFile: true, DownloadLocation: "http://127.0.0.1:80/api/connector/download/%7B3F25%7D?correlation-id=1&blob=2"}
	d, err := f.OpenDownload(t.Context(), testActivity, m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(d)
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	if string(got) != body || d.Size != int64(len(body)) || d.ContentType != "application/octet-stream" {
		t.Errorf("got %q, size %d, type %q", got, d.Size, d.ContentType)
	}
	if f.requests[0] != "GET /api/connector/download/%7B3F25%7D" || query != "correlation-id=1&blob=2" {
		t.Errorf("asked for %s?%s", f.requests[0], query)
	}
	if auth != "Bearer token-1" || encoding != "identity" {
		t.Errorf("sent Authorization %q, Accept-Encoding %q", auth, encoding)
	}
}

func TestDownloadHostile(t *testing.T) {
	elsewhere := startFinOps(t, answer200("stolen"))
	f := startFinOps(t, answer200("x"))
	for _, location := range []string{elsewhere.server.URL + "/x", "https://evil.example/x", "file:///etc/passwd"} {
		_, err := f.OpenDownload(t.Context(), testActivity, Message{HasFile: true, DownloadLocation: location + "?sig=abc"})
		api, ok := errors.AsType[*APIError](err)
		if !ok || !errors.Is(err, ErrHostile) || api.Temporary() || strings.Contains(err.Error(), "abc") {
			t.Errorf("%s: got %v, want a lasting ErrHostile", location, err)
		}
	}
	if f.count()+elsewhere.count() != 0 {
		t.Errorf("something was sent: %v %v", f.requests, elsewhere.requests)
	}
	if _, err := f.OpenDownload(t.Context(), testActivity, Message{CorrelationID: "a"}); err == nil {
		t.Error("a message without a file was downloaded")
	}
}

// TestDownloadRetried: a 500 on download is often over at once, and asking
// twice for a file does no harm.
//
// Observed: d365collaborative/d365fo.integrations retries downloads on 500.
func TestDownloadRetried(t *testing.T) {
	for name, first := range map[string]http.HandlerFunc{"500": answerStatus(500, ""), "hung up": hangUp, "503": answerStatus(503, "")} {
		f := startFinOps(t, answers(first, answer200("good")))
		d, err := f.OpenDownload(t.Context(), testActivity, Message{HasFile: true, DownloadLocation: "/x"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := io.ReadAll(d); err != nil || string(got) != "good" {
			t.Errorf("%s: read %q, %v", name, got, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	f := startFinOps(t, answerStatus(500, "no luck"))
	_, err := f.OpenDownload(t.Context(), testActivity, Message{HasFile: true, DownloadLocation: "/x"})
	api, ok := errors.AsType[*APIError](err)
	if !ok || api.StatusCode != 500 || api.Message != "no luck" || errors.Is(err, ErrMaybeDone) || f.count() != 2 {
		t.Errorf("got %v after %d requests, want the 500 after 2", err, f.count())
	}
}

func TestDownloadBroken(t *testing.T) {
	part := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("part")) // the client reads on
		w.(http.Flusher).Flush()
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		text   string
	}{
		"cut":    {func(w http.ResponseWriter, _ *http.Request) { part(w); panic(http.ErrAbortHandler) }, "the body was cut"},
		"silent": {func(w http.ResponseWriter, r *http.Request) { part(w); <-r.Context().Done() }, "sent nothing for too long"},
	} {
		f := startFinOps(t, c.answer)
		f.idle = 30 * time.Millisecond
		d, err := f.OpenDownload(t.Context(), testActivity, Message{HasFile: true, DownloadLocation: "/x"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(d)
		api, ok := errors.AsType[*APIError](err)
		if !ok || !api.Temporary() || string(got) != "part" || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: read %q, %v; want a temporary error that says %q", name, got, err, c.text)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDownloadCanceled(t *testing.T) {
	f := startFinOps(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	d, err := f.OpenDownload(ctx, testActivity, Message{HasFile: true, DownloadLocation: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(d); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

// receiver answers each post with the next status and keeps the bodies.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	bodies   []string
	types    []string
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, string(body))
		r.types = append(r.types, req.Method+" "+req.Header.Get("Content-Type"))
		status := 202
		if len(r.statuses) > 0 {
			status, r.statuses = r.statuses[0], r.statuses[1:]
		}
		if status == 302 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			_, _ = io.WriteString(w, "answered")
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// waits records the waits between tries instead of sitting through them.
type waits []time.Duration

func (w *waits) sleep(_ context.Context, d time.Duration) error {
	*w = append(*w, d)
	return nil
}

func TestSend(t *testing.T) {
	cases := []struct {
		name      string
		statuses  []int
		want      []int
		delivered bool
	}{
		{"at once", []int{202}, []int{202}, true},
		{"duplicate", []int{200}, []int{200}, true},
		{"second try", []int{503, 200}, []int{503, 200}, true},
		{"third try", []int{500, 404, 204}, []int{500, 404, 204}, true},
		{"given up", []int{401, 401, 401, 200}, []int{401, 401, 401}, false},
		{"redirects are not followed", []int{302, 302, 302}, []int{302, 302, 302}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var slept waits
			s := started(t, sim.Options{Retry: sim.RetryOptions{Sleep: slept.sleep}})
			r := newReceiver(t, c.statuses...)
			d := s.Send(t.Context(), r.URL+"/in?code=geheim", []byte(`{"a":1}`))
			var got []int
			for _, try := range d.Tries {
				got = append(got, try.Status)
				wantAnswer := "answered"
				if try.Status == http.StatusNoContent {
					wantAnswer = ""
				}
				if !try.Time.Equal(morning) || try.Answer != wantAnswer || try.Err != nil {
					t.Errorf("try %+v", try)
				}
			}
			if d.Delivered != c.delivered || !equal(got, c.want) {
				t.Errorf("delivered %v after %v; want %v after %v", d.Delivered, got, c.delivered, c.want)
			}
			if len(slept) != len(c.want)-1 {
				t.Errorf("waited %v", slept)
			}
			for _, w := range slept {
				if w != time.Second {
					t.Errorf("waited %v, want 1s", w)
				}
			}
			for i, b := range r.bodies {
				if b != `{"a":1}` || r.types[i] != "POST application/json; charset=utf-8" {
					t.Errorf("post %d: %s, body %q", i, r.types[i], b)
				}
			}
			if n := len(s.Errors()); (n == 0) != c.delivered {
				t.Errorf("%d events in Errors", n)
			}
			if strings.Contains(d.String()+d.Endpoint, "geheim") {
				t.Errorf("the key shows: %s", d)
			}
		})
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// TestResend: the same body, so the same, now stale, link.
func TestResend(t *testing.T) {
	var slept waits
	s := started(t, sim.Options{Retry: sim.RetryOptions{Sleep: slept.sleep}})
	r := newReceiver(t, 500, 500, 500)
	event, _ := s.Export(sim.ExportSpec{Entity: "Customer groups", Rows: 2})
	given := s.Send(t.Context(), r.URL, s.Payload(event))
	if given.Delivered || len(s.Errors()) != 1 || s.Errors()[0].ID != given.ID {
		t.Fatalf("not given up: %s", given)
	}
	s.Clock().Advance(2 * time.Hour)
	again, err := s.Resend(t.Context(), given.ID)
	if err != nil || !again.Delivered || len(again.Tries) != 1 || len(s.Errors()) != 0 {
		t.Errorf("resend: %v, %s, %d left", err, again, len(s.Errors()))
	}
	if len(r.bodies) != 4 || r.bodies[3] != r.bodies[0] {
		t.Errorf("another body the second time")
	}
	var sent struct{ DownloadURL string }
	if err := json.Unmarshal([]byte(r.bodies[3]), &sent); err != nil {
		t.Fatal(err)
	}
	if a := get(t, sent.DownloadURL); a.status != 403 {
		t.Errorf("the resent link: status %d, want 403", a.status)
	}
	if _, err := s.Resend(t.Context(), given.ID); err == nil {
		t.Error("resent what is not in Errors")
	}
}

func TestSendTimesOut(t *testing.T) {
	var slept waits
	s := started(t, sim.Options{Retry: sim.RetryOptions{Tries: 2, Timeout: 20 * time.Millisecond, Sleep: slept.sleep}})
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hung.Close()
	d := s.Send(t.Context(), hung.URL+"?code=geheim", []byte("{}"))
	if d.Delivered || len(d.Tries) != 2 {
		t.Fatalf("%s", d)
	}
	for _, try := range d.Tries {
		if try.Status != 0 || !errors.Is(try.Err, context.DeadlineExceeded) && !isTimeout(try.Err) || strings.Contains(try.Err.Error(), "geheim") {
			t.Errorf("try: status %d, %v", try.Status, try.Err)
		}
		if try.Took < 20*time.Millisecond {
			t.Errorf("gave up after %v", try.Took)
		}
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

func TestSendEndsWithContext(t *testing.T) {
	s := started(t, sim.Options{Retry: sim.RetryOptions{Wait: time.Hour}})
	r := newReceiver(t, 500)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	d := s.Send(ctx, r.URL, []byte("{}"))
	if d.Delivered || len(d.Tries) != 1 || len(s.Errors()) != 1 {
		t.Errorf("%s, %d in Errors", d, len(s.Errors()))
	}
}

func TestSendToNoURL(t *testing.T) {
	var slept waits
	s := sim.New(sim.Options{Retry: sim.RetryOptions{Sleep: slept.sleep}})
	for _, endpoint := range []string{"::bad::?code=geheim", "http://127.0.0.1:1/in?code=geheim", "ftp://x/?code=geheim"} {
		d := s.Send(t.Context(), endpoint, nil)
		if d.Delivered || len(d.Tries) != 3 || d.Tries[0].Err == nil || strings.Contains(d.String(), "geheim") {
			t.Errorf("%s", d)
		}
	}
}

// FinOps sends from several threads at once.
func TestSendConcurrently(t *testing.T) {
	s := started(t, sim.Options{})
	r := newReceiver(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			e, _ := s.Export(sim.ExportSpec{Entity: "Exchange rates", Rows: 1})
			if d := s.Send(t.Context(), r.URL, s.Payload(e)); !d.Delivered {
				t.Errorf("%s", d)
			}
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, b := range r.bodies {
		var e struct{ EventId string }
		if err := json.Unmarshal([]byte(b), &e); err != nil {
			t.Error(err)
		}
		ids[e.EventId] = true
	}
	if len(ids) != 20 {
		t.Errorf("%d event ids among 20 events", len(ids))
	}
}

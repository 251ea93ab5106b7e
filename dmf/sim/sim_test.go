package sim_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"finrelay/dmf/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// morning is when the tests' clocks stand.
var morning = time.Date(2026, 3, 2, 9, 15, 42, 0, time.UTC)

// started returns a running simulator on a clock that stands at morning.
func started(t *testing.T, opt sim.Options) *sim.Sim {
	t.Helper()
	if opt.Clock == nil {
		opt.Clock = sim.NewClock(morning)
	}
	s := sim.New(opt)
	if _, err := s.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// code is the error code in the header; the body must repeat it.
func (a answer) code() string { return a.header.Get("X-Ms-Error-Code") }

// azureError decodes the error document with a reader of its own.
func (a answer) azureError(t *testing.T) (code, message, detail string) {
	t.Helper()
	var doc struct {
		XMLName xml.Name
		Code    string
		Message string
		Detail  string `xml:"AuthenticationErrorDetail"`
	}
	body, ok := strings.CutPrefix(a.body, "\ufeff")
	if !ok {
		t.Errorf("error body without a byte order mark: %.40q", a.body)
	}
	if err := xml.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatalf("error body: %v in %q", err, a.body)
	}
	return doc.Code, doc.Message, doc.Detail
}

// fetch makes one request without redirects; header pairs follow the URL.
func fetch(t *testing.T, method, link string, header ...string) answer {
	t.Helper()
	a, err := try(method, link, header...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, withoutQuery(link), err)
	}
	return a
}

func get(t *testing.T, link string, header ...string) answer {
	t.Helper()
	return fetch(t, http.MethodGet, link, header...)
}

func try(method, link string, header ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, link, nil)
	if err != nil {
		return answer{}, errors.New("bad link")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	// A connection a request: a cut one must not spoil the next.
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}, nil
}

func withoutQuery(link string) string {
	path, _, _ := strings.Cut(link, "?")
	return path
}

func TestStartAndClose(t *testing.T) {
	s := sim.New(sim.Options{})
	if err := s.Close(); err != nil {
		t.Errorf("Close before Start: %v", err)
	}
	base, err := s.Start("")
	if err != nil {
		t.Fatal(err)
	}
	if base != s.BaseURL() || !strings.HasPrefix(base, "http://127.0.0.1:") {
		t.Errorf("base URL %q, BaseURL %q", base, s.BaseURL())
	}
	if _, err := s.Start(""); err == nil {
		t.Error("second Start: no error")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := try(http.MethodGet, base+"/dmf/x"); err == nil {
		t.Error("answered after Close")
	}
}

// A handler that waits must not outlive Close, or goleak finds it.
func TestCloseEndsWaitingHandlers(t *testing.T) {
	s := sim.New(sim.Options{})
	if _, err := s.Start(""); err != nil {
		t.Fatal(err)
	}
	b := s.PutBlob("slow", []byte("data"), sim.BlobOptions{})
	s.Fault(sim.Fault{Delay: time.Hour})
	done := make(chan error)
	go func() {
		_, err := try(http.MethodGet, s.Link(b, sim.LinkOptions{}))
		done <- err
	}()
	for len(s.Requests()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("the waiting request was answered")
	}
}

func TestHandlerUnderAnotherServer(t *testing.T) {
	a, b := sim.New(sim.Options{}), started(t, sim.Options{})
	a.SetBaseURL(b.BaseURL() + "/")
	blob := a.PutBlob("x", nil, sim.BlobOptions{})
	if link := a.Link(blob, sim.LinkOptions{}); !strings.HasPrefix(link, b.BaseURL()+"/dmf/x?sv=") {
		t.Errorf("link begins %q", withoutQuery(link))
	}
}

func TestClock(t *testing.T) {
	var running sim.Clock
	if d := time.Since(running.Now()); d < 0 || d > time.Minute {
		t.Errorf("the zero clock is %v off the real time", d)
	}
	running.Advance(-2 * time.Hour)
	if d := time.Since(running.Now()); d < 2*time.Hour || d > 2*time.Hour+time.Minute {
		t.Errorf("moved back by 2h, it is %v behind", d)
	}
	running.Set(morning)
	if got := running.Now(); !got.Equal(morning) || got.Location() != time.UTC {
		t.Errorf("set to %v, got %v", morning, got)
	}
	stopped := sim.NewClock(morning)
	stopped.Advance(90 * time.Second)
	if got, want := stopped.Now(), morning.Add(90*time.Second); !got.Equal(want) {
		t.Errorf("advanced: got %v, want %v", got, want)
	}
}

package sim_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

// stored returns a simulator with one blob of 100 bytes and its link.
func stored(t *testing.T) (*sim.Sim, *sim.Blob, string) {
	t.Helper()
	s := started(t, sim.Options{})
	b := s.PutBlob("data.csv", []byte(hundred), sim.BlobOptions{})
	return s, b, s.Link(b, sim.LinkOptions{})
}

func TestScriptedRefusals(t *testing.T) {
	cases := []struct {
		name       string
		fault      sim.Fault
		status     int
		code       string
		message    string // first line
		retryAfter string
	}{
		{"busy", sim.Fault{Status: 503}, 503, "ServerBusy", "The server is busy.", ""},
		{"busy, come back", sim.Fault{Status: 503, RetryAfter: 1500 * time.Millisecond}, 503, "ServerBusy", "The server is busy.", "2"},
		{"internal", sim.Fault{Status: 500}, 500, "InternalError", "The server encountered an internal error. Please retry the request.", ""},
		{"timed out", sim.Fault{Status: 500, Code: "OperationTimedOut"}, 500, "OperationTimedOut", "Operation could not be completed within the specified time.", ""},
		{"firewall", sim.Fault{Status: 403, Code: "AuthorizationFailure"}, 403, "AuthorizationFailure", "This request is not authorized to perform this operation.", ""},
		{"own words", sim.Fault{Status: 429, Code: "TooManyRequests", Message: "Slow down."}, 429, "TooManyRequests", "Slow down.", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, _, link := stored(t)
			s.Fault(c.fault)
			a := get(t, link)
			_, message, _ := a.azureError(t)
			first, _, _ := strings.Cut(message, "\n")
			if a.status != c.status || a.code() != c.code || first != c.message || a.header.Get("Retry-After") != c.retryAfter {
				t.Errorf("status %d, code %s, message %q, Retry-After %q", a.status, a.code(), first, a.header.Get("Retry-After"))
			}
			if again := get(t, link); again.status != 200 || again.body != hundred {
				t.Errorf("next request: status %d; one request should be hit", again.status)
			}
		})
	}
}

func TestProxyPage(t *testing.T) {
	s, _, link := stored(t)
	s.Fault(sim.Fault{NoAzureHeaders: true})
	s.Fault(sim.Fault{NoAzureHeaders: true, Status: 404})
	s.Fault(sim.Fault{NoAzureHeaders: true, Status: 200})
	for _, want := range []int{403, 404, 200} {
		a := get(t, link)
		if a.status != want || !strings.HasPrefix(a.body, "<!DOCTYPE html>") {
			t.Errorf("status %d, body %.30q; want %d and a page", a.status, a.body, want)
		}
		for k := range a.header {
			if strings.HasPrefix(k, "X-Ms-") || k == "Etag" {
				t.Errorf("a proxy does not send %s", k)
			}
		}
	}
}

func TestWhichRequestsAreHit(t *testing.T) {
	s := started(t, sim.Options{})
	link := func(name string) string { return s.Link(s.PutBlob(name, nil, sim.BlobOptions{}), sim.LinkOptions{}) }
	a, b, brace := link("a.csv"), link("b.xml"), link("Customer g{D1}.csv")
	expect := func(act, link string, want ...int) {
		t.Helper()
		for i, w := range want {
			if got := get(t, link).status; got != w {
				t.Errorf("%s: request %d: status %d, want %d", act, i+1, got, w)
			}
		}
	}
	s.Fault(sim.Fault{Route: sim.RouteBlob, Blob: "*.csv", Times: 2, Status: 500})
	expect("pattern, other blob", b, 200)
	expect("pattern", a, 500)
	expect("pattern", brace, 500)
	expect("used up", a, 200)

	s.Fault(sim.Fault{Blob: "Customer g{D1}.csv", Status: 500})
	expect("name, other blob", a, 200)
	expect("name", brace, 500, 200)

	s.Fault(sim.Fault{Skip: 1, Status: 500})
	s.Fault(sim.Fault{Skip: 2, Status: 503})
	expect("skipping", a, 200, 500, 200, 503, 200)

	s.Fault(sim.Fault{Route: "queue", Times: sim.Always, Status: 500})
	expect("another route", a, 200)

	s.Fault(sim.Fault{Times: sim.Always, Status: 503})
	expect("always", a, 503, 503, 503, 503)
	s.ClearFaults()
	expect("cleared", a, 200)
}

// TestCut: a cut body is truly cut. The client gets just the bytes, the whole
// length in the header, and an error.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  sim.Fault
		header []string
		want   string
	}{
		{"in the middle", sim.Fault{CutAfter: 33}, nil, hundred[:33]},
		{"after the headers", sim.Fault{CutAfter: -1}, nil, ""},
		{"in a range", sim.Fault{CutAfter: 5}, []string{"Range", "bytes=50-"}, hundred[50:55]},
		{"before the last byte", sim.Fault{CutAfter: 99}, nil, hundred[:99]},
		{"while dripping", sim.Fault{CutAfter: 20, DripBytesPerSec: 1000}, nil, hundred[:20]},
		{"length too long", sim.Fault{WrongLength: true}, nil, hundred},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, link := stored(t)
			s.Fault(c.fault)
			a := get(t, link, c.header...)
			if !errors.Is(a.err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v, want an unexpected end", a.err)
			}
			if a.body != c.want {
				t.Errorf("got %d bytes %q, want %d", len(a.body), a.body, len(c.want))
			}
			if r := s.Requests()[0]; r.Bytes != int64(len(c.want)) || !r.Fault {
				t.Errorf("journal: %d bytes, fault %v", r.Bytes, r.Fault)
			}
		})
	}
	t.Run("reset", func(t *testing.T) {
		s, _, link := stored(t)
		s.Fault(sim.Fault{CutAfter: 33, Reset: true})
		a, err := try(http.MethodGet, link)
		if err = errors.Join(err, a.err); err == nil || errors.Is(err, io.ErrUnexpectedEOF) || len(a.body) > 33 {
			t.Errorf("error %v after %d bytes, want a reset within 33", err, len(a.body))
		}
	})
	t.Run("body too short to be cut", func(t *testing.T) {
		s, _, link := stored(t)
		s.Fault(sim.Fault{CutAfter: 1000})
		if a := get(t, link); a.err != nil || a.body != hundred {
			t.Errorf("%v, %d bytes", a.err, len(a.body))
		}
	})
}

// TestLyingServer: a server that ignores conditions or lies about ranges.
func TestLyingServer(t *testing.T) {
	t.Run("range ignored", func(t *testing.T) {
		s, b, link := stored(t)
		s.Fault(sim.Fault{IgnoreRange: true})
		a := get(t, link, "Range", "bytes=90-", "If-Match", b.ETag())
		if a.status != 200 || a.body != hundred || a.header.Get("Content-Range") != "" {
			t.Errorf("status %d, %d bytes", a.status, len(a.body))
		}
		if got := s.Requests()[0].Range; got != "bytes=90-" {
			t.Errorf("journal has range %q, want it as sent", got)
		}
	})
	t.Run("condition ignored", func(t *testing.T) {
		s, _, link := stored(t)
		s.Fault(sim.Fault{IgnoreConditions: true})
		if a := get(t, link, "Range", "bytes=90-", "If-Match", `"0x8D0"`); a.status != 206 {
			t.Errorf("status %d, want 206", a.status)
		}
	})
	t.Run("wrong ETag", func(t *testing.T) {
		s, b, link := stored(t)
		s.Fault(sim.Fault{WrongETag: true})
		if a := get(t, link); a.status != 200 || a.header.Get("Etag") == b.ETag() || a.header.Get("Etag") == "" {
			t.Errorf("status %d, ETag %s", a.status, a.header.Get("Etag"))
		}
	})
	t.Run("wrong Content-Range", func(t *testing.T) {
		s, _, link := stored(t)
		s.Fault(sim.Fault{WrongContentRange: true})
		a := get(t, link, "Range", "bytes=90-")
		if a.status != 206 || a.header.Get("Content-Range") != "bytes 91-99/100" || a.body != hundred[90:] {
			t.Errorf("status %d, Content-Range %q, body %q", a.status, a.header.Get("Content-Range"), a.body)
		}
	})
}

func TestBlobReplacedUnderWay(t *testing.T) {
	s, b, link := stored(t)
	old := b.ETag()
	s.Fault(sim.Fault{ReplaceBlobAfterBytes: 10, CutAfter: 20, Replacement: []byte("another content")})
	if a := get(t, link); a.body != hundred[:20] || a.header.Get("Etag") != old {
		t.Errorf("the response went on with %q, ETag %s", a.body, a.header.Get("Etag"))
	}
	if a := get(t, link, "Range", "bytes=20-", "If-Match", old); a.status != 412 {
		t.Errorf("resume: status %d, want 412", a.status)
	}
	if a := get(t, link); a.body != "another content" || a.header.Get("Etag") == old {
		t.Errorf("from the start: %q, ETag %s", a.body, a.header.Get("Etag"))
	}

	s.Fault(sim.Fault{ReplaceBlobAfterBytes: 1})
	before := b.ETag()
	if a := get(t, link); a.body != "another content" {
		t.Errorf("body %q", a.body)
	}
	if b.ETag() == before || string(b.Bytes()) != "another content" {
		t.Errorf("without Replacement: ETag %s was %s, content %q", b.ETag(), before, b.Bytes())
	}
}

func TestDelayAndDrip(t *testing.T) {
	s, _, link := stored(t)
	s.Fault(sim.Fault{Delay: 50 * time.Millisecond, DripBytesPerSec: 1000})
	began := time.Now()
	if a := get(t, link); a.body != hundred {
		t.Errorf("%d bytes", len(a.body))
	}
	if took := time.Since(began); took < 100*time.Millisecond { // 50 ms, and 50 ms between the halves of 100 bytes at 1000/s
		t.Errorf("took %v, want at least 100ms", took)
	}
}

func TestJournal(t *testing.T) {
	s, b, link := stored(t)
	get(t, link, "Range", "bytes=90-", "If-Match", b.ETag())
	fetch(t, http.MethodHead, link, "Authorization", "Bearer x")
	want := []sim.Request{
		{Time: morning, Method: "GET", Route: "blob", Path: "/dmf/data.csv", Blob: "data.csv", Range: "bytes=90-", IfMatch: b.ETag(),
			Status: 206, Bytes: 10, Verbatim: true},
		{Time: morning, Method: "HEAD", Route: "blob", Path: "/dmf/data.csv", Blob: "data.csv", Status: 400, Authorization: true, Verbatim: true},
	}
	got := s.Requests()
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("journal:\n got %+v\nwant %+v", got, want)
	}
	s.ForgetRequests()
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests after forgetting", n)
	}
}

// TestStandIns: answers that are no refusal and not the file, as proxies and
// gateways give them, and bodies in another form than they were asked for.
func TestStandIns(t *testing.T) {
	t.Run("a body of another", func(t *testing.T) {
		s, _, link := stored(t)
		s.Fault(sim.Fault{Body: []byte("<html>")})
		s.Fault(sim.Fault{Body: []byte{}, Status: 203, ContentType: "text/csv"})
		if a := get(t, link); a.status != 200 || a.body != "<html>" || a.header.Get("Content-Type") != "text/html" || a.header.Get("X-Ms-Version") != "" {
			t.Errorf("%d %q %v", a.status, a.body, a.header)
		}
		if a := get(t, link); a.status != 203 || a.body != "" || a.header.Get("Content-Length") != "0" || a.header.Get("Content-Type") != "text/csv" {
			t.Errorf("%d %q %v", a.status, a.body, a.header)
		}
	})
	t.Run("no length", func(t *testing.T) {
		s, _, link := stored(t)
		s.Fault(sim.Fault{NoLength: true})
		s.Fault(sim.Fault{NoLength: true, CutAfter: 40})
		for _, want := range []string{hundred, hundred[:40]} {
			a := get(t, link)
			if a.err != nil || a.body != want || a.header.Get("Content-Length") != "" || len(a.header.Values("Transfer-Encoding")) != 0 {
				t.Errorf("%d of %d bytes, %v, %v", len(a.body), len(want), a.err, a.header)
			}
		}
	})
	t.Run("packed", func(t *testing.T) {
		s, _, link := stored(t)
		s.Fault(sim.Fault{Gzip: true})
		s.Fault(sim.Fault{Gzip: true, Status: 503})
		a := get(t, link, "Accept-Encoding", "identity")
		zr, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(zr); err != nil || string(text) != hundred || a.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%q, %v, %v", text, err, a.header)
		}
		if a := get(t, link); a.status != 503 || a.header.Get("Content-Encoding") != "" {
			t.Errorf("a refusal: %d, %v", a.status, a.header)
		}
	})
}

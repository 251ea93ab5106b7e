package sim_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"finrelay/dmf/sim"
)

const dequeuePath, ackPath = "/api/connector/dequeue/" + queue, "/api/connector/ack/" + queue

// queued returns a simulator with one message of hundred bytes, and a caller.
func queued(t *testing.T, opt sim.ActivityOptions) (caller, *sim.Message) {
	t.Helper()
	s := started(t, sim.Options{})
	s.AddActivity(queue, opt)
	return calling(t, s), s.Enqueue(queue, []byte(hundred), sim.MessageOptions{})
}

// location returns path and query of a dequeue's DownloadLocation.
func (a answer) location(t *testing.T) string {
	t.Helper()
	u, _ := a.fields(t)["DownloadLocation"].(string)
	_, rest, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(u, "http://"), "https://"), "/")
	if !ok {
		t.Fatalf("DownloadLocation %q", u)
	}
	return "/" + rest
}

func TestQueueRoundTrip(t *testing.T) {
	c, m := queued(t, sim.ActivityOptions{})
	a := c.get(dequeuePath)
	for _, want := range []string{
		`{"CorrelationId":"` + m.CorrelationID + `","PopReceipt":"AgAAAAMAAAAAAAAA`, `"DownloadLocation":"http://127.0.0.1:`,
		`"IsDownLoadFileExist":true,"FileDownLoadErrorMessage":"","LastDequeueDateTime":""}`,
		`?correlation-id=` + m.CorrelationID + `&blob=`,
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
	if m.State() != sim.MessageDequeued || string(m.Answer()) != a.body {
		t.Errorf("state %v, answer %s", m.State(), m.Answer())
	}
	d := c.get(a.location(t))
	if d.status != 200 || d.body != hundred || d.header.Get("Content-Disposition") != "" || d.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("download: %d, %v, %d bytes", d.status, d.header, len(d.body))
	}
	if m.State() != sim.MessageDownloaded || m.Downloads() != 1 {
		t.Errorf("state %v after %d downloads", m.State(), m.Downloads())
	}
	if k := c.post(ackPath, a.body); k.status != 200 || k.body != "" {
		t.Errorf("ack: %d %s", k.status, k.body)
	}
	at, body := m.Ack()
	if m.State() != sim.MessageAcked || !at.Equal(morning) || string(body) != a.body || len(c.s.Acked()) != 1 || c.s.Waiting(queue) != 0 {
		t.Errorf("state %v, acked at %v, %d acked, %d waiting", m.State(), at, len(c.s.Acked()), c.s.Waiting(queue))
	}
	if e := c.get(dequeuePath); e.status != 204 || e.body != "" {
		t.Errorf("empty: %d %q", e.status, e.body)
	}
	if again := c.post(ackPath, a.body); again.status != 500 {
		t.Errorf("second ack: %d", again.status)
	}
	if got := c.action("GetMessageStatus", "messageId", m.CorrelationID).value(t); got != "Acked" {
		t.Errorf("GetMessageStatus: %s", got)
	}
}

func TestActivitySpellings(t *testing.T) {
	c, _ := queued(t, sim.ActivityOptions{Visibility: -1})
	for _, path := range []string{
		dequeuePath, strings.ToLower(dequeuePath), "/api/connector/dequeue/%7B" + queue + "%7D", "/api/connector/dequeue/{" + strings.ToLower(queue) + "}",
		"/en" + dequeuePath, "/en-us" + dequeuePath,
	} {
		if a := c.get(path); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := c.get("/api/connector/dequeue/00000000-0000-0000-0000-000000000009"); a.status != 404 {
		t.Errorf("unknown activity: %d", a.status)
	}
	if a := c.post(dequeuePath, ""); a.status != 405 {
		t.Errorf("POST dequeue: %d", a.status)
	}
}

func TestDownloadLocations(t *testing.T) {
	cases := []struct {
		opt    sim.ActivityOptions
		prefix string // HOST is the base URL's
	}{
		{sim.ActivityOptions{}, "http://HOST/api/connector/download/" + strings.ToLower(queue) + "?"},
		{sim.ActivityOptions{Location: sim.LocationHTTP80}, "http://127.0.0.1:80/api/connector/download/" + strings.ToLower(queue) + "?"},
		{sim.ActivityOptions{Location: sim.LocationHTTPS}, "https://HOST/api/connector/download/" + strings.ToLower(queue) + "?"},
		{sim.ActivityOptions{Location: sim.LocationBase, Braces: true}, "http://HOST/api/connector/download/%7B" + queue + "%7D?"},
	}
	for _, k := range cases {
		c, _ := queued(t, k.opt)
		a := c.get(dequeuePath)
		want := strings.Replace(k.prefix, "HOST", strings.TrimPrefix(c.s.BaseURL(), "http://"), 1)
		if got, _ := a.fields(t)["DownloadLocation"].(string); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %s", k.opt, got)
		}
		if d := c.get(a.location(t)); d.body != hundred {
			t.Errorf("%+v: download %d", k.opt, d.status)
		}
	}
}

// A message that is not acked comes again after 30 minutes, with another
// receipt; the old one is stale from the moment it could.
func TestVisibility(t *testing.T) {
	for _, stale := range []int{0, 400} {
		c, m := queued(t, sim.ActivityOptions{StaleReceipt: stale})
		clock := c.s.Clock()
		first := c.get(dequeuePath)
		clock.Advance(30*time.Minute - time.Second)
		if a := c.get(dequeuePath); a.status != 204 {
			t.Errorf("a second too early: %d", a.status)
		}
		clock.Advance(time.Second)
		want := stale
		if want == 0 {
			want = 500
		}
		if a := c.post(ackPath, first.body); a.status != want {
			t.Errorf("ack when it is visible again: %d, want %d", a.status, want)
		}
		second := c.get(dequeuePath)
		f, g := first.fields(t), second.fields(t)
		if f["PopReceipt"] == g["PopReceipt"] || f["CorrelationId"] != g["CorrelationId"] || g["LastDequeueDateTime"] != "2026-03-02T09:15:42Z" {
			t.Errorf("first %s\nsecond %s", first.body, second.body)
		}
		if a := c.post(ackPath, first.body); a.status != want || m.State() == sim.MessageAcked {
			t.Errorf("old receipt: %d", a.status)
		}
		if a := c.post(ackPath, second.body); a.status != 200 || m.Dequeues() != 2 {
			t.Errorf("new receipt: %d after %d dequeues", a.status, m.Dequeues())
		}
	}
}

func TestMessagesWithoutFile(t *testing.T) {
	cases := []struct {
		name string
		opt  sim.MessageOptions
		age  time.Duration
		text string
	}{
		{"never one", sim.MessageOptions{NoFile: true}, 0, "The file to be downloaded does not exist."},
		{"its own words", sim.MessageOptions{NoFile: true, Error: "Upload failed."}, 0, "Upload failed."},
		{"gone after 7 days", sim.MessageOptions{}, 7 * 24 * time.Hour, "The file to be downloaded does not exist."},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			s := started(t, sim.Options{})
			s.AddActivity(queue, sim.ActivityOptions{})
			m := s.Enqueue(queue, []byte(hundred), k.opt)
			s.Clock().Advance(k.age)
			c := calling(t, s)
			a := c.get(dequeuePath)
			f := a.fields(t)
			if f["DownloadLocation"] != nil || !strings.Contains(a.body, `"DownloadLocation":null`) || f["IsDownLoadFileExist"] != false || f["FileDownLoadErrorMessage"] != k.text {
				t.Errorf("dequeue: %s", a.body)
			}
			if a := c.post(ackPath, a.body); a.status != 200 || m.State() != sim.MessageAcked {
				t.Errorf("ack: %d", a.status)
			}
		})
	}
}

func TestAckBodies(t *testing.T) {
	full := func(a answer) string { return a.body }
	three := func(a answer) string {
		f := a.fields(t)
		return paramsOf(t, "CorrelationId", f["CorrelationId"], "PopReceipt", f["PopReceipt"], "DownloadLocation", "https://rewritten.example/x")
	}
	cases := []struct {
		name   string
		body   func(answer) string
		status int
	}{
		{"as it came", full, 200},
		{"three fields", three, 200},
		{"another receipt", func(a answer) string { return strings.Replace(a.body, "AgAAAAMA", "BgAAAAMA", 1) }, 500},
		{"another message", func(a answer) string {
			return strings.Replace(a.body, `"CorrelationId":"`, `"CorrelationId":"0`, 1)
		}, 500},
		{"nothing", func(answer) string { return "" }, 400},
		{"no JSON", func(answer) string { return "<ack/>" }, 400},
	}
	for _, k := range cases {
		c, m := queued(t, sim.ActivityOptions{})
		a := c.post(ackPath, k.body(c.get(dequeuePath)))
		if a.status != k.status || (m.State() == sim.MessageAcked) != (k.status == 200) {
			t.Errorf("%s: %d, state %v", k.name, a.status, m.State())
		}
	}
}

func TestEmptyAs200(t *testing.T) {
	s := started(t, sim.Options{})
	s.AddActivity(queue, sim.ActivityOptions{EmptyAs200: true})
	if a := calling(t, s).get(dequeuePath); a.status != 200 || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
}

func TestOldestFirst(t *testing.T) {
	s := started(t, sim.Options{})
	s.AddActivity(queue, sim.ActivityOptions{})
	c := calling(t, s)
	var sent []*sim.Message
	for range 5 {
		sent = append(sent, s.Enqueue(queue, nil, sim.MessageOptions{}))
	}
	for i, m := range sent {
		if got := c.get(dequeuePath).fields(t)["CorrelationId"]; got != m.CorrelationID {
			t.Errorf("dequeue %d: %v, want %s", i, got, m.CorrelationID)
		}
	}
	if s.Waiting(queue) != 5 || len(s.Messages(queue)) != 5 || s.Messages("other") != nil || s.Waiting("other") != 0 {
		t.Errorf("%d waiting of %d", s.Waiting(queue), len(s.Messages(queue)))
	}
}

// Clients that poll one activity at once never get the same message.
func TestConcurrentDequeues(t *testing.T) {
	s := started(t, sim.Options{})
	s.AddActivity(queue, sim.ActivityOptions{})
	for range 40 {
		s.Enqueue(queue, []byte(hundred), sim.MessageOptions{})
	}
	c := calling(t, s)
	answers := make(chan string)
	for range 4 {
		go func() {
			for {
				a, err := c.exchange("GET", s.BaseURL()+dequeuePath, "")
				if err != nil || a.status != 200 {
					answers <- ""
					return
				}
				if k, err := c.exchange("POST", s.BaseURL()+ackPath, a.body); err != nil || k.status != 200 {
					t.Errorf("ack: %d, %v", k.status, err)
				}
				answers <- a.body
			}
		}()
	}
	seen := make(map[string]bool)
	for ended := 0; ended < 4; {
		if body := <-answers; body == "" {
			ended++
		} else {
			seen[body] = true
		}
	}
	if len(seen) != 40 || len(s.Acked()) != 40 {
		t.Errorf("%d different answers, %d acked; want 40", len(seen), len(s.Acked()))
	}
	for _, m := range s.Messages(queue) {
		if m.Dequeues() != 1 {
			t.Errorf("dequeued %d times", m.Dequeues())
		}
	}
}

// What can go wrong with a download, and that the same location works after.
func TestDownloadFaults(t *testing.T) {
	cases := []struct {
		name   string
		fault  sim.Fault
		status int // 0 = no answer
		bytes  int
		cut    bool
	}{
		{"500", sim.Fault{Status: 500}, 500, -1, false},
		{"502", sim.Fault{Status: 502}, 502, -1, false},
		{"401", sim.Fault{Status: 401}, 401, 0, false},
		{"cut", sim.Fault{CutAfter: 40}, 200, 40, true},
		{"cut after the headers", sim.Fault{CutAfter: -1}, 200, 0, true},
		{"drip", sim.Fault{DripBytesPerSec: 2000}, 200, 100, false},
		{"answer lost", sim.Fault{Lost: true}, 0, 0, true},
		{"answer lost by a reset", sim.Fault{Lost: true, Reset: true}, 0, 0, true},
		{"a proxy's page", sim.Fault{NoAzureHeaders: true, Status: 200}, 200, -1, false},
		{"nothing", sim.Fault{Status: 204}, 204, 0, false},
		{"cut without a length", sim.Fault{NoLength: true, CutAfter: 40}, 200, 40, false},
		{"sent on", sim.Fault{Redirect: true}, 302, 0, false},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			c, _ := queued(t, sim.ActivityOptions{})
			location := c.get(dequeuePath).location(t)
			k.fault.Route = sim.RouteDownload
			c.s.Fault(k.fault)
			a, err := c.exchange("GET", c.s.BaseURL()+location, "")
			if k.status == 0 {
				if err == nil {
					t.Errorf("answered %d", a.status)
				}
			} else if a.status != k.status || k.bytes >= 0 && len(a.body) != k.bytes || k.cut != errors.Is(a.err, io.ErrUnexpectedEOF) {
				t.Errorf("status %d, %d bytes, %v, %v", a.status, len(a.body), a.err, err)
			}
			if again := c.get(location); again.body != hundred {
				t.Errorf("again: %d", again.status)
			}
		})
	}
}

// A download that hangs ends with the simulator, not before.
func TestHang(t *testing.T) {
	for _, fault := range []sim.Fault{{HangAfter: 40}, {HangAfter: -1}} {
		c, _ := queued(t, sim.ActivityOptions{})
		location := c.get(dequeuePath).location(t)
		c.s.Fault(fault)
		done := make(chan answer)
		go func() {
			a, _ := c.exchange("GET", c.s.BaseURL()+location, "")
			done <- a
		}()
		want := max(0, fault.HangAfter)
		for {
			all := c.s.Requests()
			if last := all[len(all)-1]; last.Route == sim.RouteDownload && last.Status == 200 && last.Bytes == want {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if err := c.s.Close(); err != nil {
			t.Error(err)
		}
		if a := <-done; int64(len(a.body)) != want || a.status == 200 && a.err == nil {
			t.Errorf("hang after %d: status %d, %d bytes, %v", fault.HangAfter, a.status, len(a.body), a.err)
		}
	}
}

func TestDownloadNeedsBearer(t *testing.T) {
	c, m := queued(t, sim.ActivityOptions{})
	location := c.get(dequeuePath).location(t)
	c.s.Clock().Advance(time.Hour) // the token dies between dequeue and download
	if a := c.get(location); a.status != 401 || m.Downloads() != 0 {
		t.Errorf("expired token: %d", a.status)
	}
	if a := calling(t, c.s).get(location); a.body != hundred {
		t.Errorf("new token: %d", a.status)
	}
	if a := calling(t, c.s).get(location + "0"); a.status != 404 {
		t.Errorf("another blob: %d", a.status)
	}
}

// An ack whose answer is lost has happened; one that is refused has not.
func TestLostAck(t *testing.T) {
	c, m := queued(t, sim.ActivityOptions{})
	a := c.get(dequeuePath)
	c.s.Fault(sim.Fault{Route: sim.RouteAck, Subject: strings.ToLower(queue), Status: 500})
	c.s.Fault(sim.Fault{Route: sim.RouteAck, Subject: "{" + queue + "}", Lost: true, Reset: true})
	if k := c.post(ackPath, a.body); k.status != 500 || m.State() == sim.MessageAcked {
		t.Errorf("refused: %d, %v", k.status, m.State())
	}
	if k, err := c.exchange("POST", c.s.BaseURL()+ackPath, a.body); err == nil {
		t.Errorf("answered %d", k.status)
	}
	if m.State() != sim.MessageAcked || c.get(dequeuePath).status != 204 {
		t.Errorf("state %v", m.State())
	}
}

func TestEnqueueAndJobStatus(t *testing.T) {
	s := started(t, sim.Options{})
	s.AddActivity(queue, sim.ActivityOptions{Project: "Contoso customer import"})
	c := calling(t, s)
	a := c.post("/api/connector/enqueue/"+queue+"?entity=Customer%20groups&company=USMF", hundred)
	id := strings.Trim(a.body, `"`)
	if a.status != 200 || len(a.body) != 38 || id == a.body {
		t.Fatalf("enqueue: %d %s", a.status, a.body)
	}
	for i, want := range []float64{0, 4, 5, 5} {
		f := c.get("/api/connector/jobstatus/" + queue + "?jobId=" + id).fields(t)
		job, _ := f["DataJobStatus"].(map[string]any)
		if job["DataJobState"] != want || job["DataProject"] != "Contoso customer import" || (f["ExecutionDetail"] != nil) != (want == 5) {
			t.Errorf("request %d: %v", i, f)
		}
	}
	if got := c.action("GetMessageStatus", "messageId", id).value(t); got != "Processed" {
		t.Errorf("GetMessageStatus: %s", got)
	}
	if a := c.get("/api/connector/jobstatus/" + queue + "?jobId=x"); a.status != 404 {
		t.Errorf("unknown job: %d", a.status)
	}
}

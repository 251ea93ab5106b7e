package fetch

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// query is a SAS as FinOps sends it; secret is what must never come back.
const (
	secret = "s3cr3t/With+Signs="
	query  = "sv=2021-12-02&st=2026-03-02T09%3A10%3A42Z&se=2026-03-02T10%3A15%3A42Z&sr=b&sp=r&sig=s3cr3t%2FWith%2BSigns%3D"
)

// azure answers for one blob as Azure Blob does. script holds one entry per
// request to come; a nil entry, and every request after the last one, gets the
// blob.
type azure struct {
	*httptest.Server
	mu       sync.Mutex
	content  []byte
	etag     string
	md5      []byte
	script   []http.HandlerFunc
	requests []*http.Request
}

func newAzure(t *testing.T, content []byte) *azure {
	t.Helper()
	a := &azure{content: content, etag: `"0x8DC0000000000A"`}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *azure) link() string { return a.URL + "/exports/Customer%20groups.csv?" + query }

func (a *azure) then(steps ...http.HandlerFunc) { a.script = append(a.script, steps...) }

func (a *azure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, r)
	var step http.HandlerFunc
	if len(a.script) > 0 {
		step, a.script = a.script[0], a.script[1:]
	}
	a.mu.Unlock()
	if step == nil {
		step = a.serve(-1)
	}
	step(w, r)
}

// replace puts another blob at the same place.
func (a *azure) replace(content []byte, etag string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.content, a.etag = content, etag
}

// seen gives the Range and If-Match headers of the requests so far.
func (a *azure) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for _, r := range a.requests {
		list = append(list, strings.TrimSpace(r.Header.Get("Range")+" "+r.Header.Get("If-Match")))
	}
	return list
}

// serve answers a read and cuts the connection after limit bytes, -1 = never.
func (a *azure) serve(limit int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		content, etag, sum := a.content, a.etag, a.md5
		a.mu.Unlock()
		h := w.Header()
		h.Set("ETag", etag)
		h.Set("X-Ms-Request-Id", "0f0f0f0f-001e-0012-3456-789abc000000")
		h.Set("Content-Type", "application/octet-stream")
		if want := r.Header.Get("If-Match"); want != "" && want != etag {
			refuse(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.", "")(w, r)
			return
		}
		status, start := http.StatusOK, 0
		sumHeader := "Content-MD5"
		if spec, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			start, _ = strconv.Atoi(strings.TrimSuffix(spec, "-"))
			if start >= len(content) {
				h.Set("Content-Range", fmt.Sprintf("bytes */%d", len(content)))
				refuse(416, "InvalidRange", "The range specified is invalid for the current size of the resource.", "")(w, r)
				return
			}
			status, sumHeader = http.StatusPartialContent, "X-Ms-Blob-Content-Md5"
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(content)-1, len(content)))
		}
		if sum != nil {
			h.Set(sumHeader, base64.StdEncoding.EncodeToString(sum))
		}
		h.Set("Content-Length", strconv.Itoa(len(content)-start))
		w.WriteHeader(status)
		send(w, content[start:], limit)
	}
}

// send writes a body and cuts it after limit bytes.
func send(w http.ResponseWriter, body []byte, limit int) {
	if limit < 0 || limit >= len(body) {
		w.Write(body)
		return
	}
	w.Write(body[:limit])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// refuse answers with one of Azure's errors: BOM, header and XML.
func refuse(status int, code, message, detail string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ms-Error-Code", code)
		w.Header().Set("X-Ms-Request-Id", "0f0f0f0f-001e-0012-3456-789abc000000")
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if detail != "" {
			detail = "<AuthenticationErrorDetail>" + detail + "</AuthenticationErrorDetail>"
		}
		fmt.Fprintf(w, "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\n"+
			"RequestId:0f0f0f0f-001e-0012-3456-789abc000000\nTime:2026-03-02T10:20:00.1234567Z</Message>%s</Error>",
			code, message, detail)
	}
}

// raw answers with a status, headers given in pairs, and a body.
func raw(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

// testClient takes answers of this machine's small servers without Azure's headers.
func testClient(t *testing.T, opt ClientOptions) *Client {
	t.Helper()
	if opt.PlainHosts == nil {
		opt.PlainHosts = []string{"127.0.0.1", "::1", "localhost"}
	}
	c := NewClient(opt)
	t.Cleanup(c.Close)
	return c
}

// source is the Source of a's blob through a client of its own.
func (a *azure) source(t *testing.T) Source {
	t.Helper()
	src, err := testClient(t, ClientOptions{Loopback: true}).Link(a.link())
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// noise gives n bytes that no two offsets share by accident.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func md5Of(b []byte) []byte { sum := md5.Sum(b); return sum[:] }

// wantNoSecret fails when any spelling of the signature is in text.
func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{secret, "s3cr3t", "sig="} {
		if bytes.Contains([]byte(text), []byte(bad)) {
			t.Errorf("%q holds %q", text, bad)
		}
	}
}

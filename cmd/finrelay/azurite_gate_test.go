package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// gate stands between finrelay and a blob server. It notes what is asked, and
// holds each body after some bytes until it is opened, so that a test can end
// finrelay in mid-download without a race.
type gate struct {
	url string // as the blob server's, with the account

	mu      sync.Mutex
	asked   []blobRequest
	holdAt  int64         // bytes of a body let through; 0 is all
	reached chan struct{} // closed when a body has come to holdAt
	closed  chan struct{} // closed at the test's end: no body is held any more
}

type blobRequest struct {
	Range, IfMatch string
	Status         int
}

func startGate(t *testing.T, a azurite, holdAt int64) *gate {
	t.Helper()
	target, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{holdAt: holdAt, reached: make(chan struct{}), closed: make(chan struct{})}
	transport := &http.Transport{DisableKeepAlives: true}
	proxy := &httputil.ReverseProxy{
		Transport:      transport,
		FlushInterval:  -1,
		Rewrite:        func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host },
		ModifyResponse: g.note,
		ErrorLog:       log.New(io.Discard, "", 0), // bodies that we cut ourselves
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(func() {
		close(g.closed)
		server.Close()
	})
	g.url = server.URL + target.Path
	return g
}

func (g *gate) note(resp *http.Response) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, blobRequest{resp.Request.Header.Get("Range"), resp.Request.Header.Get("If-Match"), resp.StatusCode})
	if g.holdAt > 0 {
		resp.Body = &heldBody{ReadCloser: resp.Body, gate: g, left: g.holdAt, gone: resp.Request.Context().Done()}
	}
	return nil
}

// open lets all bodies of later requests through, whole.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holdAt = 0
}

func (g *gate) requests() []blobRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

// heldBody gives left bytes and then nothing until its client has gone.
type heldBody struct {
	io.ReadCloser
	gate *gate
	left int64
	gone <-chan struct{}
	once sync.Once
}

func (b *heldBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		b.once.Do(func() { close(b.gate.reached) })
		select {
		case <-b.gone:
		case <-b.gate.closed:
		}
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

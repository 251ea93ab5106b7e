package fetch

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// listenRaw answers one request a connection and hands over its first line
// and headers as they came.
func listenRaw(t *testing.T) (addr string, heads <-chan string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	out := make(chan string, 8)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			var head strings.Builder
			for {
				line, err := r.ReadString('\n')
				head.WriteString(line)
				if err != nil || line == "\r\n" {
					break
				}
			}
			out <- head.String()
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
			conn.Close()
		}
	}()
	return ln.Addr().String(), out
}

// TestLinkReachesTheWireByteForByte: a signature does not survive another
// spelling of what it signs.
func TestLinkReachesTheWireByteForByte(t *testing.T) {
	addr, heads := listenRaw(t)
	tests := []struct{ target, want string }{
		{"/c/Customer%20groups.csv?" + query, "/c/Customer%20groups.csv?" + query},
		{"/c/%7BA-1%7D+b%2Bc%2fd.zip?a=%7B&b=+&c=%2B&sig=A%2fb%3D", "/c/%7BA-1%7D+b%2Bc%2fd.zip?a=%7B&b=+&c=%2B&sig=A%2fb%3D"},
		{"/c/{A}|^'(b)!*.zip?b=2&a=1&a=&;x", "/c/{A}|^'(b)!*.zip?b=2&a=1&a=&;x"},
		{"/c/./../b//x?sig=1?2/3#frag", "/c/./../b//x?sig=1?2/3"},
		{"?sig=1", "/?sig=1"},
		{"/c/b", "/c/b"},
		{"/c/Customer groups ä.csv?a=b c", "/c/Customer%20groups%20%C3%A4.csv?a=b%20c"}, // no request line could carry it
	}
	c := testClient(t, ClientOptions{Loopback: true, UserAgent: "finrelay/test"})
	for _, tt := range tests {
		src, err := c.Link("http://" + addr + tt.target)
		if err != nil {
			t.Fatal(err)
		}
		body, err := src.Open(context.Background(), 5, `"0x8D"`)
		if err != nil {
			t.Fatal(err)
		}
		body.Close()
		want := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: finrelay/test\r\nAccept-Encoding: identity\r\n"+
			"If-Match: \"0x8D\"\r\nRange: bytes=5-\r\n\r\n", tt.want, addr)
		if got := <-heads; got != want {
			t.Errorf("%s went out as\n%s\nwant\n%s", tt.target, got, want)
		}
	}
}

// TestPathThatLooksLikeAHost: such a path goes out in the absolute form, and
// still to the host that was checked.
func TestPathThatLooksLikeAHost(t *testing.T) {
	addr, heads := listenRaw(t)
	src, err := testClient(t, ClientOptions{Loopback: true}).Link("http://" + addr + "//evil.example/b?sig=1")
	if err != nil {
		t.Fatal(err)
	}
	body, err := src.Open(context.Background(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	if got := <-heads; !strings.HasPrefix(got, "GET http://"+addr+"//evil.example/b?sig=1 HTTP/1.1\r\nHost: "+addr+"\r\n") {
		t.Errorf("went out as %q", got)
	}
}

func TestOpenWithoutETagStartsAtZero(t *testing.T) {
	a := newAzure(t, []byte("0123456789"))
	body, err := a.source(t).Open(context.Background(), 5, "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, _ := io.ReadAll(body); string(got) != "0123456789" || body.Offset != 0 || body.Size != 10 || a.seen()[0] != "" {
		t.Errorf("got %q from %d of %d, request %q", got, body.Offset, body.Size, a.seen())
	}
}

// TestOpenChecksTheRange: the answer to a range is refused by Open itself, not
// only by Download, unless it continues the blob that was asked for.
func TestOpenChecksTheRange(t *testing.T) {
	const tag = `"0x8D"`
	tests := []struct {
		name, contentRange, etag string
		ok                       bool
	}{
		{"as asked", "bytes 5-9/10", tag, true},
		{"other ETag", "bytes 5-9/10", `"0x8E"`, false},
		{"weak ETag", "bytes 5-9/10", "W/" + tag, false},
		{"no ETag", "bytes 5-9/10", "", false},
		{"other start", "bytes 4-8/9", tag, false},
		{"stops short", "bytes 5-8/10", tag, false},
		{"longer than its Content-Length", "bytes 5-10/11", tag, false},
		{"no total", "bytes 5-9/*", tag, false},
		{"no Content-Range", "", tag, false},
	}
	for _, tt := range tests {
		a := newAzure(t, nil)
		a.then(raw(206, "56789", "Content-Range", tt.contentRange, "ETag", tt.etag, "Content-Length", "5", "X-Ms-Blob-Content-Md5", "1B2M2Y8AsgTpgAmY7PhCfg=="))
		body, err := a.source(t).Open(context.Background(), 5, tag)
		if tt.ok {
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			body.Close()
			if body.Offset != 5 || body.Size != 10 || body.ETag != tag || len(body.MD5) != 16 {
				t.Errorf("%s: Body is %+v", tt.name, body)
			}
			continue
		}
		if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindChanged {
			t.Errorf("%s: Open = %v, want KindChanged", tt.name, err)
		}
	}
}

// TestNothingPrintsTheSignature drives the ways an error or a log line comes
// about with a link in hand.
func TestNothingPrintsTheSignature(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	a := newAzure(t, []byte("x"))
	a.then(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := testClient(t, ClientOptions{Loopback: true, Logger: logger})
	for _, base := range []string{"http://" + closed.Addr().String(), a.URL, "https://" + a.Listener.Addr().String()} {
		src, err := c.Link(base + "/c/b?" + query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = src.Open(context.Background(), 0, "")
		if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindNetwork || link.Host == "" {
			t.Errorf("Open at %s = %v, want KindNetwork", base, err)
		}
		wantNoSecret(t, fmt.Sprintf("%v %+v %#v %s", err, src, src, src))
		logger.Info("opened", "source", src, "error", err)
	}
	body, err := a.source(t).Open(context.Background(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	src, _ := c.Link(a.link())
	if body, err = src.Open(context.Background(), 0, ""); err != nil {
		t.Fatal(err)
	}
	body.Close()
	if !strings.Contains(log.String(), "blob answered") || !strings.Contains(log.String(), "status=200") {
		t.Errorf("log is %q, want a line per answer", log.String())
	}
	wantNoSecret(t, log.String())
}

func TestQuickRetry(t *testing.T) {
	tests := []struct {
		name     string
		answer   http.HandlerFunc
		requests int
	}{
		{"internal error", refuse(500, "InternalError", "m", ""), 2},
		{"reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 2},
		{"busy with a time of its own", raw(503, "", "Retry-After", "1"), 1},
		{"throttled", raw(429, ""), 1},
		{"refused", refuse(403, "AuthenticationFailed", "m", ""), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAzure(t, []byte("x"))
			a.then(tt.answer)
			if body, err := a.source(t).Open(context.Background(), 0, ""); err == nil {
				body.Close()
			}
			if got := len(a.seen()); got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
		})
	}
}

// TestSilence: a server that stops talking is cut, before its header and in
// the middle of its body.
func TestSilence(t *testing.T) {
	hold := make(chan struct{})
	a := newAzure(t, []byte("0123456789"))
	t.Cleanup(func() { close(hold) }) // before the server's own Close, which waits for handlers
	silent := func(sent string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if sent != "" {
				w.Header().Set("Content-Length", "10")
				io.WriteString(w, sent)
				w.(http.Flusher).Flush()
			}
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
	}
	a.then(silent(""), silent("01234"))
	c := testClient(t, ClientOptions{Loopback: true})
	c.openTimeout, c.idleTimeout = 50*time.Millisecond, 50*time.Millisecond
	src, err := c.Link(a.link())
	if err != nil {
		t.Fatal(err)
	}
	_, err = src.Open(context.Background(), 0, "")
	if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindNetwork || !errors.Is(err, errSilent) {
		t.Errorf("Open = %v, want KindNetwork for silence", err)
	}
	c.openTimeout = OpenTimeout
	body, err := src.Open(context.Background(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindNetwork || !errors.Is(err, errSilent) || string(got) != "01234" {
		t.Errorf("read %q, %v, want 01234 and KindNetwork for silence", got, err)
	}
}

func TestStoppedByTheCaller(t *testing.T) {
	a := newAzure(t, []byte("x"))
	stopping := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(stopping)
	_, err := a.source(t).Open(ctx, 0, "")
	if _, ok := errors.AsType[*LinkError](err); ok || !errors.Is(err, stopping) {
		t.Errorf("Open = %v, want the cause and no *LinkError", err)
	}
}

// TestProxy: https goes through a tunnel, the proxy may be private, and its
// own refusal is told from Azure's.
func TestProxy(t *testing.T) {
	blob := httptest.NewTLSServer(raw(200, "through", "X-Ms-Request-Id", "1"))
	t.Cleanup(blob.Close)
	pool := x509.NewCertPool()
	pool.AddCert(blob.Certificate())
	deny := false
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if deny || r.Method != http.MethodConnect || r.Host != "acct.example.com:443" {
			http.Error(w, "denied by policy", http.StatusForbidden)
			return
		}
		tunnel(w, blob.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1") // must not be read
	c := testClient(t, ClientOptions{Hosts: []string{".example.com"}, Proxy: proxyURL, RootCAs: pool})
	src, err := c.Link("https://acct.example.com/c/b?" + query)
	if err != nil {
		t.Fatal(err)
	}
	body, err := src.Open(context.Background(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); string(got) != "through" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	body.Close()
	c.Close()
	deny = true
	_, err = src.Open(context.Background(), 0, "")
	link, ok := errors.AsType[*LinkError](err)
	if !ok || link.Kind != KindNotAzure || link.StatusCode != 403 || !link.Temporary() {
		t.Fatalf("Open = %v, want KindNotAzure with 403", err)
	}
	wantNoSecret(t, err.Error())
}

// TestForeignAnswers: what comes without Azure's headers is no file, whatever
// it calls itself, on loopback too. Of hosts that are named as plain, only a web
// page is refused.
func TestForeignAnswers(t *testing.T) {
	const azureID = "X-Ms-Request-Id"
	tests := []struct {
		name          string
		answer        http.HandlerFunc
		public, plain bool // read as the blob
	}{
		{"web page", raw(200, "<html>", "Content-Type", "text/html"), false, false},
		{"web page as a range", raw(206, "<html>", "Content-Type", "text/html", "Content-Range", "bytes 0-5/6"), false, false},
		{"JSON", raw(200, `{"error":"blocked by corporate policy"}`, "Content-Type", "application/json"), false, true},
		{"text", raw(200, "blocked", "Content-Type", "text/plain"), false, true},
		{"bytes", raw(200, "blocked", "Content-Type", "application/octet-stream", "ETag", `"1"`), false, true},
		{"a range", raw(206, "blocked", "Content-Type", "text/csv", "Content-Range", "bytes 0-6/7"), false, true},
		{"nothing", raw(200, ""), false, true},
		{"Azure's JSON", raw(200, `[{"A":1}]`, "Content-Type", "application/json", azureID, "1"), true, true},
		{"Azure's range", raw(206, "A,B\n1,2", "Content-Type", "text/csv", "Content-Range", "bytes 0-6/7", azureID, "1"), true, true},
		{"a blob that is a web page", raw(200, "<html>", "Content-Type", "text/html", azureID, "1"), true, true},
	}
	for _, tt := range tests {
		blob := httptest.NewTLSServer(tt.answer)
		t.Cleanup(blob.Close)
		pool := x509.NewCertPool()
		pool.AddCert(blob.Certificate())
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			tunnel(w, blob.Listener.Addr().String())
		}))
		t.Cleanup(proxy.Close)
		proxyURL, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		public := testClient(t, ClientOptions{Hosts: []string{".example.com"}, Loopback: true, Proxy: proxyURL, RootCAs: pool})
		plain := testClient(t, ClientOptions{Hosts: []string{".example.com"}, PlainHosts: []string{".example.com"}, Proxy: proxyURL, RootCAs: pool})
		loopback := testClient(t, ClientOptions{Loopback: true, PlainHosts: []string{"files.example.com"}, RootCAs: pool})
		checkForeign(t, tt.name+", public", public, "https://acct.example.com/c/b?"+query, tt.public)
		checkForeign(t, tt.name+", plain", plain, "https://acct.example.com/c/b?"+query, tt.plain)
		checkForeign(t, tt.name+", loopback", loopback, blob.URL+"/c/b?"+query, tt.public)
		for _, c := range []*Client{public, plain, loopback} {
			c.Close()
		}
	}
}

func checkForeign(t *testing.T, name string, c *Client, to string, isBlob bool) {
	t.Helper()
	src, err := c.Link(to)
	if err != nil {
		t.Fatal(err)
	}
	body, err := src.Open(context.Background(), 0, "")
	if isBlob {
		if err != nil {
			t.Errorf("%s: Open = %v, want the blob", name, err)
			return
		}
		body.Close()
		return
	}
	if link, ok := errors.AsType[*LinkError](err); !ok || link.Kind != KindNotAzure || !link.Temporary() {
		t.Errorf("%s: Open = %v, want KindNotAzure, temporary", name, err)
	}
}

// tunnel joins a CONNECT request with addr and ends with either side.
func tunnel(w http.ResponseWriter, addr string) {
	up, err := net.Dial("tcp", addr)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer up.Close()
	w.WriteHeader(http.StatusOK)
	down, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	go func() {
		io.Copy(up, buffered)
		up.Close()
	}()
	io.Copy(down, up)
	down.Close()
}

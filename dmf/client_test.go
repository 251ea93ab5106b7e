package dmf

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// testClock is a clock that stands still until it is moved.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newTestClock() *testClock {
	return &testClock{now: time.Date(2026, 3, 2, 9, 15, 42, 0, time.UTC)}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// testTokens gives token-1, and the next one after a Forget.
type testTokens struct {
	mu     sync.Mutex
	n      int
	forgot []string
	err    error
}

func (s *testTokens) Token(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if s.err != nil {
		return "", s.err
	}
	return fmt.Sprintf("token-%d", s.n+1), nil
}

func (s *testTokens) Forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgot = append(s.forgot, token)
	s.n++
}

// finops is a Client and the server it speaks to.
type finops struct {
	*Client
	server *httptest.Server
	clock  *testClock
	tokens *testTokens

	mu       sync.Mutex
	requests []string // "GET /path"
}

// startFinOps serves handler as an environment on loopback.
func startFinOps(t *testing.T, handler http.HandlerFunc) *finops {
	t.Helper()
	f := &finops{clock: newTestClock(), tokens: &testTokens{}}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.EscapedPath())
		f.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(f.server.Close)
	f.Client = f.connect(t, ClientOptions{})
	return f
}

func (f *finops) connect(t *testing.T, opt ClientOptions) *Client {
	t.Helper()
	opt.URL, opt.Tokens, opt.Now = f.server.URL, f.tokens, f.clock.Now
	c, err := NewClient(opt)
	if err != nil {
		t.Fatal(err)
	}
	c.circuit.jitter = func() float64 { return 1 }
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (f *finops) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests)
}

// answers serves one answer after the other, the last one again and again.
func answers(steps ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		step := steps[min(next, len(steps)-1)]
		next++
		mu.Unlock()
		step(w, r)
	}
}

func answer200(body string) http.HandlerFunc { return answerStatus(http.StatusOK, body) }

// answerStatus answers with status, body and headers given as name, value.
func answerStatus(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that hung up is the test's own matter
	}
}

// hangUp takes the request and breaks the connection.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

const testActivity ActivityID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

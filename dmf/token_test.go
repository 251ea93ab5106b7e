package dmf

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// issuer counts what it issues; each token lives an hour.
type issuer struct {
	n     int
	fresh []bool
	err   error
}

func (i *issuer) issue(_ context.Context, fresh bool) (issued, error) {
	i.fresh = append(i.fresh, fresh)
	if i.err != nil {
		return issued{}, i.err
	}
	i.n++
	return issued{token: fmt.Sprintf("t%d", i.n), life: time.Hour}, nil
}

func newTestCache() (*cachedToken, *issuer, *testClock) {
	i, clock := &issuer{}, newTestClock()
	return &cachedToken{issue: i.issue, now: clock.Now, turn: make(chan struct{}, 1)}, i, clock
}

func wantToken(t *testing.T, c *cachedToken, want string) {
	t.Helper()
	if got, err := c.Token(t.Context()); got != want || err != nil {
		t.Fatalf("Token() = %q, %v; want %q", got, err, want)
	}
}

func TestTokenRenewedEarly(t *testing.T) {
	c, _, clock := newTestCache()
	wantToken(t, c, "t1")
	clock.Advance(time.Hour - renewEarly - time.Second)
	wantToken(t, c, "t1")
	clock.Advance(time.Second)
	wantToken(t, c, "t2")
}

// TestTokenOutlivesOutage: a token that is still good goes on while the
// authority is down, and the authority is not asked for every call.
func TestTokenOutlivesOutage(t *testing.T) {
	c, i, clock := newTestCache()
	wantToken(t, c, "t1")
	clock.Advance(time.Hour - renewEarly)
	i.err = &SignInError{Status: 503, Hint: "down"}
	for range 3 {
		wantToken(t, c, "t1")
	}
	if len(i.fresh) != 2 {
		t.Errorf("asked %d times, want once for the first and once for the renewal", len(i.fresh))
	}
	clock.Advance(renewEarly - lastUse)
	if token, err := c.Token(t.Context()); !errors.Is(err, i.err) || token != "" {
		t.Errorf("at its end: %q, %v", token, err)
	}
	i.err = nil
	clock.Advance(failureRest)
	wantToken(t, c, "t2")
}

func TestTokenFailureRests(t *testing.T) {
	c, i, clock := newTestCache()
	i.err = &SignInError{Status: 429, RetryAfter: time.Minute}
	for range 3 {
		if _, err := c.Token(t.Context()); !errors.Is(err, i.err) {
			t.Fatal(err)
		}
	}
	clock.Advance(time.Minute - time.Second)
	if _, err := c.Token(t.Context()); err == nil || len(i.fresh) != 1 {
		t.Errorf("before Retry-After: %v, asked %d times", err, len(i.fresh))
	}
	i.err = nil
	clock.Advance(time.Second)
	wantToken(t, c, "t1")
}

func TestForget(t *testing.T) {
	c, i, _ := newTestCache()
	wantToken(t, c, "t1")
	c.Forget("another")
	c.Forget("")
	wantToken(t, c, "t1")
	c.Forget("t1")
	wantToken(t, c, "t2")
	c.Forget("t1") // a late refusal of the old one
	wantToken(t, c, "t2")
	if want := []bool{false, true}; fmt.Sprint(i.fresh) != fmt.Sprint(want) {
		t.Errorf("asked for fresh tokens %v, want %v", i.fresh, want)
	}
}

func TestTokenSingleFlight(t *testing.T) {
	c, i, clock := newTestCache()
	begun, goOn := make(chan struct{}), make(chan struct{})
	c.issue = func(ctx context.Context, fresh bool) (issued, error) {
		close(begun)
		<-goOn
		return i.issue(ctx, fresh)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := c.Token(context.Background()); got != "t1" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	<-begun
	// One that does not want to wait does not have to.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter that gave up got %v", err)
	}
	close(goOn)
	wg.Wait()
	_ = clock
	if i.n != 1 {
		t.Errorf("issued %d tokens, want 1", i.n)
	}
}

// TestTokenCallerGivesUp: the end of one caller's context says nothing about
// the authority and is not remembered.
func TestTokenCallerGivesUp(t *testing.T) {
	c, i, _ := newTestCache()
	ctx, cancel := context.WithCancel(t.Context())
	i.err = errors.New("cut")
	plain := c.issue
	c.issue = func(ctx context.Context, fresh bool) (issued, error) { cancel(); return plain(ctx, fresh) }
	if _, err := c.Token(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	i.err, c.issue = nil, plain
	wantToken(t, c, "t1")
}

package dmf

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Ages of a token.
const (
	// renewEarly is how long before its end a token is renewed. Within it a
	// failing authority does no harm: the old token goes on until lastUse.
	//
	// Observed: microsoft/Recurring-Integrations-Scheduler renews 60 s early,
	// scripts of a 10.0.48 sandbox 300 s.
	renewEarly = 5 * time.Minute
	lastUse    = 30 * time.Second
	// failureRest keeps a refused sign-in from being repeated by every worker.
	failureRest = 5 * time.Second
)

// issued is a token with the life its authority gave it.
type issued struct {
	token string
	life  time.Duration
}

// cachedToken keeps one token. One caller at a time signs in, with its own
// context; the others wait for it, each as long as its own context lasts.
type cachedToken struct {
	issue func(ctx context.Context, fresh bool) (issued, error)
	now   func() time.Time
	turn  chan struct{} // holds one: the right to sign in

	mu        sync.Mutex
	token     string
	renewAt   time.Time
	goodUntil time.Time
	refused   bool // the last token was refused: no cache further down will do
	err       error
	errUntil  time.Time
}

// Token implements TokenSource.
func (c *cachedToken) Token(ctx context.Context) (string, error) {
	if token, err, known := c.known(); known {
		return token, err
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctxCause(ctx)
	}
	defer func() { <-c.turn }()
	if token, err, known := c.known(); known {
		return token, err
	}
	c.mu.Lock()
	fresh := c.refused
	c.mu.Unlock()
	begin := c.now()
	got, err := c.issue(ctx, fresh)
	if err != nil && ctx.Err() != nil {
		return "", ctxCause(ctx) // tells nothing about the authority
	}
	return c.settle(begin, got, err)
}

// known answers from memory when it can: a young token, or a failure that was
// just now.
func (c *cachedToken) known() (string, error, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.token != "" && now.Before(c.renewAt) {
		return c.token, nil, true
	}
	if c.err != nil && now.Before(c.errUntil) {
		if c.token != "" && now.Before(c.goodUntil) {
			return c.token, nil, true
		}
		return "", c.err, true
	}
	return "", nil, false
}

func (c *cachedToken) settle(begin time.Time, got issued, err error) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.token, c.err, c.refused = got.token, nil, false
		c.goodUntil = begin.Add(got.life - min(lastUse, got.life/5))
		c.renewAt = begin.Add(got.life - min(renewEarly, got.life/5))
		return c.token, nil
	}
	rest := failureRest
	if s, ok := errors.AsType[*SignInError](err); ok && s.RetryAfter > rest {
		rest = s.RetryAfter
	}
	now := c.now()
	c.err, c.errUntil = err, now.Add(rest)
	if c.token != "" && now.Before(c.goodUntil) {
		return c.token, nil
	}
	return "", err
}

// Forget implements TokenSource.
func (c *cachedToken) Forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token != "" && token == c.token {
		c.token, c.refused = "", true
	}
}

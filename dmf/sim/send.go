package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// RetryOptions are FinOps' parameters for sending events. The defaults are
// FinOps' own.
//
// Source: Microsoft Learn, "Business events overview": retry count 3, wait
// 1000 ms, HTTP timeout 10 s.
type RetryOptions struct {
	Tries   int           // 0 = 3
	Wait    time.Duration // between two tries; 0 = 1 s, negative = none
	Timeout time.Duration // of one try; 0 = 10 s

	// Sleep waits between two tries and returns early with an error when ctx
	// ends; nil = real time. Tests put their own in.
	Sleep func(ctx context.Context, d time.Duration) error
	// Transport carries the posts; nil = one of the simulator's own, without a
	// proxy. Give one that trusts a test's certificate.
	Transport http.RoundTripper
}

// sender posts events and keeps the list of those given up.
type sender struct {
	opt    RetryOptions
	clock  *Clock
	client *http.Client
	own    *http.Transport // nil when the transport is the caller's

	mu     sync.Mutex
	sent   int
	failed []Delivery
}

func newSender(opt RetryOptions, clock *Clock) *sender {
	if opt.Tries == 0 {
		opt.Tries = 3
	}
	opt.Wait = max(0, orDefault(opt.Wait, time.Second))
	opt.Timeout = orDefault(opt.Timeout, 10*time.Second)
	if opt.Sleep == nil {
		opt.Sleep = func(ctx context.Context, d time.Duration) error {
			if !pause(ctx, d) {
				return ctx.Err()
			}
			return nil
		}
	}
	sn := &sender{opt: opt, clock: clock}
	if opt.Transport == nil {
		sn.own = &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}
		opt.Transport = sn.own
	}
	sn.client = &http.Client{
		Transport: opt.Transport,
		Timeout:   opt.Timeout,
		// Assumed: FinOps follows no redirect of a POST. Following one would
		// hide an endpoint that is not where it should be.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return sn
}

func (sn *sender) close() {
	if sn.own != nil {
		sn.own.CloseIdleConnections()
	}
}

// Send posts the body as FinOps does and returns when it is delivered, given
// up, or ctx has ended. Any 2xx is delivered (Assumed: the documentation names
// no status). An event that was given up is in Errors. Several Sends may run
// at once, as FinOps' threads do; nothing keeps their order.
func (s *Sim) Send(ctx context.Context, endpoint string, body []byte) Delivery {
	s.sender.mu.Lock()
	s.sender.sent++
	id := fmt.Sprintf("D%06d", s.sender.sent)
	s.sender.mu.Unlock()
	d := Delivery{ID: id, Endpoint: withoutQuery(endpoint), Body: bytes.Clone(body), target: endpoint}
	d = s.sender.run(ctx, d)
	s.log.Info("event", "delivery", d.ID, "endpoint", d.Endpoint, "tries", len(d.Tries), "delivered", d.Delivered)
	return d
}

// Errors returns the events that were given up, in the order of giving up:
// FinOps' Errors tab.
func (s *Sim) Errors() []Delivery {
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	return slices.Clone(s.sender.failed)
}

// Resend takes a given-up event from Errors and sends it again: the same body,
// so with a link as old as the event. It returns an error for an id that is not
// in Errors.
func (s *Sim) Resend(ctx context.Context, id string) (Delivery, error) {
	s.sender.mu.Lock()
	i := slices.IndexFunc(s.sender.failed, func(d Delivery) bool { return d.ID == id })
	if i < 0 {
		s.sender.mu.Unlock()
		return Delivery{}, fmt.Errorf("resend %s: not among the events given up", id)
	}
	d := s.sender.failed[i]
	s.sender.failed = slices.Delete(s.sender.failed, i, i+1)
	s.sender.mu.Unlock()
	d.Tries = nil
	return s.sender.run(ctx, d), nil
}

func (sn *sender) run(ctx context.Context, d Delivery) Delivery {
	for i := range sn.opt.Tries {
		if i > 0 && sn.opt.Sleep(ctx, sn.opt.Wait) != nil {
			break
		}
		t := sn.post(ctx, d)
		d.Tries = append(d.Tries, t)
		if t.Err == nil && t.Status/100 == 2 {
			d.Delivered = true
			return d
		}
	}
	sn.mu.Lock()
	defer sn.mu.Unlock()
	sn.failed = append(sn.failed, d)
	return d
}

// post makes one try.
func (sn *sender) post(ctx context.Context, d Delivery) (t Try) {
	began := time.Now()
	t.Time = sn.clock.Now()
	defer func() { t.Took = time.Since(began) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.target, bytes.NewReader(d.Body))
	if err != nil {
		t.Err = causeOf(err)
		return t
	}
	// Assumed: the type; the documentation does not name one.
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := sn.client.Do(req)
	if err != nil {
		t.Err = causeOf(err)
		return t
	}
	defer resp.Body.Close()
	t.Status = resp.StatusCode
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 2<<10))
	t.Answer = string(answer)
	if err != nil {
		t.Err = fmt.Errorf("read answer: %w", err)
	}
	return t
}

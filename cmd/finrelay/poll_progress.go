package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"finrelay/flows"
	"finrelay/web"
)

// How often a poll at work is asked how far it is, and how often that is said:
// on a terminal one line that changes, elsewhere lines for a log.
const (
	pollLookEvery = 300 * time.Millisecond
	pollSayEvery  = 10 * time.Second
)

// pollWatch says how far a poll has come while its answer is waited for.
type pollWatch struct {
	cancel context.CancelFunc
	over   sync.WaitGroup
	last   flows.PollProgress // of the last look
}

// watchPoll looks beside the request; end must be called.
func (a *app) watchPoll(ctx context.Context, s *session, flow string) *pollWatch {
	ctx, cancel := context.WithCancel(ctx)
	w := &pollWatch{cancel: cancel}
	terminal := isTerminal(a.stderr)
	w.over.Go(func() {
		tick := time.NewTicker(pollLookEvery)
		defer tick.Stop()
		said := time.Now()
		for {
			select {
			case <-ctx.Done():
				if terminal {
					fmt.Fprint(a.stderr, "\r\x1b[K")
				}
				return
			case <-tick.C:
			}
			p, ok := s.pollProgress(ctx, flow)
			if !ok {
				continue
			}
			w.last = p
			switch {
			case terminal:
				fmt.Fprintf(a.stderr, "\r\x1b[K%s: %s", flow, progressText(p))
			case time.Since(said) >= pollSayEvery:
				said = time.Now()
				fmt.Fprintf(a.stderr, "%s: %s\n", flow, progressText(p))
			}
		}
	})
	return w
}

// end stops looking and gives what was seen last.
func (w *pollWatch) end() flows.PollProgress {
	w.cancel()
	w.over.Wait()
	return w.last
}

func (s *session) pollProgress(ctx context.Context, flow string) (flows.PollProgress, bool) {
	queues, err := s.Queues(ctx)
	for _, q := range queues {
		if err == nil && q.Flow == flow && q.Progress != nil {
			return *q.Progress, true
		}
	}
	return flows.PollProgress{}, false
}

// progressText is how far a poll is: "12 messages taken, 11 done, now sh_... for 34s".
func progressText(p flows.PollProgress) string {
	text := fmt.Sprintf("%s taken, %d done", plural(int64(p.Messages), "message", "messages"), p.Done)
	if p.Shipment != "" {
		text += fmt.Sprintf(", now %s for %s", p.Shipment, ago(p.ShipmentSince))
	}
	return text
}

// drainText says how far a queue's poll is, as status tells it.
func drainText(q web.QueueView) string {
	if q.Progress != nil {
		return progressText(*q.Progress)
	}
	return fmt.Sprintf("%d messages so far; it has not been found empty yet", q.Messages)
}

// cutOff says what a poll had done when it could not be waited for to its end.
func cutOff(flow string, p flows.PollProgress, err error) error {
	far := "before it was seen to take a message"
	if p.Messages > 0 {
		far = "when it had " + progressText(p)
	}
	if _, ok := errors.AsType[*web.LostError](err); ok {
		return &codedError{exitUnreachable, fmt.Errorf("flow %s: the server went away %s (%w). Nothing is lost: what is done has landed or stands on the list, "+
			"what was taken goes on at the next start, and FinOps keeps each message that is not acknowledged. "+
			"Start the server again with finrelay serve: it drains on by itself; finrelay status says how things stand", flow, far, err)}
	}
	if refused, ok := errors.AsType[*web.RequestError](err); ok && refused.Status == http.StatusConflict {
		return fmt.Errorf("flow %s: its queue is being polled already: %s; finrelay status says how far it is", flow, progressText(p))
	}
	if errors.Is(err, context.Canceled) && p.Messages > 0 {
		return &codedError{exitInterrupted, fmt.Errorf("flow %s: interrupted %s; nothing is lost, and finrelay poll %s goes on", flow, far, flow)}
	}
	return err
}

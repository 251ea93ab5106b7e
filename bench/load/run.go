package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// answerWait bounds one request: FinOps itself waits no longer for an answer.
//
// Source: Microsoft Learn, "Business events overview": endpoints must answer
// within 10 seconds.
const answerWait = 10 * time.Second

// Plan is one run of load.
type Plan struct {
	Door        string // URL to post to
	Connections int
	For         time.Duration
	Max         int64 // requests at most; the run ends earlier when they are used up
	Events      Events
	First       int64 // number of the first event

	// MayDie: the server is expected to end under the load. Connections that
	// break then are no error.
	MayDie bool
}

// Result is what a run saw.
type Result struct {
	Acked     []int64 // numbers of the events that were answered 2xx
	Latencies []time.Duration
	Elapsed   time.Duration
	Statuses  map[int]int64
	Broken    int64 // requests without an answer
}

// PerSecond is the rate of acknowledged events.
func (r Result) PerSecond() float64 { return float64(len(r.Acked)) / r.Elapsed.Seconds() }

// Run posts until the plan's time or its requests are over, or ctx ends.
func Run(ctx context.Context, plan Plan) (Result, error) {
	door, err := url.Parse(plan.Door)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, plan.For)
	defer cancel()
	var (
		next  atomic.Int64
		group sync.WaitGroup
		parts = make([]Result, plan.Connections)
		errs  = make([]error, plan.Connections)
	)
	next.Store(plan.First)
	began := time.Now()
	for i := range plan.Connections {
		group.Go(func() {
			c := connection{plan: plan, door: door, next: &next, result: &parts[i]}
			errs[i] = c.run(ctx)
		})
	}
	group.Wait()
	total := Result{Elapsed: time.Since(began), Statuses: map[int]int64{}}
	for _, part := range parts {
		total.Acked = append(total.Acked, part.Acked...)
		total.Latencies = append(total.Latencies, part.Latencies...)
		total.Broken += part.Broken
		for status, n := range part.Statuses {
			total.Statuses[status] += n
		}
	}
	return total, errors.Join(errs...)
}

type connection struct {
	plan   Plan
	door   *url.URL
	next   *atomic.Int64
	result *Result

	conn    net.Conn
	answers *bufio.Reader
	request []byte
	body    []byte
}

func (c *connection) run(ctx context.Context) error {
	c.result.Statuses = map[int]int64{}
	defer func() {
		if c.conn != nil {
			c.conn.Close()
		}
	}()
	for ctx.Err() == nil {
		n := c.next.Add(1) - 1
		if c.plan.Max > 0 && n >= c.plan.First+c.plan.Max {
			return nil
		}
		began := time.Now()
		status, err := c.post(n)
		if err != nil {
			c.result.Broken++
			if c.plan.MayDie {
				return nil
			}
			return fmt.Errorf("post event %d: %w", n, err)
		}
		c.result.Latencies = append(c.result.Latencies, time.Since(began))
		c.result.Statuses[status]++
		if status/100 == 2 {
			c.result.Acked = append(c.result.Acked, n)
		}
	}
	return nil
}

func (c *connection) post(n int64) (status int, err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.door.Host); err != nil {
			return 0, err
		}
		c.answers = bufio.NewReader(c.conn)
	}
	c.body = c.plan.Events.Append(c.body[:0], n)
	r := append(c.request[:0], "POST "...)
	r = append(r, c.door.RequestURI()...)
	r = append(r, " HTTP/1.1\r\nHost: "...)
	r = append(r, c.door.Host...)
	r = append(r, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	r = strconv.AppendInt(r, int64(len(c.body)), 10)
	r = append(r, "\r\n\r\n"...)
	c.request = append(r, c.body...)
	if err := c.conn.SetDeadline(time.Now().Add(answerWait)); err != nil {
		return 0, err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return 0, err
	}
	if resp.Close {
		err = c.conn.Close()
		c.conn = nil
	}
	return resp.StatusCode, err
}

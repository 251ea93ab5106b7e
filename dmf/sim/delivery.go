package sim

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Delivery is the fate of one event.
type Delivery struct {
	ID        string // for Resend
	Endpoint  string // without its query, which holds the key
	Body      []byte
	Tries     []Try
	Delivered bool // the last try was answered 2xx

	target string // with the query
}

// Try is one post.
type Try struct {
	Time   time.Time     // on the simulator's clock
	Took   time.Duration // real time
	Status int           // 0 = no answer
	Answer string        // the first 2 KiB of the answer's body
	Err    error         // why there was no answer; never holds the query
}

// String gives one line, for a demo's table or a test's message.
func (d Delivery) String() string {
	state := "given up"
	if d.Delivered {
		state = "delivered"
	}
	last := "no try"
	if n := len(d.Tries); n > 0 {
		t := d.Tries[n-1]
		last = fmt.Sprintf("try %d: status %d", n, t.Status)
		if t.Err != nil {
			last = fmt.Sprintf("try %d: %v", n, t.Err)
		}
	}
	return fmt.Sprintf("event %s to %s: %s (%s)", d.ID, d.Endpoint, state, last)
}

// causeOf takes the URL, and with it the endpoint's key, out of an error.
func causeOf(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func withoutQuery(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "<not a URL>"
	}
	u.RawQuery, u.User, u.Fragment = "", nil, ""
	return u.String()
}

package sim

import (
	"bytes"
	"io"
	"sync"
	"time"

	"finrelay/dmf"
)

// DefaultVisibility is how long a dequeued message stays hidden.
// Source: Microsoft Learn, "Recurring integrations": 30 minutes.
const DefaultVisibility = 30 * time.Minute

// LocationStyle is how a dequeue writes DownloadLocation.
type LocationStyle string

// The styles. Behind a load balancer FinOps writes http, sometimes with a port.
//
// Source: Microsoft Learn, "Recurring integrations", and the clients that
// rewrite the location.
const (
	LocationHTTP   LocationStyle = "http"    // the default: http and the base URL's host
	LocationHTTP80 LocationStyle = "http:80" // http, the base URL's host name and port 80
	LocationHTTPS  LocationStyle = "https"   // https and the base URL's host
	LocationBase   LocationStyle = "base"    // the base URL as it is
)

// ActivityOptions says how one recurring data job behaves. The zero value is a
// job every listed app may use.
type ActivityOptions struct {
	Project      string        // its data project, for execution ids and jobstatus
	Clients      []string      // app ids on the job; nil = every listed app
	Location     LocationStyle // "" = LocationHTTP
	Braces       bool          // the id in DownloadLocation is in braces, percent-encoded
	Visibility   time.Duration // 0 = DefaultVisibility
	StaleReceipt int           // status of an ack that holds an old receipt; 0 = 500
	EmptyAs200   bool          // an empty queue is 200 without a body instead of 204
}

// activity is one recurring job with its queue.
type activity struct {
	id  string // as given
	opt ActivityOptions

	messages []*Message          // all that ever were, in the order they came
	first    int                 // every message before it is acked
	byID     map[string]*Message // by folded correlation id
}

// queues holds the activities. Its lock covers their messages too.
type queues struct {
	mu         sync.Mutex
	activities map[string]*activity // by folded id
	imports    map[string]*imported // by message id
	acked      []*Message
}

func newQueues() *queues {
	return &queues{activities: make(map[string]*activity), imports: make(map[string]*imported)}
}

// AddActivity adds a recurring data job, or gives one that is there other
// options; its messages stay. id is a GUID, bare or in braces, in any case.
func (s *Sim) AddActivity(id string, opt ActivityOptions) {
	opt.Visibility = orDefault(opt.Visibility, DefaultVisibility)
	if opt.StaleReceipt == 0 {
		opt.StaleReceipt = 500
	}
	if opt.Location == "" {
		opt.Location = LocationHTTP
	}
	q := s.queues
	q.mu.Lock()
	defer q.mu.Unlock()
	if a := q.activities[dmf.Fold(id)]; a != nil {
		a.opt = opt
		return
	}
	q.activities[dmf.Fold(id)] = &activity{id: id, opt: opt, byID: make(map[string]*Message)}
}

// MessageOptions says what a message carries beside its file. The zero value
// is a message whose file comes from the data given to Enqueue.
type MessageOptions struct {
	CorrelationID string // "" = made
	NoFile        bool   // there is no file, as after an upload that went wrong or a run of no rows
	Error         string // FileDownLoadErrorMessage; "" = the usual one where there is no file
	Blob          *Blob  // the file is this one, as an event may name it too; data is not read
	ExecutionID   string // of the run that made it, for GetExecutionIdByMessageId
	Created       time.Time
}

// Enqueue puts a message into an activity's queue, as FinOps' own batch does
// when a recurring export has run. The file stays for Options.Retention. It
// panics on an activity that AddActivity does not know. Data is copied.
func (s *Sim) Enqueue(activity string, data []byte, opt MessageOptions) *Message {
	return s.EnqueueFrom(activity, bytes.NewReader(bytes.Clone(data)), int64(len(data)), opt)
}

// EnqueueFrom is Enqueue for files too large, or too many, for memory; see
// PutBlobFrom.
func (s *Sim) EnqueueFrom(activity string, data io.ReaderAt, size int64, opt MessageOptions) *Message {
	m := &Message{
		q:             s.queues,
		CorrelationID: orElse(opt.CorrelationID, s.ids.guidLower("message")),
		ExecutionID:   opt.ExecutionID,
		Blob:          opt.Blob,
		blobID:        s.ids.guidLower("message blob"),
		problem:       opt.Error,
		enqueued:      s.clock.Now(),
	}
	if m.Blob == nil && !opt.NoFile {
		m.Blob = s.PutBlobFrom("queue/"+m.blobID, data, size, BlobOptions{Created: opt.Created})
	}
	q := s.queues
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.activities[dmf.Fold(activity)]
	if a == nil {
		panic("sim: enqueue: no activity " + activity + "; add it with AddActivity")
	}
	m.Activity = a.id
	a.messages = append(a.messages, m)
	a.byID[dmf.Fold(m.CorrelationID)] = m
	return m
}

// Acked returns the acknowledged messages of all activities, in the order of
// the acks.
func (s *Sim) Acked() []*Message {
	s.queues.mu.Lock()
	defer s.queues.mu.Unlock()
	return append([]*Message(nil), s.queues.acked...)
}

// Messages returns all messages of an activity that ever were, in the order
// they came; nil for an activity that does not exist.
func (s *Sim) Messages(activity string) []*Message {
	s.queues.mu.Lock()
	defer s.queues.mu.Unlock()
	a := s.queues.activities[dmf.Fold(activity)]
	if a == nil {
		return nil
	}
	return append([]*Message(nil), a.messages...)
}

// Waiting returns how many messages of an activity are not acknowledged,
// hidden ones included.
func (s *Sim) Waiting(activity string) int {
	s.queues.mu.Lock()
	defer s.queues.mu.Unlock()
	a := s.queues.activities[dmf.Fold(activity)]
	if a == nil {
		return 0
	}
	n := 0
	for _, m := range a.messages[a.first:] {
		if m.state != MessageAcked {
			n++
		}
	}
	return n
}

// find returns an activity by an id in any spelling; nil if there is none.
func (q *queues) find(id string) *activity {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.activities[dmf.Fold(id)]
}

// options returns an activity's options as they are now.
func (q *queues) options(a *activity) ActivityOptions {
	q.mu.Lock()
	defer q.mu.Unlock()
	return a.opt
}

// message finds a message of any activity by its correlation id.
func (q *queues) message(id string) *Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range q.activities {
		if m := a.byID[dmf.Fold(id)]; m != nil {
			return m
		}
	}
	return nil
}

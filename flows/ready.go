package flows

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"finrelay/state"
)

const (
	// probePatience is how long the ledger may take to write or to answer.
	probePatience = 2 * time.Second
	// probeEvery is how long an answer is good for, so that a storm of
	// questions costs no more than one.
	probeEvery = time.Second
	// leastFree is what must be free for the state folder, in bytes. It is
	// little: a door that is called shut takes no event, and an event is a
	// kilobyte. It is not nothing, because a ledger that was written just now
	// may have used room that it had already.
	leastFree = 64 << 20
)

// Trouble is why events cannot be accepted now.
type Trouble struct {
	What   string `json:"what"`             // a line that strangers may read
	Detail string `json:"detail,omitempty"` // the error, for those who run finrelay
}

// readiness is what the last look found.
type readiness struct {
	mu             sync.Mutex
	at             time.Time
	found          []Trouble
	write, answers question
}

// Troubles says why events cannot be accepted now: the ledger cannot be written
// or read, or its disk has no room. None is a door that works, wherever FinOps
// is. It writes to the ledger to find out, once a second at most, and takes no
// longer than a few seconds.
func (r *Relay) Troubles() []Trouble {
	r.ready.mu.Lock()
	defer r.ready.mu.Unlock()
	if r.ready.at.IsZero() || time.Since(r.ready.at) >= probeEvery {
		r.ready.found = r.lookForTrouble()
		r.ready.at = time.Now()
	}
	return r.ready.found
}

func (r *Relay) lookForTrouble() []Trouble {
	found := r.NoRoom()
	add := func(cannot string, err error) {
		if err != nil {
			found = append(found, Trouble{What: cannot + why(err), Detail: err.Error()})
		}
	}
	r.ready.write.ask(r.db.Probe)
	r.ready.answers.ask(r.db.Answers)
	patience, done := context.WithTimeout(context.Background(), probePatience)
	defer done()
	add("the ledger cannot be written", r.ready.write.answer(patience))
	add("the ledger does not answer", r.ready.answers.answer(patience))
	return found
}

// NoRoom is the one of Troubles that is seen without writing.
func (r *Relay) NoRoom() []Trouble {
	free, known := r.db.Free()
	if !known || free >= leastFree {
		return nil
	}
	return []Trouble{{
		What:   "the state folder's disk is full, or nearly",
		Detail: fmt.Sprintf("%d MiB are free for %s; less than %d MiB is too little", free>>20, r.db.Folder(), leastFree>>20),
	}}
}

// why is a cause that strangers may know.
func why(err error) string {
	switch {
	case errors.Is(err, errTooSlow):
		return ": it takes too long"
	case state.DiskFull(err):
		return ": the disk is full"
	case state.ReadOnly(err):
		return ": the disk is read-only"
	}
	return ""
}

var errTooSlow = fmt.Errorf("no answer within %v", probePatience)

// question is one to the ledger, on its way. One that nobody answered is not
// asked again beside itself: the next look waits for the same answer.
type question struct{ pending chan error }

func (q *question) ask(of func(context.Context) error) {
	if q.pending != nil {
		return
	}
	answer := make(chan error, 1)
	q.pending = answer
	go func() { answer <- of(context.Background()) }()
}

// answer waits until patience ends: errTooSlow.
func (q *question) answer(patience context.Context) error {
	select {
	case err := <-q.pending:
		q.pending = nil
		return err
	case <-patience.Done():
		return errTooSlow
	}
}

package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Looking answers the questions of the control API from a ledger that was
// opened by state.OpenToLook. What is asked to change something is refused.
type Looking struct {
	open func() (*API, error)

	mu      sync.Mutex
	api     *API // nil when it is to be opened
	handler http.Handler
}

// NewLooking opens the ledger with open, now and whenever what was read of it is
// not steady. The caller must Close.
func NewLooking(open func() (*API, error)) (*Looking, error) {
	l := &Looking{open: open}
	return l, l.again()
}

func (l *Looking) again() (err error) {
	if l.api, err = l.open(); err == nil {
		l.handler = l.api.Handler()
	}
	return err
}

// mostLooks bounds how often an answer is read anew: a ledger is opened in
// another way as soon as somebody works on it.
const mostLooks = 10

var errUnsteady = errors.New("the ledger changes while it is read; try again")

// ServeHTTP gives an answer only when all of it was read from one state of the
// ledger.
func (l *Looking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range mostLooks {
		if l.api == nil {
			if err := l.again(); err != nil {
				l.refuse(w, r, err)
				return
			}
		}
		answer := httptest.NewRecorder()
		l.handler.ServeHTTP(answer, r)
		if l.api.DB.Steady() {
			for k, v := range answer.Header() {
				w.Header()[k] = v
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes()) // the client may be gone
			return
		}
		if err := l.close(); err != nil {
			l.refuse(w, r, err)
			return
		}
	}
	l.refuse(w, r, errUnsteady)
}

func (l *Looking) refuse(w http.ResponseWriter, r *http.Request, err error) {
	handle(func(*http.Request) (any, error) { return nil, err }).ServeHTTP(w, r)
}

// Close closes the ledger, if it is open.
func (l *Looking) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.close()
}

func (l *Looking) close() error {
	if l.api == nil {
		return nil
	}
	db := l.api.DB
	l.api, l.handler = nil, nil
	return db.Close()
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"finrelay/dmf/sim"
	"finrelay/web"
)

// servedHere is a server in the test's own process, for the many restarts
// that need no process to kill.
type servedHere struct {
	Client *web.Client

	stop context.CancelFunc
	code chan int
	log  *firstWords
}

// firstWords is a log in which one line says where the server listens.
type firstWords struct {
	mu   sync.Mutex
	text bytes.Buffer
	door chan string
}

var doorInLog = regexp.MustCompile(`events=(http://[^/]+)/in/`)

func (l *firstWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := doorInLog.FindSubmatch(p); m != nil {
		l.door <- string(m[1])
	}
	return l.text.Write(p)
}

func (l *firstWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serveHere serves a folder until Stop. It gives the door's address.
func serveHere(folder string) (*servedHere, string, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &servedHere{stop: cancel, code: make(chan int, 1), log: &firstWords{door: make(chan string, 1)}}
	go func() {
		s.code <- run(ctx, []string{"serve", "-c", filepath.Join(folder, defaultFile)}, nil, s.log, s.log)
	}()
	socket, err := web.SocketPath(filepath.Join(folder, crashState))
	if err != nil {
		return nil, "", errors.Join(err, s.Stop())
	}
	s.Client = web.Dial(socket)
	select {
	case door := <-s.log.door:
		return s, door, nil
	case code := <-s.code:
		cancel()
		return nil, "", fmt.Errorf("serve ended with exit code %d:\n%s", code, s.log)
	case <-time.After(longest):
		return nil, "", errors.Join(fmt.Errorf("serve does not listen after %s:\n%s", longest, s.log), s.Stop())
	}
}

// Stop ends the server as a signal does.
func (s *servedHere) Stop() error {
	s.stop()
	if code := <-s.code; code != exitDone {
		return fmt.Errorf("serve ended with exit code %d:\n%s", code, s.log)
	}
	return nil
}

// restHere is short: with a file gone that the ledger counts on, rest may never
// come, and the test that proves so should not take long.
const restHere = 20 * time.Second

// Rest waits until nothing is on its way and gives what the ledger says then.
func (s *servedHere) Rest(ctx context.Context) (aftermath, error) {
	for until := time.Now().Add(restHere); ; time.Sleep(lookAgain) {
		status, err := s.Client.Status(ctx, "")
		if err != nil {
			return nil, err
		}
		if status.OnTheWay == 0 {
			return ledgerAftermath(ctx, s.Client)
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("no rest after %s: %d on the way:\n%s", longest, status.OnTheWay, s.log)
		}
	}
}

// Send posts each body once.
func (s *servedHere) Send(ctx context.Context, door string, bodies [][]byte) error {
	finops := sim.New(sim.Options{Retry: sim.RetryOptions{Tries: 1}})
	defer finops.Close()
	for _, body := range bodies {
		if d := finops.Send(ctx, door+"/in/finops/prod?code="+crashKey, body); !d.Delivered {
			return fmt.Errorf("event not taken: %s\n%s", d, s.log)
		}
	}
	return nil
}

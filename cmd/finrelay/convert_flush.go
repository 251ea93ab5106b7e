package main

import (
	"errors"
	"io"
)

// flushEvery is how many bytes of rows are written between two flushes.
const flushEvery = 64 << 20

// syncer is a file that is being written.
type syncer interface {
	io.Writer
	Sync() error
}

// flusher is a file whose bytes go to the disk while more are being made, so that
// at the end not all of them are still to be waited for. Not for concurrent use.
type flusher struct {
	file syncer

	since int64 // bytes since the last flush was asked for
	due   chan struct{}
	ended chan struct{}
	err   error // of a flush; to be read when ended is closed
}

func (f *flusher) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	if f.since += int64(n); f.since < flushEvery {
		return n, err
	}
	f.since = 0
	if f.due == nil {
		f.due, f.ended = make(chan struct{}, 1), make(chan struct{})
		go f.flush(f.due, f.ended)
	}
	select {
	case f.due <- struct{}{}:
	default: // the disk is behind as it is
	}
	return n, err
}

func (f *flusher) flush(due <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	for range due {
		// The system tells of a failed write once. Forgotten here, it would be
		// lost: the next Sync succeeds.
		f.err = errors.Join(f.err, f.file.Sync())
	}
}

// Sync makes all bytes durable.
func (f *flusher) Sync() error {
	f.stop()
	return errors.Join(f.err, f.file.Sync())
}

// stop waits for a flush in progress; there must be none when the file is closed.
func (f *flusher) stop() {
	if f.due == nil {
		return
	}
	close(f.due)
	<-f.ended
	f.due = nil
}

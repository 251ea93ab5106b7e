package main

import (
	"errors"
	"testing"
)

// forgetful is a file of which one Sync fails, and none after it. It counts
// its bytes and keeps none.
type forgetful struct {
	size, syncs, fails int
}

var errDiskLost = errors.New("disk lost")

func (f *forgetful) Write(p []byte) (int, error) {
	f.size += len(p)
	return len(p), nil
}

func (f *forgetful) Sync() error {
	if f.syncs++; f.syncs == f.fails {
		return errDiskLost
	}
	return nil
}

// TestFlushIsNotForgotten: a system tells only once that bytes were lost.
func TestFlushIsNotForgotten(t *testing.T) {
	block := make([]byte, 1<<20)
	for fails := range 3 { // 0: none
		file := &forgetful{fails: fails}
		f := &flusher{file: file}
		for range 65 {
			if n, err := f.Write(block); n != len(block) || err != nil {
				t.Fatal(n, err)
			}
		}
		err := f.Sync()
		if errors.Is(err, errDiskLost) != (fails > 0) {
			t.Errorf("Sync %d fails, and it says %v", fails, err)
		}
		if file.syncs != 2 || file.size != 65<<20 {
			t.Errorf("%d syncs of %d bytes", file.syncs, file.size)
		}
	}
}

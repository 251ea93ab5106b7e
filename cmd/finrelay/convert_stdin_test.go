package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// TestConvertInterrupted: a pipe on which nobody writes any more does not hold
// the command up, and no part of a file is left.
func TestConvertInterrupted(t *testing.T) {
	for name, head := range map[string]string{"csv": "A,B\n1,2\n", "zip": "PK\x03\x04 and so on"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			t.Setenv("TMPDIR", folder)
			in, feed := io.Pipe()
			defer in.Close()
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				_, _ = io.WriteString(feed, head) // returns when the command has read it
				cancel()
			}()
			var out, errs bytes.Buffer
			code := run(ctx, []string{"convert", "-", "-o", filepath.Join(folder, "out.jsonl")}, in, &out, &errs)
			if code != exitInterrupted || errs.String() != "finrelay: interrupted\n" {
				t.Errorf("exit code %d, want %d; it said %q", code, exitInterrupted, &errs)
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// TestEndingWith: bytes and the error at their end come through, whatever the
// sizes of reads.
func TestEndingWith(t *testing.T) {
	want := strings.Repeat("0123456789abcdef", 50_000)
	broken := errors.New("broken")
	for name, r := range map[string]io.Reader{
		"whole":    strings.NewReader(want),
		"halves":   iotest.HalfReader(strings.NewReader(want)),
		"with err": iotest.DataErrReader(strings.NewReader(want)),
	} {
		got, err := io.ReadAll(iotest.HalfReader(endingWith(t.Context(), io.MultiReader(r, iotest.ErrReader(broken)))))
		if string(got) != want || !errors.Is(err, broken) {
			t.Errorf("%s: %d bytes and %v, want %d and the error", name, len(got), err, len(want))
		}
	}
}

// TestProgress: nothing for a second, then a line at a time, and none left.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p := &progress{w: &out, now: func() time.Time { return now }}
	p.begin(4000)
	r := p.watch(strings.NewReader(strings.Repeat("x", 4000)))
	step := func(after time.Duration, read, rows int64) {
		now = now.Add(after)
		if _, err := io.CopyN(io.Discard, r, read); err != nil {
			t.Fatal(err)
		}
		p.add(0, rows)
	}
	step(500*time.Millisecond, 1000, 10)
	p.clear()
	if out.Len() > 0 {
		t.Errorf("after half a second: %q", &out)
	}
	step(500*time.Millisecond, 1000, 10)
	step(100*time.Millisecond, 100, 10) // too soon for another
	p.clear()
	want := "\r\x1b[K2.0 kB of 4.0 kB, 10 rows, 2.0 kB/s, 1s left\r\x1b[K"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", &out, want)
	}
}

// TestProgressOfInputs: how large they are unpacked is not known beforehand.
func TestProgressOfInputs(t *testing.T) {
	folder := t.TempDir()
	small, large := filepath.Join(folder, "small"), filepath.Join(folder, "large")
	if err := errors.Join(os.WriteFile(small, make([]byte, 100), 0o600), os.WriteFile(large, make([]byte, 300), 0o600)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p := &progress{w: &out, now: func() time.Time { return now }}
	p.ofInputs([]string{small, large, filepath.Join(folder, "missing")})
	p.openInput(small)
	p.begin(2000) // and the large one will have 6000
	now = now.Add(2 * time.Second)
	p.inputDone()
	p.add(2000, 10)
	if got, want := out.String(), "\r\x1b[K1 of 3 files, 2.0 kB, 10 rows, 1.0 kB/s, 6s left"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestNoProgressWithoutTerminal: the reader is not even wrapped.
func TestNoProgressWithoutTerminal(t *testing.T) {
	p := newProgress(&app{stdout: io.Discard, stderr: io.Discard}, false)
	r := strings.NewReader("x")
	if got := p.watch(r); got != io.Reader(r) {
		t.Errorf("got %T", got)
	}
	p.add(0, 1)
	p.clear()
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestWhatEndsAllDecides: parts that were converted in part before do not make a
// full disk or an interrupt something that is done.
func TestWhatEndsAllDecides(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}
	for name, tt := range map[string]struct {
		end  func(stop context.CancelFunc) error
		want int
	}{
		"disk":      {func(context.CancelFunc) error { return full }, exitFailed},
		"interrupt": {func(stop context.CancelFunc) error { stop(); return context.Canceled }, exitInterrupted},
		"usage":     {func(context.CancelFunc) error { return usage(errors.New("no such column")) }, exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var errs bytes.Buffer
			cv := &conversion{app: &app{stdout: io.Discard, stderr: &errs}, progress: &progress{}}
			parts := []*part{
				cv.part(func(context.Context, *part) error { return &codedError{exitParked, errors.New("a row too many")} }),
				cv.part(func(context.Context, *part) error { return errors.New("not well-formed") }),
				cv.part(func(context.Context, *part) error { return tt.end(stop) }),
				cv.part(func(ctx context.Context, _ *part) error { <-ctx.Done(); return context.Cause(ctx) }),
				cv.part(func(ctx context.Context, _ *part) error { <-ctx.Done(); return context.Cause(ctx) }),
			}
			_, _, err := cv.runParts(ctx, parts, 2)
			if got := cv.app.exit(ctx, err); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
			for _, want := range []string{"a row too many", "not well-formed"} {
				if !strings.Contains(errs.String(), want) {
					t.Errorf("it said %q and not %q", &errs, want)
				}
			}
			if name == "disk" && !strings.Contains(errs.String(), "2 of 5 were not converted any more") {
				t.Errorf("it said %q", &errs)
			}
		})
	}
}

// TestPipeWithoutCopy: without a temporary folder a composite whose records come
// late cannot be converted from a pipe, and it is said what can be done.
func TestPipeWithoutCopy(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	out := filepath.Join(t.TempDir(), "out.jsonl")
	plain := "<D>" + strings.Repeat("<R><A>"+strings.Repeat("x", 60)+"</A></R>\n", 3000)
	for end, want := range map[string]int{"</D>": 0, "<R><A>1</A><L><B>2</B></L></R></D>": 1} {
		var errs bytes.Buffer
		if code := run(t.Context(), []string{"convert", "-", "-o", out}, strings.NewReader(plain+end), io.Discard, &errs); code != want {
			t.Errorf("%s: exit code %d, want %d: %s", end, code, want, &errs)
		}
		if want == 1 && !strings.Contains(errs.String(), "convert it from a file, or name its records with --child") {
			t.Errorf("it said %q", &errs)
		}
	}
}

// TestPackageFromPipeHasNoName: a process that is killed leaves nothing of it.
func TestPackageFromPipeHasNoName(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	f, remove, err := tempFile()
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	defer f.Close()
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}
